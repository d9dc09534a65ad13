import type { SigningKey } from "../age/signing-key.ts";
import type { Machine } from "../vault/machine.ts";
import type { SecretRecord } from "../vault/schema.ts";
import type { Vault } from "../vault/vault.ts";
import { systemCode, VaultError, type VaultErrorCode } from "../vault-error.ts";
import type { AuditEvent } from "./event.ts";
import type { AuditLog } from "./log.ts";

const OF_THIS_MACHINE: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>(["audit", "disk", "locked"]);

/** Whether the machine failed, rather than the vault refused. */
function isMachineFailure(error: VaultError): boolean {
  return OF_THIS_MACHINE.has(error.code);
}

/**
 * What stands between opened values and their release, for every reader: pins what was read, then appends the pull to
 * the audit log. With the policy `required` a failure of either is final; with `best-effort` it is a warning, and so it is for
 * pins where the file system is read-only and the log goes elsewhere.
 */
export function recordPull(
  machine: Machine,
  vault: Vault,
  secrets: readonly SecretRecord[],
  event: AuditEvent,
  log: AuditLog,
  key: SigningKey,
  warn: (text: string) => void,
): Promise<void> {
  const pulled = secrets.map(({ group, name, valueId }) => ({ group, name, valueId }));
  return recordRelease(machine, vault, { ...event, secrets: pulled }, log, key, warn);
}

/** The same for what is no secret's value. */
export async function recordRelease(
  machine: Machine,
  vault: Vault,
  event: AuditEvent,
  log: AuditLog,
  key: SigningKey,
  warn: (text: string) => void,
): Promise<void> {
  await pinSeen(machine, vault, event.action, warn);
  await attempting(
    () => log.append(event, key),
    warn,
    () => !isRequired(vault),
  );
}

/** The pins alone, for who looks at a vault and releases nothing. */
export function pinSeen(
  machine: Machine,
  vault: Vault,
  doing: string,
  warn: (text: string) => void,
): Promise<void> {
  return attempting(
    () => vault.pin({ pid: machine.pid, host: machine.host, doing }),
    warn,
    (error) => !isRequired(vault) || hasNoDisk(machine, error),
  );
}

const isRequired = (vault: Vault): boolean => vault.record.policy.audit === "required";

async function attempting(
  step: () => Promise<void>,
  warn: (text: string) => void,
  mayFail: (error: VaultError) => boolean,
): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof VaultError) || !isMachineFailure(error) || !mayFail(error)) throw error;
    warn(error.message);
  }
}

/** A container whose log goes elsewhere because nothing can be written in it has no memory for pins either. */
function hasNoDisk({ auditReceiver }: Machine, { cause }: VaultError): boolean {
  return auditReceiver !== undefined && systemCode(cause) === "EROFS";
}

/**
 * Makes the attempt; where it is refused, that is recorded in the name of the key at hand, as far as the log can be
 * written: the refusal stands either way.
 *
 * @param who the agent, what was to be launched, and who asked for it.
 */
export async function recordingDenials<T>(
  log: AuditLog,
  key: SigningKey,
  who: Pick<AuditEvent, "agent" | "command" | "tool" | "client">,
  warn: (text: string) => void,
  attempt: () => T | Promise<T>,
): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    // Where the machine failed nobody was denied anything, and the log would most likely fail likewise.
    if (error instanceof VaultError && !isMachineFailure(error)) {
      try {
        await log.append({ action: "denied", reason: error.code, ...who }, key);
      } catch (failure) {
        if (!(failure instanceof VaultError)) throw failure;
        warn(failure.message);
      }
    }
    throw error;
  }
}
