import { relative } from "node:path";
import { readBlobs } from "../git/blobs.ts";
import { readTree } from "../git/history.ts";
import type { Repository } from "../git/repository.ts";
import { RecordSnapshot } from "../vault/record-snapshot.ts";

/**
 * The vault's files as a commit has them.
 *
 * @param root the absolute path of the `.vault` folder, which need not be there now.
 */
export async function readCommit(
  repository: Repository,
  root: string,
  commit: string,
): Promise<RecordSnapshot> {
  const tree = await readTree(repository, commit, relative(repository.workTree, root));
  const files = new Map<string, Buffer | "not-plain">(tree.map(({ path }) => [path, "not-plain"]));
  const plain = tree.flatMap(({ path, blob }) => (blob === undefined ? [] : [{ path, blob }]));
  const blobs = readBlobs(
    repository.workTree,
    plain.map(({ blob }) => blob),
  );
  for (const { path } of plain) {
    const { value } = await blobs.next();
    if (value !== undefined) files.set(path, value);
  }
  return new RecordSnapshot(root, files);
}
