import { VaultError } from "../vault-error.ts";

// What the options of every function here have in common.

export interface AgentOptions {
  /** Who reads; otherwise VAULT_RUN_AGENT, or whoever the key file names. */
  readonly agent?: string | undefined;
  /** The folder that holds `.vault`; otherwise VAULT_RUN_VAULT, or the nearest one upwards from the current folder. */
  readonly vault?: string | undefined;
  /** The agent's key file; otherwise the places where the launcher looks, in its order. */
  readonly keyFile?: string | undefined;
  /** The key file's text itself, in place of a file. */
  readonly key?: string | undefined;
  /** What takes the audit log's lines in place of its file, as `--audit-to`; otherwise VAULT_RUN_AUDIT_TO. */
  readonly auditTo?: string | undefined;
  /**
   * Told what is no failure and should be known, for instance that the audit log could not be written where the vault's
   * policy lets that pass. Never called with a value. Without it node emits a warning (`process.on("warning")`).
   */
  readonly onWarning?: ((text: string) => void) | undefined;
}

export const AGENT_OPTIONS = ["agent", "vault", "keyFile", "key", "auditTo", "onWarning"] as const;

/** @throws {TypeError} where it is given and no text. */
export function requireText(value: unknown, what: string): void {
  if (value !== undefined && typeof value !== "string") throw new TypeError(`${what} is not a string`);
}

/** @throws {TypeError} where it is no list of texts. */
export function requireTextList(value: unknown, what: string): void {
  if (!Array.isArray(value) || !value.every((text) => typeof text === "string"))
    throw new TypeError(`${what} is not a list of strings`);
}

export function requireAgentOptions(options: AgentOptions): void {
  for (const name of ["agent", "vault", "keyFile", "key", "auditTo"] as const)
    requireText(options[name], name);
  if (options.onWarning !== undefined && typeof options.onWarning !== "function")
    throw new TypeError("onWarning is not a function");
  if (options.key === undefined || options.keyFile === undefined) return;
  throw new VaultError("usage", "key and keyFile exclude each other", "name one of them");
}

export function warnOf({ onWarning }: Pick<AgentOptions, "onWarning">): (text: string) => void {
  return onWarning ?? ((text) => process.emitWarning(text, "VaultWarning"));
}
