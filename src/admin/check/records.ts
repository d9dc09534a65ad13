import { printable } from "../../vault/names.ts";
import { findPlace, type RecordPath } from "../../vault/paths.ts";
import type { RecordSource } from "../../vault/record-source.ts";
import type { SignedRecord } from "../../vault/schema.ts";
import { type Vault, vanished } from "../../vault/vault.ts";
import { VaultError } from "../../vault-error.ts";
import { ATTRIBUTES_PATH } from "../journal.ts";
import { type Finding, findingOf } from "./finding.ts";

/** A vault's records that verified, by path, and what is to be said of the others. */
export interface CheckedRecords {
  readonly records: ReadonlyMap<RecordPath, SignedRecord>;
  readonly findings: readonly Finding[];
}

/** Reads every file of a vault by itself, so that one that is refused does not hide the others. */
export function checkRecords(vault: Vault): CheckedRecords {
  const records = new Map<RecordPath, SignedRecord>();
  const findings: Finding[] = [];
  const paths = vault.files.paths();
  for (const path of new Set([...paths, ...vault.pins.paths()])) {
    if (path === ATTRIBUTES_PATH) continue;
    if (findPlace(path) === undefined) {
      findings.push(stray(path));
      continue;
    }
    try {
      const record = vault.find(path as RecordPath);
      if (record !== undefined) records.set(path as RecordPath, record);
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      findings.push(findingOf(error, path));
    }
  }
  const known = new Set(findings.map(({ what }) => what));
  const others = checkListing(vault.files).filter(({ what }) => !known.has(what));
  return { records, findings: [...findings, ...twins(paths), ...others] };
}

/** What makes a reader stop where no record stands. */
function checkListing(files: RecordSource): Finding[] {
  const findings: Finding[] = [];
  const attempt = (where: string, list: () => string[]): string[] => {
    try {
      return list();
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      findings.push(findingOf(error, where));
      return [];
    }
  };
  for (const [top, record, folder] of SCOPES) {
    for (const name of attempt(top, () => files.listFolders(top))) {
      const own = `${top}/${name}/${record}` as RecordPath;
      if (!files.has(own)) findings.push(findingOf(vanished(own), own));
      attempt(`${top}/${name}/${folder}`, () => files.list(`${top}/${name}/${folder}`));
    }
  }
  return findings;
}

const SCOPES = [
  ["agents", "agent.json", "grants"],
  ["groups", "group.json", "secrets"],
] as const;

function stray(path: string): Finding {
  return {
    level: path.endsWith(".json") ? "error" : "note",
    kind: "bad-name",
    where: path,
    what: `no record can have this name: ${printable(`.vault/${path}`)}`,
    next: "remove it: only vault-run writes to .vault",
  };
}

function twins(paths: readonly string[]): Finding[] {
  const folded = Map.groupBy(paths, (path) => path.toLowerCase());
  return [...folded.values()].flatMap(([first, second]) =>
    first === undefined || second === undefined
      ? []
      : [
          {
            level: "error" as const,
            kind: "bad-name",
            where: second,
            what: `two names that differ only in letter case: ${printable(`.vault/${first}`)} and ${printable(`.vault/${second}`)}`,
            next: "see who did with git log, and remove one",
          },
        ],
  );
}
