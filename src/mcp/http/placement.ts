import * as z from "zod";
import type { Secret } from "../../vault/secret.ts";
import { VaultError } from "../../vault-error.ts";
import { secretName } from "../arguments.ts";

// Where in a request a secret goes. The model says where, and this puts it there.

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
/** What a header's value may hold (RFC 9110, section 5.5), of one byte each. */
const FIELD_VALUE = /^[\x20-\x7e\x80-\xff]*$/;
/** What belongs to the connection, and what only `auth` sets. */
const RESERVED = new Set([
  ...["host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer", "expect"],
  ...["keep-alive", "accept-encoding", "authorization", "proxy-authorization", "proxy-connection", "cookie"],
]);

const secret = secretName;
const token = z.string().regex(TOKEN, "a header's name");

export const auth = z
  .discriminatedUnion("as", [
    z.strictObject({ as: z.literal("bearer"), secret }),
    z.strictObject({
      as: z.literal("basic"),
      secret,
      username: z
        .string()
        .max(256)
        .regex(/^[^:\r\n\0]*$/)
        .describe("the secret is the password"),
    }),
    z.strictObject({
      as: z.literal("header"),
      secret,
      header: token.describe("its name, X-Api-Key say"),
      prefix: z
        .string()
        .max(64)
        .regex(FIELD_VALUE)
        .optional()
        .describe("what stands before the value: `token ` say"),
    }),
    z.strictObject({ as: z.literal("query"), secret, parameter: z.string().min(1).max(128) }),
  ])
  .describe("the secret, by its name, and where the server puts it: the value is never seen");
export type Auth = z.infer<typeof auth>;

export const headers = z
  .record(
    token.refine((name) => !RESERVED.has(name.toLowerCase()), "a header that the connection or `auth` sets"),
    z.string().max(8192).regex(FIELD_VALUE, "a header's value"),
  )
  .describe("further headers; none that authenticates");

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
