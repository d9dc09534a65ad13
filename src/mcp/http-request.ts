import type { IncomingMessage } from "node:http";
import { reportLeaks } from "../launch/leaks.ts";
import { parseSecretRef } from "../vault/names.ts";
import { isLoopbackHost } from "../vault/policy.ts";
import type { SecretRecord } from "../vault/schema.ts";
import { VaultError } from "../vault-error.ts";
import { type Answer, type Call, type Calls, result } from "./calls.ts";
import { allowedAddresses } from "./http/addresses.ts";
import { type Shown, show } from "./http/answer.ts";
import { exchange, failed } from "./http/exchange.ts";
import { type Placed, placing } from "./http/placement.ts";
import { DEFAULT_TIMEOUT_S, type Input } from "./http/schemas.ts";

const MAX_HOPS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Sends a request with a secret in it that the model names and never sees, to where its owner lets it go. */
export async function httpRequest(calls: Calls, args: Input, call: Call): Promise<Answer> {
  const { session } = call;
  const { allowLoopback } = calls.options;
  const ref = parseSecretRef(args.auth.secret);
  session.grants([ref.group]);
  const secret = session.vault.secret(ref);
  session.requireUnexpired(secret);
  const url = parseUrl(args.url, allowLoopback);
  requireOrigin(call, secret, url);
  const timeout = AbortSignal.timeout(Math.ceil((args.timeout_s ?? DEFAULT_TIMEOUT_S) * 1000));
  const signal = AbortSignal.any([call.signal, timeout]);
  try {
    // Before anything is opened: a request that goes nowhere is no pull.
    await allowedAddresses(url, allowLoopback, signal);
    const place = await calls.release(call, [secret], {}, ([value]) => {
      if (value === undefined) throw new TypeError("no value was opened");
      const placed = placing(args.auth, value);
      calls.seen.add(value, placed.forms);
      value.dispose();
      return placed.place;
    });
    return await send(calls, call, args, url, place, signal);
  } catch (error) {
    call.signal.throwIfAborted();
    const isRefusal = error instanceof VaultError && error.code !== "request-failed";
    if (!timeout.aborted || isRefusal) throw error;
    throw new VaultError("request-failed", "its time was over", "ask for less, or pass a longer timeout_s");
  }
}

function parseUrl(text: string, allowLoopback: boolean): URL {
  const url = URL.parse(text);
  if (url === null)
    throw new VaultError("usage", "url is no URL", "write it in full: https://api.example.org/v1/x");
  if (url.username !== "" || url.password !== "") {
    throw new VaultError(
      "usage",
      "url has a user or a password in it",
      "leave it out: `auth` places the secret",
    );
  }
  const isOwn = url.protocol === "http:" && isLoopbackHost(url.hostname) && allowLoopback;
  if (url.protocol !== "https:" && !isOwn)
    throw new VaultError("not-allowed", "a secret is sent over https alone", "use the https URL");
  url.hash = "";
  return url;
}

function requireOrigin({ session }: Call, { group }: SecretRecord, { origin }: URL): void {
  const origins = session.vault.group(group).policy.origins ?? [];
  if (origins.includes(origin)) return;
  throw new VaultError(
    "not-allowed",
    origins.length === 0
      ? `the owner lets no request have the secrets of ${group}`
      : `the owner lets the secrets of ${group} go to ${origins.join(", ")} alone`,
    `the owner allows another with: vault-run policy ${group} --allow-origin ${origin}`,
  );
}

async function send(
  calls: Calls,
  call: Call,
  args: Input,
  first: URL,
  place: (url: URL) => Placed,
  signal: AbortSignal,
): Promise<Answer> {
  const redaction = await calls.seen.redaction();
  let [url, method, body] = [first, args.method as string, args.body];
  for (let hop = 1; ; hop++) {
    // Every hop anew: names may have come to mean something else.
    const addresses = await allowedAddresses(url, calls.options.allowLoopback, signal);
    const placed = place(url);
    const sent = { ...placed, headers: { ...lowerCase(args.headers ?? {}), ...placed.headers } };
    const message = await exchange(sent, addresses, { method, body, signal });
    const next = redirectOf(message, url);
    if (next === undefined || next.origin !== first.origin || hop === MAX_HOPS) {
      const shown = await show(message, redaction, signal).catch((error) =>
        Promise.reject(failed(url, error)),
      );
      await reportLeaks(call.session, redaction.leaks(), { quiet: true }, undefined, calls.warn);
      return answer(
        message.statusCode ?? 0,
        shown,
        next === undefined ? undefined : redirectNote(next, first),
      );
    }
    message.destroy();
    if (becomesGet(message.statusCode, method)) [method, body] = ["GET", undefined];
    url = next;
  }
}

/** Where an answer leads; undefined where it leads nowhere. */
function redirectOf({ statusCode = 0, headers: { location } }: IncomingMessage, from: URL): URL | undefined {
  if (!REDIRECTS.has(statusCode) || location === undefined) return undefined;
  const next = URL.parse(location, from.href);
  if (next !== null) next.hash = "";
  return next ?? undefined;
}

/** As browsers do. */
function becomesGet(status: number | undefined, method: string): boolean {
  if (status === 303) return method !== "HEAD";
  return (status === 301 || status === 302) && method === "POST";
}

function redirectNote(next: URL, first: URL): string {
  return next.origin === first.origin
    ? `more than ${MAX_HOPS} redirects: the last one was not followed`
    : "the redirect leads to another origin and was not followed: the secret goes to the one it was allowed for";
}

function lowerCase(given: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(given).map(([name, value]) => [
    name.toLowerCase(),
    Buffer.from(value).toString("latin1"),
  ]);
  return Object.fromEntries(entries);
}

function answer(
  status: number,
  { headers: received, body, note }: Shown,
  redirect: string | undefined,
): Answer {
  const notes = [redirect ?? [], note === undefined ? [] : `body: ${note}`].flat().join("; ");
  const lines = Object.entries(received).map(([name, value]) => `${name}: ${value}`);
  const text = [`status ${status}`, ...(notes === "" ? [] : [notes]), ...lines, "", body].join("\n");
  return result(text, { status, headers: received, body, ...(notes === "" ? {} : { note: notes }) });
}
