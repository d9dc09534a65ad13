import { VaultError } from "../vault-error.ts";
import type { ChangedBlob } from "./changes.ts";
import { readContents } from "./objects.ts";
import { gitText, startGit } from "./stream.ts";

// What refs name, which need be no commit: a tag has a message of its own, and names a commit, another tag, a tree or a blob.

export interface NamedObjects {
  readonly commits: readonly string[];
  /** Blobs, and those of trees, and tags: their content is looked through as it is. */
  readonly contents: readonly Pick<ChangedBlob, "path" | "blob">[];
}

/** Of a tag as of a file, in findings. */
const TAG = "(tag)";
const BLOB = "(tagged file)";
/** Its first two lines are `object ID` and `type TYPE`. */
const HEAD_BYTES = 200;

/** Follows every tag to what it names. */
export async function readNamed(folder: string, ids: readonly string[]): Promise<NamedObjects> {
  const commits = new Set<string>();
  const contents: Pick<ChangedBlob, "path" | "blob">[] = [];
  const seen = new Set<string>();
  for (let left = [...new Set(ids)]; left.length > 0; ) {
    const tags: { blob: string }[] = [];
    for (const [id, type] of await typesOf(folder, left)) {
      seen.add(id);
      if (type === "commit") commits.add(id);
      else if (type === "tag") tags.push({ blob: id });
      else if (type === "blob") contents.push({ path: BLOB, blob: id });
      else contents.push(...(await blobsOf(folder, id)));
    }
    contents.push(...tags.map(({ blob }) => ({ path: TAG, blob })));
    left = [...new Set(await targetsOf(folder, tags))].filter((id) => !seen.has(id));
  }
  return { commits: [...commits], contents };
}

/** What every ref of a repository names, but for commits. */
export async function readAllTags(folder: string): Promise<NamedObjects["contents"]> {
  const refs = await gitText(folder, ["for-each-ref", "--format=%(objecttype) %(objectname)"]);
  const ids = refs.split("\n").filter((line) => line !== "" && !line.startsWith("commit "));
  return (
    await readNamed(
      folder,
      ids.map((line) => line.split(" ")[1] ?? ""),
    )
  ).contents;
}

async function typesOf(folder: string, ids: readonly string[]): Promise<[id: string, type: string][]> {
  const { child, ended } = startGit(folder, ["cat-file", "--batch-check=%(objectname) %(objecttype)"]);
  child.stdin.end(`${ids.join("\n")}\n`);
  const read: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) read.push(chunk);
  await ended;
  const lines = Buffer.concat(read).toString("utf8").split("\n");
  return ids.map((id, at) => {
    const type = /^\S+ (commit|tag|tree|blob)$/.exec(lines[at] ?? "")?.[1];
    if (type === undefined) throw notThere(id);
    return [id, type];
  });
}

async function targetsOf(folder: string, tags: readonly { blob: string }[]): Promise<string[]> {
  const targets: string[] = [];
  if (tags.length === 0) return targets;
  for await (const { item, chunks } of readContents(folder, tags)) {
    let head = Buffer.alloc(0);
    for await (const chunk of chunks)
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES)]);
    const target = /^object ([0-9a-f]+)\n/.exec(head.toString("latin1"))?.[1];
    if (target === undefined) throw notThere(item.blob);
    targets.push(target);
  }
  return targets;
}

async function blobsOf(folder: string, tree: string): Promise<Pick<ChangedBlob, "path" | "blob">[]> {
  const entries = (await gitText(folder, ["ls-tree", "-r", "-z", "--full-tree", tree])).split("\0");
  return entries.flatMap((entry) => {
    const [, blob, path] = /^\d+ blob (\S+)\t(.*)$/s.exec(entry) ?? [];
    return blob === undefined || path === undefined ? [] : [{ path, blob }];
  });
}

function notThere(id: string): VaultError {
  return new VaultError(
    "git-failed",
    `an object is not here, so it cannot be looked through: ${id.slice(0, 12)}`,
    "a partial clone lacks it: fetch it (git fetch --refetch), or look at the repository with git fsck",
  );
}
