import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkVault } from "../../src/admin/check/check.ts";
import { resolveMerge } from "../../src/admin/merge/resolve.ts";
import { operate } from "../../src/admin/operate.ts";
import type { OwnerSession } from "../../src/admin/owner-session.ts";
import type { Plan } from "../../src/admin/plan.ts";
import { type Synced, syncVault } from "../../src/admin/sync/sync.ts";
import { AgentSession } from "../../src/launch/agent-session.ts";
import type { Machine } from "../../src/vault/machine.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { VaultError } from "../../src/vault-error.ts";
import { keptTempFolder } from "../fixtures/temp-folder.ts";
import { git } from "../fixtures/vault.ts";

const silent = { note: () => {} };
const asking = { chooseOlder: async () => false, confirm: async () => {}, progress: () => {} };

/** A clone on a machine of its own: its own home, keys, pins and audit log. */
export class Clone {
  readonly machine: Machine;
  readonly root: string;

  constructor(bare: string, name: string, now: () => number) {
    const home = keptTempFolder();
    const repo = join(home, "repo");
    git(home, "clone", "--quiet", bare, repo);
    git(repo, "config", "user.name", name);
    git(repo, "config", "user.email", `${name}@example.org`);
    this.root = join(repo, ".vault");
    this.machine = { env: {}, cwd: repo, home, host: name, pid: process.pid, uid: 0, now };
  }

  git(...args: string[]): string {
    return git(this.machine.cwd, ...args);
  }

  putKey(from: string, to: string): void {
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
  }

  async change(makePlan: (session: OwnerSession) => Promise<Plan>): Promise<void> {
    await operate(this.machine, { root: this.root, commit: true, doing: "life" }, silent, makePlan);
  }

  /** @param key an agent's key file, for a machine without an owner's. */
  sync(key?: string): Promise<Synced> {
    const machine = key === undefined ? this.machine : { ...this.machine, env: { VAULT_RUN_KEY: key } };
    return syncVault(machine, { root: this.root }, silent, asking);
  }

  /** Merges a branch by plain git, and resolves where that is needed. */
  async merge(branch: string): Promise<void> {
    try {
      this.git("merge", "--quiet", "--no-edit", branch);
    } catch {
      // Conflicts: resolve finishes them.
    }
    const { staged } = await resolveMerge(this.machine, { root: this.root }, silent, asking);
    if (staged) this.git("commit", "--quiet", "--no-edit");
  }

  /** What is wrong, but for values to rotate. */
  async faults(): Promise<string[]> {
    const { findings } = await checkVault(this.machine, { root: this.root });
    return findings.filter(({ level }) => level === "error").map(({ kind, where }) => `${kind} ${where}`);
  }

  /** One value as an agent reads it, or the code of what it is refused with. */
  async read(keyFile: string, ref: string): Promise<string> {
    try {
      const machine = { ...this.machine, env: { VAULT_RUN_KEY: keyFile } };
      const session = await AgentSession.open(machine, { vault: this.root }, () => {});
      const { group, name } = parseSecretRef(ref);
      session.grants([group]);
      const record = session.vault.secret({ group, name });
      return await session.release([record], { action: "get" }, ([value]) => value!.bytes().toString());
    } catch (error) {
      if (error instanceof VaultError) return error.code;
      throw error;
    }
  }
}
