import { auditLogPath } from "../../audit/log.ts";
import { LogReading } from "../../audit/log-reading.ts";
import { byFingerprint, type Readers } from "../../audit/reader.ts";
import { type LogSource, localLog } from "../../audit/source.ts";
import { VerifiedBlocks } from "../../audit/verified-blocks.ts";
import { keyFingerprint } from "../../vault/fingerprint.ts";
import { findVariable, type Machine, stateFolder } from "../../vault/machine.ts";
import type { VaultId } from "../../vault/names.ts";
import { knownReaders } from "../known-readers.ts";
import type { OwnerSession } from "../owner-session.ts";
import { pushedLogs } from "../sharing/pushed-logs.ts";

export interface OpenedLogs {
  readonly reading: LogReading;
  readonly readers: Readers;
  /** The names of the logs. */
  readonly names: readonly string[];
}

/** This machine's log and what was pushed of this and others, to be read with an owner's key. */
export async function openLogs(machine: Machine, session: OwnerSession): Promise<OpenedLogs> {
  const pushed = await pushedLogs(session.vault.files.root);
  return openSources(machine, session, [...findLogs(machine, session.vault.id), ...pushed]);
}

export async function openSources(
  machine: Machine,
  { vault, identity, signingKey }: OwnerSession,
  logs: readonly LogSource[],
): Promise<OpenedLogs> {
  const key = keyFingerprint(signingKey.verifyKey);
  const readers = byFingerprint(await knownReaders(vault));
  const remembered = `${stateFolder(machine, vault.id)}/verified-log/${key}`;
  const verified = new VerifiedBlocks(remembered, vault.id, identity);
  const { host, uid } = machine;
  const reading = new LogReading(logs, { vault: vault.id, readers, verified, host, uid, key });
  return { reading, readers, names: logs.map(({ name }) => name) };
}

/** This machine's log. In a folder that VAULT_RUN_AUDIT_DIR names, lines of other vaults may stand in it. */
function findLogs(machine: Machine, vault: VaultId): LogSource[] {
  const path = auditLogPath(machine, vault);
  const isShared = findVariable(machine, "VAULT_RUN_AUDIT_DIR") !== undefined;
  return [localLog(path.slice(0, path.lastIndexOf("/")), isShared)];
}
