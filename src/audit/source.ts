import { constants, lstatSync, readdirSync } from "node:fs";
import { type FileHandle, open as openFile } from "node:fs/promises";
import { diskError, systemCode, VaultError } from "../vault-error.ts";

// Where lines come from: the log of this machine, and what others pushed. Whoever reads verifies each line by itself and
// believes a source nothing.

const END_OF_FILE = Buffer.alloc(0);
const READING = { highWaterMark: 1024 * 1024, autoClose: false };
const SEGMENT = /^audit\.([1-9]\d{0,8})\.jsonl$/;

/** One log: the lines of this machine, or those that one key signed on one host and pushed. */
export interface LogSource {
  /** Whose lines these are to be, of a pushed log. */
  readonly host?: string;
  /** Fingerprint of the key that is to have signed them, of a pushed log. */
  readonly key?: string;
  /** Whether it is this machine's own, where lines are written, and not what was pushed. */
  readonly isLocal: boolean;
  /** Whether lines of other vaults may stand in it, which are none of ours. */
  readonly isShared?: boolean;
  /** How a finding names it: a path, or a ref. */
  readonly name: string;
  /**
   * The bytes of all its segments, in order; an empty chunk where a file ends and another begins that need not go on where
   * it ended. Many sources are read side by side, and some more than once: between two chunks nothing may be held but
   * memory and this process's own descriptors.
   */
  chunks(): AsyncIterable<Buffer>;
}

/** This machine's log: `audit.1.jsonl`, `audit.2.jsonl`, … and `audit.jsonl`, which is written to. */
export function localLog(folder: string, isShared: boolean): LogSource {
  return {
    isLocal: true,
    isShared,
    name: `${folder}/audit.jsonl`,
    chunks: () => readSegments(folder),
  };
}

async function* readSegments(folder: string): AsyncGenerator<Buffer> {
  for await (const { path, file } of openSegments(folder)) {
    try {
      yield* file.createReadStream(READING) as AsyncIterable<Buffer>;
    } catch (error) {
      throw diskError(error, "read the audit log", path);
    } finally {
      await file.close();
    }
    yield END_OF_FILE;
  }
}

interface OpenFile {
  readonly path: string;
  readonly file: FileHandle;
}

/** Whoever writes may move the last file to the next number at any time: what is open by then is the one that was meant. */
async function* openSegments(folder: string): AsyncGenerator<OpenFile> {
  const given = new Set<string>();
  for (;;) {
    for (const path of closedSegments(folder)) {
      if (given.has(path)) continue;
      given.add(path);
      const file = await open(path);
      if (file !== undefined) yield { path, file };
    }
    const path = `${folder}/audit.jsonl`;
    const file = await open(path);
    if (closedSegments(folder).every((closed) => given.has(closed))) {
      if (file !== undefined) yield { path, file };
      return;
    }
    await file?.close();
  }
}

/** Undefined where there is none. A pipe in its place is not waited for, nor a link followed. */
async function open(path: string): Promise<FileHandle | undefined> {
  try {
    const file = await openFile(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    if (systemCode(error) !== "ELOOP") throw diskError(error, "read the audit log", path);
  }
  throw new VaultError(
    "audit",
    `the audit log is not a plain file: ${path}`,
    "find out who put it there; move it away, or name another folder with VAULT_RUN_AUDIT_DIR",
  );
}

/** In the order of their numbers. An empty one is a number that is being taken. */
function closedSegments(folder: string): string[] {
  try {
    const numbers = readdirSync(folder).flatMap((name) => SEGMENT.exec(name)?.[1] ?? []);
    return numbers
      .toSorted((a, b) => Number(a) - Number(b))
      .map((number) => `${folder}/audit.${number}.jsonl`)
      .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.size !== 0);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw diskError(error, "read the audit log", folder);
  }
}
