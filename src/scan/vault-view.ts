import type { VerifyKey } from "../age/signing-key.ts";
import { shellWord } from "../vault/names.ts";
import { ALLOW_PATH, findPlace, type RecordPath } from "../vault/paths.ts";
import { decodeRecord, findSigner, signedBytes } from "../vault/record.ts";
import type { SignedRecord } from "../vault/schema.ts";
import type { Vault } from "../vault/vault.ts";
import { VaultError } from "../vault-error.ts";
import { findPlainEnv, isEnvFile } from "./env-file.ts";
import { type Finding, fingerprintOf } from "./finding.ts";

// What a scan knows of the vault in the repository that it looks through, and what is wrong with files by that knowledge.

const NO_RECORDS = [".gitattributes"];

export interface Knowledge {
  /** Verified. Undefined where there is none, or nothing says whose it is. */
  readonly vault: Vault | undefined;
  /** The `.vault` folder below the work tree's top; undefined where there is none. */
  readonly folder: string | undefined;
  /** Whether a commit may have records of a vault that was here before: of a whole history, and never of what is new. */
  readonly allowsFormer: boolean;
}

export class VaultView {
  readonly #vault: Vault | undefined;
  readonly #folder: string | undefined;
  readonly #allowsFormer: boolean;
  readonly #signers: ReadonlySet<VerifyKey>;
  #names: ReadonlySet<string> | undefined;

  constructor({ vault, folder, allowsFormer }: Knowledge) {
    this.#vault = vault;
    this.#folder = folder;
    this.#allowsFormer = allowsFormer;
    const { current = [], former = [] } = this.#vault?.ownerKeys ?? {};
    this.#signers = new Set([...current, ...former]);
  }

  /** Whether a file is judged as the file that it is, and so is to be read whole. */
  judges(file: string): boolean {
    return isEnvFile(file) || this.#pathOf(file) !== undefined;
  }

  /** What a file is as a file: a record that is none, values in a file that the vault has names for. */
  check(file: string, bytes: Buffer, commit: string | undefined): Finding[] {
    const path = this.#pathOf(file);
    const problem = path === undefined ? undefined : this.#problemOf(file, path, bytes, this.#allowsFormer);
    const place = { file, commit, line: 1, column: 1, kind: "structure" as const, masked: "" };
    const findings: Finding[] = [];
    if (problem !== undefined) {
      findings.push({
        ...place,
        rule: "vault-record",
        what: problem.message,
        fingerprint: fingerprintOf("vault-record", file, bytes),
        next: problem.hint,
      });
    }
    const plain = path === undefined && isEnvFile(file) ? findPlainEnv(bytes, this.#secretNames()) : [];
    if (plain.length > 0) {
      findings.push({
        ...place,
        rule: "plain-env",
        what: `plain values of names that the vault holds: ${plain.join(", ")}`,
        fingerprint: fingerprintOf("plain-env", file, bytes),
        next: `take the file out of git (git rm --cached ${shellWord(file)}) and ignore it; launch with vault-run, which injects them`,
      });
    }
    return findings;
  }

  #secretNames(): ReadonlySet<string> {
    this.#names ??= this.#vault === undefined ? new Set() : namesOf(this.#vault);
    return this.#names;
  }

  /** Whether an owner of the verified vault signed the file: nobody else can make it one. */
  isSigned(file: string, bytes: Buffer): boolean {
    const path = this.#pathOf(file);
    if (this.#vault === undefined || path === undefined || NO_RECORDS.includes(path)) return false;
    return this.#problemOf(file, path, bytes, false) === undefined;
  }

  /** Below the `.vault` folder; undefined for a file that is elsewhere. */
  #pathOf(file: string): string | undefined {
    const folder = `${this.#folder}/`;
    return this.#folder !== undefined && file.startsWith(folder) ? file.slice(folder.length) : undefined;
  }

  /** @param isFormerFine whether it may be of a vault that was here before. */
  #problemOf(file: string, path: string, bytes: Buffer, isFormerFine: boolean): VaultError | undefined {
    if (NO_RECORDS.includes(path)) return undefined;
    if (findPlace(path) === undefined) {
      return new VaultError(
        "bad-name",
        `no record can have this name: ${file}`,
        "remove it: only vault-run writes to .vault",
      );
    }
    try {
      const record = decodeRecord(path as RecordPath, bytes);
      const vault = this.#vault;
      if (vault === undefined || (isFormerFine && record.vault !== vault.id)) return undefined;
      if (record.vault === vault.id && findSigner(record, signedBytes(record), this.#signers) !== undefined)
        return undefined;
      return new VaultError(
        "record-signature",
        `no owner of this vault signed this record: ${file}`,
        `see who changed it (git log -- ${shellWord(file)}); make changes with vault-run`,
      );
    } catch (error) {
      if (error instanceof VaultError) return error;
      throw error;
    }
  }
}

/** The variables that a vault's secrets stand for. A record that is none is told where it stands. */
function namesOf(vault: Vault): ReadonlySet<string> {
  const names = new Set<string>();
  for (const path of vault.files.paths()) {
    const record = findPlace(path)?.kind === "secret" ? findRecord(vault, path as RecordPath) : undefined;
    if (record?.type !== "secret") continue;
    names.add(record.name);
    if (record.env !== undefined) names.add(record.env);
  }
  return names;
}

function findRecord(vault: Vault, path: RecordPath): SignedRecord | undefined {
  try {
    return vault.find(path);
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}

/**
 * What the owners allow, by fingerprint, with their reasons: as one of them signed it. On a branch whose list is older than
 * one that was seen nothing is allowed: what was taken back since would be again.
 */
export function allowedBy(vault: Vault): ReadonlyMap<string, string> | "older" {
  const record = vault.find(ALLOW_PATH);
  if (record?.type !== "allow") return new Map();
  if ((vault.pins.find(ALLOW_PATH)?.serial ?? 0) > record.serial) return "older";
  return new Map(record.entries.map(({ fingerprint, reason }) => [fingerprint, reason]));
}
