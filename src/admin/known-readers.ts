import type { Reader } from "../audit/reader.ts";
import { Repository } from "../git/repository.ts";
import { VAULT_PATH } from "../vault/paths.ts";
import type { Vault } from "../vault/vault.ts";
import { OwnersEver } from "./owners-ever.ts";
import { readPastRecords } from "./past-records.ts";

/** Everyone who is or was an owner or agent: keys of the past stand only in git's history. */
export async function knownReaders(vault: Vault): Promise<Reader[]> {
  const repository = await Repository.find(vault.files.root);
  const past = await readPastRecords(repository, [VAULT_PATH, "agents/*/agent.json"]);
  const owners = new OwnersEver(vault, past);
  const current = vault.agents().map(({ name, verifyKey }) => ({ key: verifyKey, agent: name }));
  const former = past.flatMap(({ record }) =>
    record.type === "agent" && owners.findSigner(record) !== undefined
      ? [{ key: record.verifyKey, agent: record.name }]
      : [],
  );
  const named = owners.all.map(({ key, name }) => (name === undefined ? { key } : { key, owner: name }));
  return [...named, ...current, ...former];
}
