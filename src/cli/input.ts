import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Readable } from "node:stream";
import { diskError } from "../vault-error.ts";

/** What comes to the stream's end, or at least `limit` bytes: the rest is not read. */
export async function readStream(stream: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= limit) break;
  }
  return Buffer.concat(chunks);
}

/** The first `limit` bytes of a file. */
export function readFileUpTo(path: string, limit: number): Buffer {
  try {
    const fd = openSync(path, "r");
    try {
      return readUpTo(fd, limit);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw diskError(error, "read", path);
  }
}

function readUpTo(fd: number, limit: number): Buffer {
  const buffer = Buffer.alloc(fstatSync(fd).isFile() ? Math.min(fstatSync(fd).size, limit) : limit);
  let length = 0;
  for (;;) {
    const read = readSync(fd, buffer, length, buffer.length - length, null);
    length += read;
    if (read === 0 || length === buffer.length) return buffer.subarray(0, length);
  }
}
