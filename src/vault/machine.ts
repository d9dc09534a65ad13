import { VaultError } from "../vault-error.ts";
import type { VaultId } from "./names.ts";
import type { Clock } from "./time.ts";

/** The first process of a container, or of any other namespace of processes. */
export const INIT = 1;

/** What the core may know of the process and host it runs in. Made once, at the program's edge. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  readonly host: string;
  readonly pid: number;
  readonly uid: number;
  readonly now: Clock;
  /** Asks the person at the terminal for an owner's passphrase. Absent where there is nobody to ask. */
  readonly askPassphrase?: (question: string) => Promise<Buffer>;
  /** Takes the audit log's lines in place of its file. */
  readonly auditReceiver?: AuditReceiver;
}

export interface AuditReceiver {
  /** The digest of the last line that this process gave it. */
  last?: string;
  /**
   * Takes a line, which has no line feed.
   *
   * @throws {VaultError} `audit` where it was not taken whole.
   */
  write(line: string): Promise<void>;
}

/** A variable's value. Set but empty is an error: a blank from a template must not mean "look elsewhere". */
export function findVariable(machine: Machine, variable: `VAULT_RUN_${string}`): string | undefined {
  const value = machine.env[variable];
  if (value !== "") return value;
  throw new VaultError("usage", `${variable} is set but empty`, `give it a value, or unset ${variable}`);
}

/** What an option names, or else a variable. An empty option would be the current folder, or a reason to look elsewhere. */
export function findNamed(
  machine: Machine,
  option: string | undefined,
  variable: `VAULT_RUN_${string}`,
): string | undefined {
  if (option !== "") return option ?? findVariable(machine, variable);
  throw new VaultError("usage", `what is named in place of ${variable} is empty`, "name it, or leave it out");
}

/** `$XDG_STATE_HOME/vault-run/<vault id>`: pins and the audit log. */
export function stateFolder(machine: Machine, vault: VaultId): string {
  return `${xdg(machine, "XDG_STATE_HOME", ".local/state")}/vault-run/${vault}`;
}

/** `$XDG_CONFIG_HOME/vault-run/<vault id>`: the key files that have no other place. */
export function configFolder(machine: Machine, vault: VaultId): string {
  return `${xdg(machine, "XDG_CONFIG_HOME", ".config")}/vault-run/${vault}`;
}

function xdg(machine: Machine, variable: string, fallback: string): string {
  const folder = machine.env[variable];
  // The specification says that a relative path there is invalid and is to be ignored.
  return folder?.startsWith("/") === true ? folder : `${machine.home}/${fallback}`;
}
