import type { CallToolResult, InputRequiredResult, ServerContext } from "@modelcontextprotocol/server";
import type * as z from "zod";
import type { AuditClient, AuditEvent } from "../audit/event.ts";
import { type AgentOptions, AgentSession } from "../launch/agent-session.ts";
import { SpawnFailure } from "../launch/child.ts";
import type { Orphans } from "../launch/orphans.ts";
import type { Protection } from "../launch/protection.ts";
import type { Machine } from "../vault/machine.ts";
import { formatRef, parseSecretRef, withoutControls } from "../vault/names.ts";
import type { SecretRecord } from "../vault/schema.ts";
import type { Secret } from "../vault/secret.ts";
import { VaultError } from "../vault-error.ts";
import type { AccessPage } from "./access-page.ts";
import { parseArguments } from "./arguments.ts";
import { RateLimit } from "./rate-limit.ts";
import { SeenValues } from "./seen-values.ts";

// What every call of a tool goes through: the vault as it is now, arguments, policy, rate, the audit record, and an answer
// in which a refusal is a tool's error that says what to do instead.

const CLIENT_INFO = "io.modelcontextprotocol/clientInfo";
const MAX_CLIENT_TEXT = 64;

export interface CallsOptions extends AgentOptions {
  /** How often a secret may be used within a minute. */
  readonly rate: number;
  /** Whether requests may go to this machine itself. */
  readonly allowLoopback: boolean;
}

export interface CallSurroundings {
  readonly machine: Machine;
  readonly protection: Protection;
  /** Who waits for processes without a parent, where that is for us to do. */
  readonly orphans: Orphans | undefined;
  readonly warn: (text: string) => void;
  /** What a client said of itself at the beginning, where it did not say it with the call. */
  readonly findClient: () => { readonly info: AuditClient | undefined; readonly capabilities: unknown };
}

/** What a tool's work is given. */
export interface Call {
  readonly session: AgentSession;
  readonly context: ServerContext;
  /** What the client said at the beginning that it can do; undefined where it says it with every call. */
  readonly clientCapabilities: unknown;
  /** Aborted when the client takes the call back, or is gone. */
  readonly signal: AbortSignal;
  /** What the audit log says of it besides. */
  readonly via: Pick<AuditEvent, "tool" | "client">;
}

export type Answer = CallToolResult | InputRequiredResult;

export class Calls {
  readonly options: CallsOptions;
  readonly machine: Machine;
  readonly protection: Protection;
  readonly orphans: Orphans | undefined;
  readonly seen = new SeenValues();
  readonly warn: (text: string) => void;
  /** The page for a person that was opened last. */
  page: Promise<AccessPage> | undefined;
  readonly #findClient: CallSurroundings["findClient"];
  readonly #rate: RateLimit;
  readonly #ending = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #releases: Promise<unknown> = Promise.resolve();

  constructor(options: CallsOptions, { machine, protection, orphans, warn, findClient }: CallSurroundings) {
    this.options = options;
    this.machine = machine;
    this.protection = protection;
    this.orphans = orphans;
    this.warn = warn;
    this.#findClient = findClient;
    this.#rate = new RateLimit(options.rate, machine.now);
  }

