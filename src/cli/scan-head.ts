import { readContents } from "../git/objects.ts";
import { findGitText, gitText } from "../git/stream.ts";
import { readVaultAt } from "../scan/snapshot.ts";
import { VAULT_FOLDER } from "../vault/find-vault.ts";
import { trustSources } from "../vault/key-lookup.ts";
import { type Machine, stateFolder } from "../vault/machine.ts";
import { VAULT_PATH } from "../vault/paths.ts";
import { Pins } from "../vault/pins.ts";
import { RecordSnapshot } from "../vault/record-snapshot.ts";
import type { RecordSource } from "../vault/record-source.ts";
import { readUnverifiedVault } from "../vault/unverified-vault.ts";
import { Vault } from "../vault/vault.ts";
import { VaultError } from "../vault-error.ts";
import type { CommandContext } from "./context.ts";

// The vault of a repository without a work tree. Whoever may push can put others beside it, under any name, so that the
// order in which they are listed says nothing.

interface Listed {
  readonly folder: string;
  /** Of its vault.json. */
  readonly blob: string;
}

/** The vault that HEAD has. Of several the one that is known here, or else the one at the top. */
export async function findVaultOfHead(
  { machine, console }: CommandContext,
  repository: string,
): Promise<{ readonly folder: string; readonly files: RecordSource } | undefined> {
  const head = await findGitText(repository, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
  if (head === undefined) return undefined;
  const listed = await vaultsAt(repository, head);
  const folder = listed.length > 1 ? await chooseOf(machine, repository, listed) : listed[0]?.folder;
  if (folder !== undefined) return { folder, files: await readVaultAt(repository, head, folder) };
  if (listed.length > 1)
    console.say(
      "HEAD has several vaults, and none is gone by: set VAULT_RUN_OWNER to the owner's verify key",
    );
  return undefined;
}

/** @returns undefined where nothing tells which is meant. */
async function chooseOf(
  machine: Machine,
  repository: string,
  listed: readonly Listed[],
): Promise<string | undefined> {
  const known: string[] = [];
  for await (const { item, chunks } of readContents(repository, listed)) {
    const bytes: Buffer[] = [];
    for await (const chunk of chunks) bytes.push(chunk);
    if (isKnown(machine, new RecordSnapshot(item.folder, new Map([[VAULT_PATH, Buffer.concat(bytes)]]))))
      known.push(item.folder);
  }
  const candidates = known.length > 0 ? known : listed.map(({ folder }) => folder);
  if (candidates.length === 1 || candidates.includes(VAULT_FOLDER))
    return candidates.length === 1 ? candidates[0] : VAULT_FOLDER;
  // Where an owner is named and none is theirs, any of them is refused.
  return machine.env.VAULT_RUN_OWNER !== undefined && known.length === 0 ? candidates[0] : undefined;
}

/** Whether VAULT_RUN_OWNER or what was seen here vouches for it. */
function isKnown(machine: Machine, files: RecordSource): boolean {
  try {
    const unverified = readUnverifiedVault(files);
    const pins = new Pins(stateFolder(machine, unverified.id));
    Vault.verify(unverified, pins, trustSources(machine, undefined));
    return true;
  } catch (error) {
    if (error instanceof VaultError) return false;
    throw error;
  }
}

async function vaultsAt(repository: string, commit: string): Promise<Listed[]> {
  const end = `${VAULT_FOLDER}/${VAULT_PATH}`;
  const entries = (await gitText(repository, ["ls-tree", "-r", "-z", "--full-tree", commit])).split("\0");
  return entries.flatMap((entry) => {
    const [, blob, path = ""] = /^\d+ blob (\S+)\t(.*)$/s.exec(entry) ?? [];
    const isVault = path === end || path.endsWith(`/${end}`);
    return blob === undefined || !isVault ? [] : [{ blob, folder: path.slice(0, -VAULT_PATH.length - 1) }];
  });
}
