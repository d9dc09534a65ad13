import { requireKnown } from "../known-options.ts";
import type { AgentSession } from "../launch/agent-session.ts";
import { deliver, grantedSecrets } from "../launch/select.ts";
import { formatRef, parseSecretRef, type SecretRef } from "../vault/names.ts";
import type { SecretRecord } from "../vault/schema.ts";
import type { Secret } from "../vault/secret.ts";
import { VaultError } from "../vault-error.ts";
import { AgentKey } from "./agent-key.ts";
import { SecretEnvironment } from "./environment.ts";
import { AGENT_OPTIONS, type AgentOptions, requireTextList } from "./options.ts";

/** What is known of a secret without opening it. */
export interface SecretInfo {
  /** `GROUP/NAME`. */
  readonly ref: string;
  readonly group: string;
  readonly name: string;
  /** The variable that it is injected as, and how. */
  readonly variable: string;
  readonly deliver: "env" | "file";
  /** Another for every new value. */
  readonly valueId: string;
  /** Times are RFC 3339, UTC. */
  readonly setAt: string;
  readonly expiresAt: string | null;
  readonly description: string | null;
}

export interface GetOptions {
  /** Also take a value whose time has passed. */
  readonly allowExpired?: boolean | undefined;
}

export interface EnvOptions extends GetOptions {
  /** Only these secrets, `GROUP/NAME`. Without it: all that were granted, but for those that are delivered as files. */
  readonly only?: readonly string[] | undefined;
}

/** A vault, read with an agent's key. */
export interface AgentVault extends Disposable {
  /** The agent that reads. */
  readonly agent: string;
  /** The vault's id. */
  readonly id: string;
  /** @throws {VaultError} */
  get(ref: string, options?: GetOptions): Promise<Secret>;
  /**
   * The variables that a launch would give to a program.
   *
   * @throws {VaultError}
   */
  env(options?: EnvOptions): Promise<SecretEnvironment>;
  /** What was granted, by group and name. Opens nothing. */
  list(): Promise<SecretInfo[]>;
  /** The groups that were granted, by name. Opens nothing. */
  groups(): Promise<string[]>;
  /** Forgets the key: every later call is a TypeError. */
  close(): void;
}

/**
 * Opens a vault as an agent, with the key and the checks of the launcher. Every call then reads the vault as it is on disk
 * at that moment and verifies what it takes: what was pulled, revoked or has expired since counts. A value is handed over
 * only after the pull was written to the audit log.
 *
 * @throws {VaultError} whatever keeps a launch from starting.
 */
export async function openVault(options: AgentOptions = {}): Promise<AgentVault> {
  requireKnown(options, AGENT_OPTIONS);
  const key = await AgentKey.find(options);
  return key.use(({ name, vault }) => new OpenVault(key, name, vault.id));
}

class OpenVault implements AgentVault {
  readonly agent: string;
  readonly id: string;
  readonly #key: AgentKey;

  constructor(key: AgentKey, agent: string, id: string) {
    this.#key = key;
    this.agent = agent;
    this.id = id;
  }

  async get(ref: string, options: GetOptions = {}): Promise<Secret> {
    requireKnown(options, ["allowExpired"]);
    const wanted = parseRef(ref);
    return this.#use(async (session) => {
      session.grants([wanted.group]);
      const record = session.vault.secret(wanted);
      if (options.allowExpired !== true) session.requireUnexpired(record);
      const [secret] = await release(session, [record], (opened) => opened);
      if (secret === undefined) throw new TypeError("no value was opened");
      return secret;
    });
  }

  async env(options: EnvOptions = {}): Promise<SecretEnvironment> {
    requireKnown(options, ["only", "allowExpired"]);
    if (options.only !== undefined) requireTextList(options.only, "only");
    const only = options.only?.map(parseRef);
    return this.#use((session) => {
      const records = only === undefined ? inVariables(session) : named(session, only);
      if (options.allowExpired !== true) for (const record of records) session.requireUnexpired(record);
      const variables = deliver(records).map(({ variable }) => variable);
      return release(session, records, (opened) => {
        const secrets = opened.map((secret, at) => [variables[at] ?? "", requireText(secret)] as const);
        return new SecretEnvironment(new Map(secrets));
      });
    });
  }

  list(): Promise<SecretInfo[]> {
    return this.#look((session) => {
      return session.grants([]).flatMap(({ group }) => session.vault.secrets(group).map(infoOf));
    });
  }

  groups(): Promise<string[]> {
    return this.#look((session) => session.grants([]).map(({ group }) => group));
  }

  close(): void {
    this.#key.forget();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** What was seen is pinned, as with what was read. */
  #look<T>(see: (session: AgentSession) => T): Promise<T> {
    return this.#use(async (session) => {
      const seen = see(session);
      await session.pinSeen("list");
      return seen;
    });
  }

  /** What is refused is recorded. */
  #use<T>(act: (session: AgentSession) => T | Promise<T>): Promise<T> {
    return this.#key.use((session) => session.recordingDenials(undefined, () => act(session)));
  }
}

function release<T>(
  session: AgentSession,
  records: readonly SecretRecord[],
  prepare: (opened: readonly Secret[]) => T,
): Promise<T> {
  return session.release(records, { action: "sdk" }, prepare);
}

function inVariables(session: AgentSession): SecretRecord[] {
  return grantedSecrets(session, [], []).filter((record) => record.deliver === "env");
}

function named(session: AgentSession, refs: readonly SecretRef[]): SecretRecord[] {
  const records = refs.length === 0 ? [] : grantedSecrets(session, [], refs);
  const file = records.find((record) => record.deliver === "file");
  if (file === undefined) return records;
  throw new VaultError(
    "bad-value",
    `${formatRef(file)} is delivered as a file, not in a variable`,
    `take its bytes: (await vault.get("${formatRef(file)}")).bytes()`,
  );
}

function requireText(secret: Secret): Secret {
  if (secret.isText()) return secret;
  throw new VaultError(
    "bad-value",
    `${secret.ref} is binary and cannot stand in a variable`,
    `take its bytes: (await vault.get("${secret.ref}")).bytes()`,
  );
}

function parseRef(ref: unknown): SecretRef {
  if (typeof ref !== "string") throw new TypeError("a secret is named by a string, GROUP/NAME");
  return parseSecretRef(ref);
}

function infoOf(record: SecretRecord): SecretInfo {
  const { group, name, env, deliver: as, valueId, setAt, expiresAt = null, description = null } = record;
  return {
    ref: formatRef(record),
    group,
    name,
    variable: env ?? name,
    deliver: as,
    valueId,
    setAt,
    expiresAt,
    description,
  };
}
