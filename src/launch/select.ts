import {
  formatRef,
  type GroupName,
  parseGroupName,
  parseSecretRef,
  parseVariableName,
  type SecretRef,
} from "../vault/names.ts";
import type { SecretRecord } from "../vault/schema.ts";
import { isUnsafeVariable } from "../vault/unsafe-names.ts";
import { VaultError } from "../vault-error.ts";
import type { AgentSession } from "./agent-session.ts";

/** What a launch may be told about which secrets it gets, as written on the command line. */
export interface SelectionOptions {
  readonly group: readonly string[];
  readonly only: readonly string[];
  /** `VAR=GROUP/NAME`. */
  readonly env: readonly string[];
  /** `VAR=GROUP/NAME`. */
  readonly file: readonly string[];
  /** `VAR=GROUP/NAME`. */
  readonly pipe: readonly string[];
  readonly allowExpired: boolean;
}

/** One secret under one variable. */
export interface Delivery {
  readonly secret: SecretRecord;
  readonly variable: string;
  readonly as: "env" | "file" | "pipe";
}

interface Mapping extends Pick<Delivery, "variable" | "as"> {
  readonly ref: SecretRef;
}

/**
 * Decides what is delivered under which variable. `--group` and `--only` narrow; `--env`, `--file` and `--pipe` name a
 * secret, which selects it too, and replace the variable it would have had.
 */
export function select(session: AgentSession, options: SelectionOptions): Delivery[] {
  const mappings = [
    ...options.env.map((text) => parseMapping(text, "env")),
    ...options.file.map((text) => parseMapping(text, "file")),
    ...options.pipe.map((text) => parseMapping(text, "pipe")),
  ];
  const only = options.only.map(parseSecretRef);
  const groups = options.group.map(parseGroupName);
  const secrets = grantedSecrets(
    session,
    groups,
    only,
    mappings.map((mapping) => mapping.ref),
  );
  if (!options.allowExpired) for (const secret of secrets) session.requireUnexpired(secret);
  return deliver(secrets, mappings);
}

/** Each secret under its variable, or those that `mappings` name for it: no two under one, and none that is unsafe. */
export function deliver(secrets: readonly SecretRecord[], mappings: readonly Mapping[] = []): Delivery[] {
  const deliveries = secrets.flatMap((secret) => deliveriesOf(secret, mappings));
  refuseCollisions(deliveries);
  for (const delivery of deliveries) refuseUnsafe(delivery);
  return deliveries;
}

/**
 * The secrets of the agent's live grants, each once: all of them, or those of `groups` and those in `only`, and besides
 * those `named` in another way.
 */
export function grantedSecrets(
  session: AgentSession,
  groups: readonly GroupName[],
  only: readonly SecretRef[],
  named: readonly SecretRef[] = [],
): SecretRecord[] {
  const whole =
    only.length > 0 && groups.length === 0 ? [] : session.grants(groups).map((grant) => grant.group);
  const single = [...only, ...named];
  if (whole.length === 0 && single.length === 0) {
    throw new VaultError(
      "not-granted",
      `${session.name} was granted nothing`,
      `ask the owner: vault-run grant ${session.name} GROUP`,
    );
  }
  if (single.length > 0) session.grants([...new Set(single.map((ref) => ref.group))]);
  const found = [
    ...whole.flatMap((group) => session.vault.secrets(group)),
    ...single.map((ref) => session.vault.secret(ref)),
  ];
  return [...new Map(found.map((secret) => [formatRef(secret), secret])).values()];
}

function deliveriesOf(secret: SecretRecord, mappings: readonly Mapping[]): Delivery[] {
  const own = mappings.filter((mapping) => formatRef(mapping.ref) === formatRef(secret));
  if (own.length > 0) return own.map(({ variable, as }) => ({ secret, variable, as }));
  return [{ secret, variable: secret.env ?? secret.name, as: secret.deliver }];
}

function refuseCollisions(deliveries: readonly Delivery[]): void {
  const taken = new Map<string, Delivery>();
  for (const delivery of deliveries) {
    const other = taken.get(delivery.variable);
    if (other !== undefined) {
      const [a, b] = [formatRef(other.secret), formatRef(delivery.secret)];
      throw new VaultError(
        "collision",
        `${a} and ${b} both want the variable ${delivery.variable}`,
        `give one of them another: --env OTHER_NAME=${b}`,
      );
    }
    taken.set(delivery.variable, delivery);
  }
}

function refuseUnsafe({ secret, variable }: Delivery): void {
  if (!isUnsafeVariable(variable) || secret.unsafeName === true) return;
  throw new VaultError(
    "unsafe-name",
    `${formatRef(secret)} may not be injected as ${variable}: that variable makes programs load code or change what they run`,
    `use another variable with --env, or have the owner set it with --unsafe-name`,
  );
}

function parseMapping(text: string, as: Delivery["as"]): Mapping {
  const equals = text.indexOf("=");
  if (equals === -1) {
    throw new VaultError("usage", `--${as} needs VAR=GROUP/NAME`, `for example: --${as} TOKEN=github/TOKEN`);
  }
  return { variable: parseVariableName(text.slice(0, equals)), ref: refOf(text.slice(equals + 1), as), as };
}

function refOf(place: string, as: Delivery["as"]): SecretRef {
  try {
    return parseSecretRef(place);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    // Most likely a value, of which that error shows the beginning: `--env` names a secret, it does not set a variable.
    throw new VaultError(
      "usage",
      `--${as} names a secret, VAR=GROUP/NAME, and takes no value`,
      `for example: --${as} TOKEN=github/TOKEN`,
    );
  }
}
