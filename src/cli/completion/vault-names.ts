import type { AgentName } from "../../vault/names.ts";
import { type GroupName, parseGroupName } from "../../vault/names.ts";
import { agentPath, type RecordPath, VAULT_PATH } from "../../vault/paths.ts";
import { decodeRecord } from "../../vault/record.ts";
import { RecordFiles } from "../../vault/record-files.ts";
import type { VaultRecord } from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";

/** The names that a vault's files have. Nothing is verified and no key is read: they are offered, not trusted. */
export interface VaultNames {
  agents(): string[];
  groups(): string[];
  owners(): string[];
  /** The names of a group's secrets. */
  secrets(group: string): string[];
}

/** @param root where the vault is, or undefined where there is none. */
export function vaultNames(root: string | undefined): VaultNames {
  if (root === undefined) return { agents: () => [], groups: () => [], owners: () => [], secrets: () => [] };
  const files = new RecordFiles(root);
  const isThere = (path: RecordPath) =>
    !/"type": *"tombstone"/.test(files.read(path)?.toString("latin1") ?? "");
  return {
    agents: () =>
      orNone(() => files.listFolders("agents").filter((name) => isThere(agentPath(name as AgentName)))),
    groups: () => orNone(() => files.listFolders("groups")),
    owners: () =>
      orNone(() => {
        const bytes = files.read(VAULT_PATH);
        const record = bytes === undefined ? undefined : (decodeRecord(VAULT_PATH, bytes) as VaultRecord);
        return record?.owners.map((owner) => owner.name) ?? [];
      }),
    secrets: (group) =>
      orNone(() => {
        const folder = `groups/${parseGroupName(group) satisfies GroupName}/secrets`;
        const paths = files.list(folder).filter(isThere);
        return paths.map((path) => path.slice(folder.length + 1, -".json".length));
      }),
  };
}

/** Whoever asks for the next word wants no errors. */
function orNone(list: () => string[]): string[] {
  try {
    return list();
  } catch (error) {
    if (error instanceof VaultError) return [];
    throw error;
  }
}
