import { AgentSession, type AgentOptions as SessionOptions } from "../launch/agent-session.ts";
import { machineOfCaller } from "../machine.ts";
import { findVaultRoot } from "../vault/find-vault.ts";
import { parseKeyFile } from "../vault/key-file.ts";
import { agentOption, readAgentKey } from "../vault/key-lookup.ts";
import type { Machine } from "../vault/machine.ts";
import { RecordFiles } from "../vault/record-files.ts";
import { byClaimedId, readUnverifiedVault } from "../vault/unverified-vault.ts";
import { type AgentOptions, requireAgentOptions, warnOf } from "./options.ts";
import { permitted } from "./permission.ts";

const FROM_OPTION = "the option key";

// Not in a field of the object, which debuggers and crash reporters would show.
const keys = new WeakMap<AgentKey, SessionOptions>();

/** A vault and the key that reads it, both found once. */
export class AgentKey {
  readonly machine: Machine;
  readonly warn: (text: string) => void;

  private constructor(machine: Machine, warn: (text: string) => void) {
    this.machine = machine;
    this.warn = warn;
  }

  static find(options: AgentOptions): Promise<AgentKey> {
    requireAgentOptions(options);
    return permitted(() => AgentKey.#find(options));
  }

  static async #find(options: AgentOptions): Promise<AgentKey> {
    const machine = await machineOfCaller(process, options.auditTo);
    const vault = findVaultRoot(machine, options.vault);
    const unverified = readUnverifiedVault(new RecordFiles(vault));
    const { id } = unverified;
    const agent = agentOption(machine, options.agent);
    const { key: text, keyFile: file } = options;
    const found = byClaimedId(unverified, () =>
      text === undefined
        ? readAgentKey(machine, id, agent, file)
        : { keyFile: parseKeyFile(text, FROM_OPTION), from: FROM_OPTION },
    );
    const key = new AgentKey(machine, warnOf(options));
    // From here on the key is one for this vault: another that is put in its place is refused.
    const keyFile = { ...found.keyFile, vault: found.keyFile.vault ?? id };
    keys.set(key, { vault, agent, found: { ...found, keyFile } });
    return key;
  }

  /** Does something with the vault as it is on disk by now, verified. */
  use<T>(act: (session: AgentSession) => T | Promise<T>): Promise<T> {
    return permitted(async () => {
      const options = keys.get(this);
      if (options === undefined) throw new TypeError("the vault was closed");
      return act(await AgentSession.open(this.machine, options, this.warn));
    });
  }

  /** Forgets the key. */
  forget(): void {
    keys.delete(this);
  }
}
