import { readContents } from "../git/objects.ts";
import { gitText } from "../git/stream.ts";
import { ALLOW_PATH } from "../vault/paths.ts";
import { decodeRecord } from "../vault/record.ts";
import { RecordSnapshot } from "../vault/record-snapshot.ts";
import type { RecordSource } from "../vault/record-source.ts";
import type { Vault } from "../vault/vault.ts";
import { VaultError } from "../vault-error.ts";

const PLAIN_MODES = ["100644", "100755"];

/**
 * A vault's files as a commit has them, also where there is no work tree.
 *
 * @param vaultFolder the `.vault` folder below the work tree's top.
 */
export async function readVaultAt(
  folder: string,
  commit: string,
  vaultFolder: string,
): Promise<RecordSnapshot> {
  const args = [
    "--literal-pathspecs",
    "ls-tree",
    "-r",
    "-z",
    "--full-tree",
    "--end-of-options",
    commit,
    "--",
  ];
  const entries = (await gitText(folder, [...args, `${vaultFolder}/`]))
    .split("\0")
    .filter((line) => line !== "");
  const files = new Map<string, Buffer | "not-plain">();
  const plain: { blob: string; path: string }[] = [];
  for (const entry of entries) {
    const tab = entry.indexOf("\t");
    const path = entry.slice(tab + 1 + vaultFolder.length + 1);
    const [mode = "", , blob = ""] = entry.slice(0, tab).split(" ");
    files.set(path, "not-plain");
    if (PLAIN_MODES.includes(mode)) plain.push({ blob, path });
  }
  for await (const { item, chunks } of readContents(folder, plain)) {
    const all: Buffer[] = [];
    for await (const chunk of chunks) all.push(chunk);
    files.set(item.path, Buffer.concat(all));
  }
  return new RecordSnapshot(vaultFolder, files);
}

/** Refuses an allow-list that is older than the one of the base: what was taken back since would count again. */
export function requireNoOlderAllow(vault: Vault, base: RecordSource): void {
  const bytes = base.read(ALLOW_PATH);
  if (bytes === undefined) return;
  const before = decodeRecord(ALLOW_PATH, bytes);
  if (!vault.isSigned(before)) return;
  const serial = vault.find(ALLOW_PATH)?.serial ?? 0;
  if (serial >= before.serial) return;
  throw new VaultError(
    "record-rollback",
    `the allow-list is older than in the base (serial ${serial}, there ${before.serial}): .vault/${ALLOW_PATH}`,
    "do not merge this; see who put it there: git log -- .vault/allow.json",
  );
}