  /** A tool's handler. */
  handler<T extends z.ZodType>(
    tool: string,
    schema: T,
    work: (args: z.infer<T>, call: Call) => Promise<Answer>,
  ): (given: unknown, context: ServerContext) => Promise<Answer> {
    return (given, context) => {
      const answer = this.#answer(tool, schema, given, context, work);
      this.#running.add(answer);
      return answer.finally(() => this.#running.delete(answer));
    };
  }

  /** Takes every call back that is at work, and resolves when all have ended. */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.allSettled(this.#running);
  }

  /** Opens values for a call: counted, recorded, and looked for from now on in whatever goes back. One call at a time. */
  release<T>(
    { session, via, signal }: Call,
    secrets: readonly SecretRecord[],
    about: Pick<AuditEvent, "command">,
    prepare: (opened: readonly Secret[]) => T | Promise<T>,
  ): Promise<T> {
    this.#rate.use(secrets.map(formatRef));
    const released = this.#releases.then(async () => {
      signal.throwIfAborted();
      await this.#hideMemory();
      const { isTooShort } = await import("../redact/needles.ts");
      return session.release(secrets, { action: "mcp", ...about, ...via }, (opened) => {
        for (const value of opened) if (isTooShort(value.bytes())) requireRevealed(session, value);
        for (const value of opened) this.seen.add(value);
        return prepare(opened);
      });
    });
    this.#releases = released.catch(() => {});
    return released;
  }

  async #answer<T extends z.ZodType>(
    tool: string,
    schema: T,
    given: unknown,
    context: ServerContext,
    work: (args: z.infer<T>, call: Call) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      const { info, capabilities } = this.#findClient();
      const client = clientOf(context) ?? info;
      const via = { tool, ...(client === undefined ? {} : { client: shown(client) }) };
      const session = await AgentSession.open(this.machine, this.options, this.warn, via);
      this.seen.addIdentity(session.name, session.identity.reveal());
      const signal = AbortSignal.any([context.mcpReq.signal, this.#ending.signal]);
      const attempt = async () =>
        work(parseArguments(schema, given), {
          session,
          context,
          clientCapabilities: capabilities,
          signal,
          via,
        });
      return await session.recordingDenials(undefined, () => asVaultErrors(attempt), via);
    } catch (error) {
      return refusal(error);
    }
  }

  /** Values stay here for as long as the server runs: nobody else is to look. */
  #hideMemory(): Promise<void> {
    this.#hidden ??= (async () => {
      const { Libc } = await import("../launch/libc.ts");
      const libc = await Libc.load();
      if (typeof libc !== "string") this.protection.hide(libc);
    })();
    return this.#hidden;
  }
  #hidden: Promise<void> | undefined;
}

/** A value that cannot be found in what comes back would be shown by the first program that prints it. */
function requireRevealed({ vault }: AgentSession, value: Secret): void {
  const { group } = parseSecretRef(value.ref);
  if (vault.group(group).policy.reveal === true) return;
  throw new VaultError(
    "not-allowed",
    `${value.ref} is too short to be masked, and the owner does not let ${group} be shown to a model`,
    `a longer value can be used; otherwise the owner runs: vault-run policy ${group} --reveal`,
  );
}

/** A program that did not start is a refusal like others. */
async function asVaultErrors<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    throw error instanceof SpawnFailure ? error.reason : error;
  }
}

/** What a client of today says with every call. */
function clientOf({ mcpReq }: ServerContext): AuditClient | undefined {
  const info = (mcpReq.envelope as Readonly<Record<string, unknown>> | undefined)?.[CLIENT_INFO];
  if (typeof info !== "object" || info === null) return undefined;
  const { name, version } = info as { name?: unknown; version?: unknown };
  return { name: String(name ?? ""), version: String(version ?? "") };
}

/** By its own word: cut, and fit for a terminal. */
function shown({ name, version }: AuditClient): AuditClient {
  const cut = (text: string) => withoutControls(text.toWellFormed()).slice(0, MAX_CLIENT_TEXT);
  return { name: cut(name), version: cut(version) };
}

/** Of a defect only the kind is told: its message may quote anything. */
function refusal(error: unknown): CallToolResult {
  const text =
    error instanceof VaultError
      ? `refused (${error.code}): ${error.message}\nnext step: ${hintOf(error)}`
      : isAbort(error)
        ? "canceled: the call was taken back, and what it had started was ended"
        : `failed: a defect in vault-run (${error instanceof Error ? error.name : typeof error}); nothing is shown of it`;
  return { isError: true, content: [{ type: "text", text }] };
}

/** A model has no options to pass. */
function hintOf({ code, hint }: VaultError): string {
  return code === "expired" ? "ask the owner for a new one; request_access records that" : hint;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError");
}

/** A result for programs and for models: the same content, in words and in fields. */
export function result(text: string, structured: Record<string, unknown>): CallToolResult {
  return { content: [{ type: "text", text }], structuredContent: structured };
}
