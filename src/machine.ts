import { readFileSync } from "node:fs";
import type { Receiver } from "./launch/audit-receiver.ts";
import { type FoundDescriptor, inheritedDescriptors } from "./launch/inherited-descriptors.ts";
import { findVariable, type Machine } from "./vault/machine.ts";
import { systemCode, VaultError } from "./vault-error.ts";

// What the edges of this package (the command, and the modules that programs import) tell the core of the process they run
// in.

export function machineOf(process: NodeJS.Process): Machine {
  return {
    env: process.env,
    cwd: currentFolder(process),
    home: homeFolder(process),
    host: hostName(process),
    pid: process.pid,
    uid: process.getuid?.() ?? -1,
    now: Date.now,
  };
}

/** What takes the audit log's lines, where `--audit-to` or the variable for it names something else than the file. */
export async function findReceiver(
  machine: Machine,
  option: string | undefined,
  inherited: readonly FoundDescriptor[],
): Promise<Receiver | undefined> {
  const where = option ?? findVariable(machine, "VAULT_RUN_AUDIT_TO");
  if (where === undefined) return undefined;
  const { auditReceiver } = await import("./launch/audit-receiver.ts");
  return auditReceiver(where, machine.pid, machine.now, inherited);
}

/** The machine of a process that is not ours. Whatever that has open it may name for the audit log's lines. */
export async function machineOfCaller(
  process: NodeJS.Process,
  auditTo: string | undefined,
): Promise<Machine> {
  const machine = machineOf(process);
  const where = auditTo ?? findVariable(machine, "VAULT_RUN_AUDIT_TO");
  if (where === undefined) return machine;
  const receiver = await findReceiver(machine, where, inheritedDescriptors(machine.env));
  return receiver === undefined ? machine : { ...machine, auditReceiver: receiver };
}

/** As the system has it; node:os, which a launch would load for this alone, asks the same. */
function hostName(process: NodeJS.Process): string {
  try {
    return readFileSync("/proc/sys/kernel/hostname", "utf8").trim();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return process.getBuiltinModule("node:os").hostname();
  }
}

/** HOME where it is an absolute path, otherwise what the system knows: never a folder relative to where we stand. */
function homeFolder(process: NodeJS.Process): string {
  const { HOME } = process.env;
  if (HOME?.startsWith("/") === true) return HOME;
  try {
    return process.getBuiltinModule("node:os").userInfo().homedir;
  } catch (error) {
    throw new VaultError("usage", "there is no home folder: HOME is not an absolute path", "set HOME", {
      cause: error,
    });
  }
}

function currentFolder(process: NodeJS.Process): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new VaultError("usage", "the current folder no longer exists", "change to a folder that does", {
      cause: error,
    });
  }
}
