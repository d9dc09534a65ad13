import { lstatSync, type Stats, statSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { normalize, relative, resolve } from "node:path";
import type { Readable } from "node:stream";
import { type ChangedBlob, type CommitMessage, readCommits, readStaged } from "../git/changes.ts";
import { readContents } from "../git/objects.ts";
import { diskError, VaultError } from "../vault-error.ts";
import { COMMIT_HEADER, COMMIT_MESSAGE, STANDARD_INPUT } from "./finding.ts";
import type { Content } from "./scanner.ts";

// What can be looked through, each as contents one after the other. Nothing is left out because a file in the repository
// says so: no .gitignore, no attributes, no comment.

const READ_BYTES = 256 * 1024;
const SLASH = Buffer.from("/");

/** The staged blobs themselves: what the next commit would hold, whatever the work tree does. */
export async function* stagedContents(folder: string): AsyncGenerator<Content> {
  for await (const { item, chunks } of readContents(folder, await readStaged(folder)))
    yield { file: item.path, isStaged: true, chunks };
}

/**
 * What commits brought: each blob once under each of its names, and the commits themselves.
 *
 * @param passed called for each commit.
 */
export async function* committedContents(
  folder: string,
  revisions: readonly string[],
  passed: () => void,
): AsyncGenerator<Content> {
  const objects = objectsOf(readCommits(folder, revisions), passed);
  for await (const { item, chunks } of readContents(folder, objects)) {
    if (item.kind === "message") yield* partsOf(item, await wholeOf(chunks));
    else yield { file: item.path, commit: item.commit, chunks };
  }
}

async function* objectsOf(
  changes: AsyncIterable<ChangedBlob | CommitMessage>,
  passed: () => void,
): AsyncGenerator<ChangedBlob | (CommitMessage & { readonly blob: string })> {
  const seen = new Set<string>();
  for await (const change of changes) {
    if (change.kind === "message") {
      passed();
      yield { ...change, blob: change.commit };
      continue;
    }
    // A file is judged by its name too, and so is what is allowed: the same bytes elsewhere are looked at again.
    const key = `${change.blob} ${change.path}`;
    if (seen.has(key)) continue;
    seen.add(key);
    yield change;
  }
}

/** The message as git shows it, as it is stored where that is more or another, and what stands before it. */
function* partsOf({ commit, message }: CommitMessage, stored: Buffer): Generator<Content> {
  const end = stored.indexOf("\n\n");
  const header = end === -1 ? stored : stored.subarray(0, end);
  const shown = Buffer.from(message);
  const own = stored.subarray(header.length + 2);
  yield { file: COMMIT_MESSAGE, commit, chunks: [shown] };
  if (!own.equals(shown)) yield { file: COMMIT_MESSAGE, commit, chunks: [own] };
  yield { file: COMMIT_HEADER, commit, chunks: [header] };
}

async function wholeOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const read: Buffer[] = [];
  for await (const chunk of chunks) read.push(chunk);
  return Buffer.concat(read);
}

/** A file of the disk, with what only the disk knows of it. */
export interface DiskContent extends Content {
  readonly mode: number;
}

/**
 * Files, and everything below folders but `.git`.
 *
 * @param top what files are named below, where they are in it.
 */
export async function* fileContents(
  cwd: string,
  paths: readonly string[],
  top: string | undefined,
): AsyncGenerator<DiskContent> {
  for (const path of paths) {
    const full = resolve(cwd, path);
    // A link that is named is followed, since that is what is meant; one that is found is not.
    yield* filesIn(Buffer.from(full), statOf(full), (file) => nameOf(normalize(file), cwd, top));
  }
}

function nameOf(file: string, cwd: string, top: string | undefined): string {
  const below = top === undefined ? undefined : relative(top, file);
  if (below !== undefined && below !== "" && !below.startsWith("../")) return below;
  const near = relative(cwd, file);
  return near.startsWith("../") || near === "" ? file : near;
}

/** By the bytes of names, which need be no UTF-8: as text they would name other files, or none. */
async function* filesIn(
  path: Buffer,
  stat: Stats,
  name: (file: string) => string,
): AsyncGenerator<DiskContent> {
  if (!stat.isDirectory()) {
    yield { file: name(path.toString()), mode: stat.mode, chunks: readFile(path) };
    return;
  }
  for (const leaf of (await listOf(path)).sort(Buffer.compare)) {
    if (leaf.toString() === ".git") continue;
    const below = Buffer.concat([path, SLASH, leaf]);
    const own = findStat(lstatSync, below);
    if (own?.isDirectory() === true || own?.isFile() === true) yield* filesIn(below, own, name);
  }
}

async function* readFile(path: Buffer): AsyncGenerator<Buffer> {
  try {
    const file = await open(path, "r");
    try {
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, null);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw diskError(error, "read", path.toString());
  }
}

async function listOf(path: Buffer): Promise<Buffer[]> {
  try {
    return await readdir(path, { encoding: "buffer" });
  } catch (error) {
    throw diskError(error, "list", path.toString());
  }
}

function statOf(path: string): Stats {
  const stat = findStat(statSync, path);
  if (stat !== undefined) return stat;
  throw new VaultError(
    "usage",
    `there is no such file or folder: ${path}`,
    "name files or folders that are there",
  );
}

/** Undefined where there is nothing, also where it has just gone. */
function findStat(stat: typeof statSync, path: string | Buffer): Stats | undefined {
  try {
    return stat(path, { throwIfNoEntry: false });
  } catch (error) {
    throw diskError(error, "look at", path.toString());
  }
}

export function streamContent(stream: Readable): Content {
  return { file: STANDARD_INPUT, chunks: stream as AsyncIterable<Buffer> };
}
