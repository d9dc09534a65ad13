import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DamagedAgeFile } from "../../src/age/damaged-age-file.ts";
import { hasControls } from "../../src/vault/names.ts";
import { VaultError } from "../../src/vault-error.ts";

// What the targets have in common: the promises that every reader keeps, and inputs as it would get them.

/** Throws where a promise is broken. Returns whether anything was accepted. */
export type Target = (bytes: Buffer) => boolean | Promise<boolean>;

/** Whether nothing was thrown. An error must be of these kinds, and show no control character. */
export function accepts(
  read: () => unknown,
  kind: typeof VaultError | typeof DamagedAgeFile | typeof TypeError = VaultError,
): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (!(error instanceof kind)) throw error;
    requireShowable(error instanceof VaultError ? error.message + error.hint : error.message);
    return false;
  }
}

/** The same of what is not read at once. */
export async function acceptsLater(read: () => Promise<unknown>): Promise<boolean> {
  const found = await read().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  return accepts(() => {
    if (found !== undefined) throw found.error;
  });
}

function requireShowable(shown: string): void {
  if (hasControls(shown)) throw new Error(`an error shows a control character: ${JSON.stringify(shown)}`);
}

export function requireSame(found: string, expected: string): void {
  if (found !== expected) throw new Error("what was read is not what stood there");
}

let made: string | undefined;

/** A folder for the files that readers read. */
export function scratch(): string {
  if (made === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "vault-run-fuzz-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    made = folder;
  }
  return made;
}

/** The folder, with a file of these bytes in it. */
export function withFile(name: string, bytes: Buffer): string {
  const path = join(scratch(), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return scratch();
}

/** What is longer is read for its time and room alone. */
const MOST_COMPARED_BYTES = 1024 * 1024;
const PIPE_BYTES = 64 * 1024;

export function isLarge(bytes: Buffer): boolean {
  return bytes.length > MOST_COMPARED_BYTES;
}

/** In pieces whose lengths the bytes themselves say; what is large as a pipe gives it. */
export function cut(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const length = isLarge(bytes)
      ? PIPE_BYTES
      : 1 + ((bytes[from] ?? 0) % 13) * (bytes.length > 4096 ? 997 : 1);
    pieces.push(bytes.subarray(from, from + length));
    from += length;
  }
  return pieces;
}

export async function* streamOf(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}

export async function collected<T>(found: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of found) all.push(each);
  return all;
}
