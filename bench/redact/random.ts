import { createCipheriv, createHash } from "node:crypto";

// Every run measures the same bytes: the same seed gives the same stream.

export function seededBytes(seed: string, length: number): Buffer {
  const key = createHash("sha256").update(seed).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** A source of numbers from 0 to below the limit it is asked with. */
export function seededNumbers(seed: string): (limit: number) => number {
  const bytes = seededBytes(seed, 1 << 16);
  let offset = 0;
  return (limit) => {
    const number = bytes.readUInt32LE(offset);
    offset = (offset + 4) % bytes.length;
    return number % limit;
  };
}
