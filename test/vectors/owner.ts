import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { initVault } from "../../src/admin/init.ts";
import { operate } from "../../src/admin/operate.ts";
import type { OwnerSession } from "../../src/admin/owner-session.ts";
import type { Plan } from "../../src/admin/plan.ts";
import { planAddAgent } from "../../src/admin/plans/add-agent.ts";
import { newOwner, planAddOwner } from "../../src/admin/plans/add-owner.ts";
import { planGrant } from "../../src/admin/plans/grant.ts";
import { planRekeyOwner } from "../../src/admin/plans/rekey-owner.ts";
import { planRemoveAgent } from "../../src/admin/plans/remove-agent.ts";
import { planRemoveOwner } from "../../src/admin/plans/remove-owner.ts";
import { planRevoke } from "../../src/admin/plans/revoke.ts";
import { planSet, type SetOptions } from "../../src/admin/plans/set.ts";
import { planUnset } from "../../src/admin/plans/unset.ts";
import type { Suite } from "../../src/age/identity.ts";
import { ownerKeyPath } from "../../src/vault/key-lookup.ts";
import type { Machine } from "../../src/vault/machine.ts";
import { parseAgentName, parseGroupName, parseSecretRef, type VaultId } from "../../src/vault/names.ts";
import { RecordFiles } from "../../src/vault/record-files.ts";
import { Secret } from "../../src/vault/secret.ts";
import type { Timestamp } from "../../src/vault/time.ts";

const silent = { note: () => {} };
const nothing = () => {};

/** An owner who makes a vault through the same plans as the verbs, at a time of its own. */
export class VectorOwner {
  /** Key files, by whose they are. */
  readonly keys: Record<string, string> = {};
  readonly machine: Machine;
  readonly root: string;
  #id = "" as VaultId;
  #nowMs = Date.parse("2026-01-01T00:00:00.000Z");

  constructor() {
    const home = mkdtempSync(join(tmpdir(), "vault-run-vectors-"));
    const now = () => this.#nowMs++;
    this.machine = { env: {}, cwd: home, home, host: "vectors", pid: process.pid, uid: 0, now };
    this.root = join(home, ".vault");
    for (const args of [
      ["init", "--quiet"],
      ["config", "user.name", "Ann"],
      ["config", "user.email", "ann@example.org"],
    ])
      execaSync("git", args, { cwd: home });
  }

  get id(): VaultId {
    return this.#id;
  }

  async init(suite: Suite): Promise<void> {
    const options = {
      root: this.root,
      commit: true,
      doing: "init",
      ownerName: "ann",
      suite,
      audit: "required",
    } as const;
    this.#id = (await initVault(this.machine, options, silent)).vault;
    this.#keepOwnKey("ann-first");
  }

  async change(makePlan: (session: OwnerSession) => Promise<Plan>): Promise<void> {
    this.#nowMs += 60_000;
    await operate(this.machine, { root: this.root, commit: true, doing: "vectors" }, silent, makePlan);
  }

  addAgent(name: string, description?: string): Promise<void> {
    return this.change(async (session) => {
      const { plan, keyFile } = await planAddAgent(session, parseAgentName(name), description);
      this.keys[name] = keyFile;
      return plan;
    });
  }

  removeAgent(name: string): Promise<void> {
    return this.change(
      async (session) => (await planRemoveAgent(session, parseAgentName(name), nothing)).plan,
    );
  }

  addOwner(name: string): Promise<void> {
    return this.change(async (session) => {
      const { owner, keyFile } = await newOwner(session, name);
      this.keys[name] = keyFile;
      return planAddOwner(session, owner, nothing);
    });
  }

  removeOwner(name: string): Promise<void> {
    return this.change(async (session) => (await planRemoveOwner(session, name, nothing)).plan);
  }

  async rekey(): Promise<void> {
    let text = "";
    await this.change(async (session) => {
      const { plan, keyFile } = await planRekeyOwner(session, nothing);
      text = keyFile;
      return plan;
    });
    writeFileSync(ownerKeyPath(this.machine, this.#id), text);
    this.#keepOwnKey("ann");
  }

  set(ref: string, value: string | Buffer, options: Partial<SetOptions> = {}): Promise<void> {
    return this.change(async (session) => {
      const secret = new Secret(ref, Buffer.from(value));
      return (await planSet(session, parseSecretRef(ref), secret, { unsafeName: false, ...options })).plan;
    });
  }

  unset(ref: string): Promise<void> {
    return this.change(async (session) => planUnset(session, parseSecretRef(ref)));
  }

  grant(agent: string, group: string, expiresAt?: string): Promise<void> {
    return this.change((session) =>
      planGrant(session, parseAgentName(agent), parseGroupName(group), expiresAt as Timestamp | undefined),
    );
  }

  revoke(agent: string, group: string): Promise<void> {
    return this.change(
      async (session) =>
        (await planRevoke(session, parseAgentName(agent), parseGroupName(group), nothing)).plan,
    );
  }

  /** Every record's file. */
  files(): Record<string, string> {
    const paths = new RecordFiles(this.root).paths().filter((path) => path.endsWith(".json"));
    return Object.fromEntries(paths.map((path) => [path, readFileSync(join(this.root, path), "utf8")]));
  }

  #keepOwnKey(name: string): void {
    this.keys[name] = readFileSync(ownerKeyPath(this.machine, this.#id), "utf8");
  }
}
