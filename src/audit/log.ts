import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { SigningKey } from "../age/signing-key.ts";
import { digest, keyFingerprint } from "../vault/fingerprint.ts";
import { findVariable, type Machine, stateFolder } from "../vault/machine.ts";
import type { VaultId } from "../vault/names.ts";
import { timestamp } from "../vault/time.ts";
import { makeFolder } from "../vault/write-file.ts";
import { diskError, systemCode, VaultError } from "../vault-error.ts";
import { type AuditEvent, formatAuditLine } from "./event.ts";

// Appends without a lock: one write(2) of a whole line to a file opened with O_APPEND, which the kernel keeps in one
// piece however many launches write at once. Lines written at the same moment may link to the same line before them;
// that is a branch in the chain, not a gap. A line torn by a kill or a full disk is ended by the next append. So is one
// that is being written just then, of which a reader may see a part: the kernel puts the line feed behind it, as an empty
// line, which readers skip.

const TAIL_BYTES = 8 * 1024;
const LINE_FEED = 0x0a;
const LINE_ID_BYTES = 16;

export class AuditLog {
  readonly path: string;
  readonly #machine: Machine;
  readonly #vault: VaultId;
  readonly #commit: string | undefined;

  constructor(machine: Machine, vault: VaultId, commit: string | undefined) {
    this.path = auditLogPath(machine, vault);
    this.#machine = machine;
    this.#vault = vault;
    this.#commit = commit;
  }

  /**
   * @param id 16 random bytes in hex, no other line's.
   * @throws {VaultError} `audit` when the line could not be written whole.
   */
  append(event: AuditEvent, key: SigningKey, id = randomBytes(LINE_ID_BYTES).toString("hex")): void {
    try {
      this.#append(event, key, id);
    } catch (error) {
      if (error instanceof VaultError && error.code === "audit") throw error;
      throw new VaultError(
        "audit",
        `cannot write the audit record (${systemCode(error) ?? "error"}): ${this.path}`,
        "make that file writable, or move the log with VAULT_RUN_AUDIT_DIR",
        {
          cause: error,
        },
      );
    }
  }

  /** Appends the line unless one of this id is there. Reads the whole log. */
  appendOnce(event: AuditEvent, key: SigningKey, id: string): void {
    if (!this.#holds(id)) this.append(event, key, id);
  }

  #holds(id: string): boolean {
    try {
      return readFileSync(this.path, "latin1").includes(`"id":"${id}"`);
    } catch (error) {
      if (systemCode(error) === "ENOENT") return false;
      throw diskError(error, "read the audit log", this.path);
    }
  }

  #append(event: AuditEvent, key: SigningKey, id: string): void {
    makeFolder(dirname(this.path));
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
    const fd = openSync(this.path, flags, 0o600);
    try {
      const tail = readTail(fd);
      const line = formatAuditLine(
        {
          ...event,
          v: 1,
          id,
          time: timestamp(this.#machine.now()),
          vault: this.#vault,
          key: keyFingerprint(key.verifyKey),
          host: this.#machine.host,
          uid: this.#machine.uid,
          ...(this.#commit === undefined ? {} : { commit: this.#commit }),
          ...(tail.last === undefined ? {} : { prev: digest(tail.last) }),
        },
        key,
      );
      const bytes = Buffer.from(`${tail.torn ? "\n" : ""}${line}\n`);
      if (writeSync(fd, bytes) !== bytes.length) {
        throw new VaultError(
          "audit",
          `the disk took only part of the audit record: ${this.path}`,
          "free some space and run the command again",
        );
      }
    } finally {
      closeSync(fd);
    }
  }
}

/** `audit.jsonl` in the vault's state folder, or in VAULT_RUN_AUDIT_DIR. */
export function auditLogPath(machine: Machine, vault: VaultId): string {
  const folder = findVariable(machine, "VAULT_RUN_AUDIT_DIR");
  return `${folder ?? stateFolder(machine, vault)}/audit.jsonl`;
}

/** The last whole line, without its line feed, and whether bytes follow it. */
function readTail(fd: number): { last: Buffer | undefined; torn: boolean } {
  const stat = fstatSync(fd);
  if (!stat.isFile()) {
    throw new VaultError(
      "audit",
      "the audit log is not a plain file",
      "move it away, or name another folder with VAULT_RUN_AUDIT_DIR",
    );
  }
  for (let wanted = TAIL_BYTES; ; wanted *= 2) {
    const length = Math.min(stat.size, wanted);
    const tail = Buffer.alloc(length);
    readSync(fd, tail, 0, length, stat.size - length);
    let end = tail.lastIndexOf(LINE_FEED);
    const torn = end !== length - 1;
    // Empty lines come from a writer that saw a part of another's line and ended it: none of them is the last line.
    while (end > 0 && tail[end - 1] === LINE_FEED) end--;
    const start = end <= 0 ? -1 : tail.lastIndexOf(LINE_FEED, end - 1);
    // Without the line feed before it, the line may begin further up.
    if (start === -1 && length < stat.size) continue;
    return { last: end <= 0 ? undefined : tail.subarray(start + 1, end), torn };
  }
}
