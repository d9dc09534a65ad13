import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import type { SigningKey } from "../age/signing-key.ts";
import { digest, keyFingerprint } from "../vault/fingerprint.ts";
import { type AuditReceiver, findVariable, type Machine, stateFolder } from "../vault/machine.ts";
import type { VaultId } from "../vault/names.ts";
import { timestamp } from "../vault/time.ts";
import { makeFolder } from "../vault/write-file.ts";
import { systemCode, VaultError } from "../vault-error.ts";
import { type AuditEvent, formatAuditLine } from "./event.ts";
import { holdsWhole, LOG_NAME, readTail, SEGMENT_BYTES } from "./log-file.ts";

// Appends without a lock: one write(2) of a whole line to a file opened with O_APPEND, which the kernel keeps in one
// piece however many launches write at once. Lines written at the same moment may link to the same line before them;
// that is a branch in the chain, not a gap. A line torn by a kill or a full disk is ended by the next append. So is one
// that is being written just then, of which a reader may see a part: the kernel puts the line feed behind it, as an empty
// line, which readers skip. One that is torn between our look and our write has our line glued to it, which no reader takes: it
// is written again. A file that has grown is moved away first, and the new one goes on where it ended (segments.ts).

const LINE_ID_BYTES = 16;
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

export class AuditLog {
  readonly path: string;
  readonly #folder: string;
  readonly #machine: Machine;
  readonly #vault: VaultId;
  readonly #commit: string | undefined;

  constructor(machine: Machine, vault: VaultId, commit: string | undefined) {
    this.#folder = auditFolder(machine, vault);
    this.path = `${this.#folder}/${LOG_NAME}`;
    this.#machine = machine;
    this.#vault = vault;
    this.#commit = commit;
  }

  /**
   * @param id 16 random bytes in hex, no other line's.
   * @throws {VaultError} `audit` when the line could not be written whole.
   */
  async append(
    event: AuditEvent,
    key: SigningKey,
    id = randomBytes(LINE_ID_BYTES).toString("hex"),
  ): Promise<void> {
    try {
      const { auditReceiver } = this.#machine;
      await (auditReceiver === undefined
        ? this.#append(event, key, id)
        : this.#give(auditReceiver, event, key, id));
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

  /** Appends the line unless one of this id is there. Reads the whole log, which a receiver does not show. */
  async appendOnce(event: AuditEvent, key: SigningKey, id: string): Promise<void> {
    if (this.#machine.auditReceiver !== undefined) return this.append(event, key, id);
    const { holdsLine } = await import("./segments.ts");
    if (!holdsLine(this.#folder, id)) await this.append(event, key, id);
  }

  async #give(receiver: AuditReceiver, event: AuditEvent, key: SigningKey, id: string): Promise<void> {
    const line = this.#format(event, key, id, receiver.last);
    await receiver.write(line);
    receiver.last = digest(Buffer.from(line));
  }

  async #append(event: AuditEvent, key: SigningKey, id: string): Promise<void> {
    makeFolder(this.#folder);
    const fd = await this.#open();
    try {
      const { last, torn, size } = readTail(fd, this.path, this.#vault);
      const before = last ?? (await this.#lastMovedAway());
      const line = this.#format(event, key, id, before === undefined ? undefined : digest(before));
      const bytes = Buffer.from(`${torn ? "\n" : ""}${line}\n`);
      this.#write(fd, bytes);
      if (!holdsWhole(fd, size, bytes)) this.#write(fd, Buffer.from(`\n${line}\n`));
    } finally {
      closeSync(fd);
    }
  }

  #write(fd: number, bytes: Buffer): void {
    if (writeSync(fd, bytes) === bytes.length) return;
    throw new VaultError(
      "audit",
      `the disk took only part of the audit record: ${this.path}`,
      "free some space and run the command again",
    );
  }

  async #open(): Promise<number> {
    const fd = openSync(this.path, FLAGS, 0o600);
    if (fstatSync(fd).size < SEGMENT_BYTES) return fd;
    closeSync(fd);
    const { moveAway } = await import("./segments.ts");
    moveAway(this.#folder);
    return openSync(this.path, FLAGS, 0o600);
  }

  async #lastMovedAway(): Promise<Buffer | undefined> {
    const { lastLineMovedAway } = await import("./segments.ts");
    return lastLineMovedAway(this.#folder, this.#vault);
  }

  #format(event: AuditEvent, key: SigningKey, id: string, prev: string | undefined): string {
    const line = {
      ...event,
      v: 1,
      id,
      time: timestamp(this.#machine.now()),
      vault: this.#vault,
      key: keyFingerprint(key.verifyKey),
      host: this.#machine.host,
      uid: this.#machine.uid,
      ...(this.#commit === undefined ? {} : { commit: this.#commit }),
      ...(prev === undefined ? {} : { prev }),
    } as const;
    return formatAuditLine(line, key);
  }
}

/** `audit.jsonl` in the vault's state folder, or in VAULT_RUN_AUDIT_DIR. */
export function auditLogPath(machine: Machine, vault: VaultId): string {
  return `${auditFolder(machine, vault)}/${LOG_NAME}`;
}

/** The folder of the log: the vault's state folder, or VAULT_RUN_AUDIT_DIR. */
export function auditFolder(machine: Machine, vault: VaultId): string {
  const named = findVariable(machine, "VAULT_RUN_AUDIT_DIR");
  // A program that reads a vault may go to another folder meanwhile.
  return named === undefined ? stateFolder(machine, vault) : resolve(machine.cwd, named);
}
