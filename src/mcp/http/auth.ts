import * as z from "zod";
import { secretName } from "../arguments.ts";

// Where a model may want a secret in a request, and what besides it may set itself.

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
/** What a header's value may hold (RFC 9110, section 5.5), of one byte each. */
export const FIELD_VALUE = /^[\x20-\x7e\x80-\xff]*$/;
/** What says whom the connection is with and where a message ends: a value in one of them would lead elsewhere. */
const OF_THE_CONNECTION = new Set([
  ...["host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer", "expect"],
  ...["keep-alive", "accept-encoding", "proxy-connection", "http2-settings"],
]);
/** What only `auth` sets. */
const AUTHENTICATING = new Set(["authorization", "proxy-authorization", "cookie"]);

const secret = secretName;
const token = z
  .string()
  .regex(TOKEN, "a header's name")
  .refine((name) => !OF_THE_CONNECTION.has(name.toLowerCase()), "a header that the connection sets");

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
    token.refine((name) => !AUTHENTICATING.has(name.toLowerCase()), "a header that `auth` sets"),
    z.string().max(8192).regex(FIELD_VALUE, "a header's value"),
  )
  .describe("further headers; none that authenticates");
