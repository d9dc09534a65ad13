import type { OwnerSession } from "../admin/owner-session.ts";
import type { Identity } from "../age/identity.ts";
import type { AgentSession } from "../launch/agent-session.ts";
import type { GroupName } from "../vault/names.ts";
import { openGrant, openGroup, openSecret } from "../vault/open-sealed.ts";
import type { Secret } from "../vault/secret.ts";
import type { Vault } from "../vault/vault.ts";
import { VaultError } from "../vault-error.ts";

// Every value that a key opens, to be looked for. What does not open is told and does not keep the others from being
// looked for: what is wrong with it is for `check` to say.

export interface OpenValue {
  readonly secret: Secret;
  readonly valueId: string;
}

export function ownerValues({ vault, identity }: OwnerSession, note: Note): Promise<OpenValue[]> {
  return openAll(
    vault,
    vault.groups(),
    ({ name }) => name,
    (group) => openGroup(group, identity),
    note,
  );
}

/** Also where a grant's or a value's time has passed: the agent still has it. */
export function agentValues({ vault, name, identity }: AgentSession, note: Note): Promise<OpenValue[]> {
  return openAll(
    vault,
    vault.grants(name),
    ({ group }) => group,
    (grant) => openGrant(grant, identity),
    note,
  );
}

type Note = (text: string) => void;

async function openAll<T>(
  vault: Vault,
  doors: readonly T[],
  groupOf: (door: T) => GroupName,
  open: (door: T) => Promise<Identity>,
  note: Note,
): Promise<OpenValue[]> {
  const values: OpenValue[] = [];
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      note(`not looked for: ${what} (${error.message})`);
    }
  };
  for (const door of doors) {
    const group = groupOf(door);
    await attempt(`the values of ${group}`, async () => {
      const identity = await open(door);
      for (const name of vault.takenNames(group)) {
        await attempt(`the value of ${group}/${name}`, async () => {
          const record = vault.findSecret({ group, name });
          if (record?.type === "secret")
            values.push({ secret: await openSecret(record, identity), valueId: record.valueId });
        });
      }
    });
  }
  return values;
}
