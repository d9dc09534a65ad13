import type { Secret } from "../../vault/secret.ts";
import { VaultError } from "../../vault-error.ts";
import { type Auth, FIELD_VALUE } from "./auth.ts";

// Where in a request a secret goes. The model says where, and this puts it there.

/** A request with its secret in place. */
export interface Placed {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * How the value is written where it goes, and what besides the value itself an echo of it would hold.
 *
 * @throws {VaultError} `bad-value` where it cannot stand there.
 */
export function placing(
  to: Auth,
  value: Secret,
): { readonly place: (url: URL) => Placed; readonly forms: string[] } {
  if (!value.isText()) throw unfit(value, "it is not text");
  const text = value.reveal();
  if (to.as === "query") {
    const form = new URLSearchParams({ v: text }).toString().slice(2);
    return { place: (url) => ({ url: withParameter(url, to.parameter, text), headers: {} }), forms: [form] };
  }
  const [name, content] = headerOf(to, text);
  // A header is sent as Latin-1, byte by byte: of UTF-8 that is the same bytes.
  const bytes = Buffer.from(content).toString("latin1");
  if (!FIELD_VALUE.test(bytes)) throw unfit(value, "it has line breaks or other control characters");
  const forms = to.as === "basic" ? [content.slice("Basic ".length)] : [];
  return { place: (url) => ({ url, headers: { [name]: bytes } }), forms };
}

function headerOf(to: Exclude<Auth, { as: "query" }>, text: string): [string, string] {
  switch (to.as) {
    case "bearer":
      return ["authorization", `Bearer ${text}`];
    case "basic":
      return ["authorization", `Basic ${Buffer.from(`${to.username}:${text}`).toString("base64")}`];
    case "header":
      return [to.header.toLowerCase(), `${to.prefix ?? ""}${text}`];
  }
}

/** In place of one of this name: the URL may be a redirect's, which has it already. */
function withParameter(url: URL, name: string, text: string): URL {
  const placed = new URL(url);
  placed.searchParams.set(name, text);
  return placed;
}

function unfit(value: Secret, why: string): VaultError {
  return new VaultError(
    "bad-value",
    `${value.ref} cannot be sent like that: ${why}`,
    "use it with run_with_secrets, as a file",
  );
}
