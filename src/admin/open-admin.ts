import { requireKnown } from "../known-options.ts";
import { findVaultRoot } from "../vault/find-vault.ts";
import type { Machine } from "../vault/machine.ts";
import { formatRef } from "../vault/names.ts";
import { shownPolicy } from "../vault/policy.ts";
import type { SecretRecord } from "../vault/schema.ts";
import type { Admin, AdminOptions, Applied, ApplyOptions, Exposed, Listing, Planned } from "./admin.ts";
import type { Change } from "./change.ts";
import { listAgents } from "./listings/agents.ts";
import { listSecrets } from "./listings/secrets.ts";
import { type Made, makerOf } from "./maker.ts";
import { operate } from "./operate.ts";
import { OwnerSession } from "./owner-session.ts";

export async function openAdminOn(
  machine: Machine,
  options: AdminOptions,
  warn: (text: string) => void,
): Promise<Admin> {
  const root = findVaultRoot(machine, options.vault);
  const { vault, self } = await OwnerSession.open(machine, root, options.ownerKeyFile);
  return new OpenAdmin(machine, root, options.ownerKeyFile, warn, vault.id, self.name);
}

class OpenAdmin implements Admin {
  readonly id: string;
  readonly owner: string;
  readonly #machine: Machine;
  readonly #root: string;
  readonly #ownerKeyFile: string | undefined;
  readonly #warn: (text: string) => void;

  constructor(
    machine: Machine,
    root: string,
    ownerKeyFile: string | undefined,
    warn: (text: string) => void,
    id: string,
    owner: string,
  ) {
    this.#machine = machine;
    this.#root = root;
    this.#ownerKeyFile = ownerKeyFile;
    this.#warn = warn;
    this.id = id;
    this.owner = owner;
  }

  async list(): Promise<Listing> {
    const machine = this.#machine;
    const { vault } = await OwnerSession.open(machine, this.#root, this.#ownerKeyFile);
    const groups = vault.groups();
    const all = groups.flatMap((group) => vault.secrets(group.name));
    const listing = {
      agents: listAgents(vault),
      groups: groups.map(({ name, policy }) => ({ name, policy: shownPolicy(policy) })),
      secrets: listSecrets(vault, all, machine.now()).map((secret) => ({
        ref: formatRef(secret),
        ...secret,
      })),
    };
    await vault.pin({ pid: machine.pid, host: machine.host, doing: "list" });
    return listing;
  }

  async plan(change: Change<unknown>): Promise<Planned> {
    const make = makerOf(change);
    const session = await OwnerSession.open(this.#machine, this.#root, this.#ownerKeyFile);
    return plannedOf(await make(session, this.#machine, () => {}));
  }

  async apply<Result>(change: Change<Result>, options: ApplyOptions = {}): Promise<Applied<Result>> {
    requireKnown(options, ["commit", "onProgress"]);
    const { commit = true, onProgress = () => {} } = options;
    const make = makerOf(change);
    const settings = { root: this.#root, ownerKeyFile: this.#ownerKeyFile, commit, doing: change.action };
    const narrator = { note: this.#warn, wrote: onProgress };
    let made: Made<Result> | undefined;
    const done = await operate(this.#machine, settings, narrator, async (session) => {
      made = await make(session, this.#machine, onProgress);
      return made.plan;
    });
    if (made === undefined) throw new TypeError("a change that was not planned");
    return { ...plannedOf(made), commit: done.commit ?? null, result: made.result };
  }
}

function plannedOf({ plan, exposed }: Made<unknown>): Planned {
  return {
    action: plan.event.action,
    message: plan.message,
    paths: plan.writes.map(({ path }) => path),
    rotate: exposed.map(exposedOf),
  };
}

function exposedOf(secret: SecretRecord): Exposed {
  return { ref: formatRef(secret), valueId: secret.valueId, setAt: secret.setAt };
}
