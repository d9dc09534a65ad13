import { lstatSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { configFolder, type Machine } from "../../vault/machine.ts";
import { shellWord, type VaultId } from "../../vault/names.ts";
import { systemCode } from "../../vault-error.ts";
import type { Finding } from "./finding.ts";

/** Key files of this vault in the user's configuration folder that others could read. */
export function checkKeyFiles(machine: Machine, vault: VaultId): Finding[] {
  const folder = configFolder(machine, vault);
  const agents = names(`${folder}/agents`).map((name) => `${folder}/agents/${name}`);
  const files = [...names(folder).map((name) => `${folder}/${name}`), ...agents];
  return files.flatMap((path) => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile() || (stat.mode & 0o077) === 0) return [];
    const replace = agents.includes(path)
      ? `replace it: vault-run rekey ${basename(path, ".key")}`
      : "replace it: vault-run rekey --owner";
    return [
      {
        level: "error" as const,
        kind: "key-file",
        where: path,
        what: `others can read this key file (mode ${(stat.mode & 0o777).toString(8)}): ${path}`,
        next: `make it yours alone (chmod 600 ${shellWord(path)}); where others have read it, ${replace}`,
      },
    ];
  });
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return [];
    throw error;
  }
}
