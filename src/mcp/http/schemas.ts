import * as z from "zod";
import { auth, headers } from "./auth.ts";

// What the tool takes and gives: clients want to see it before anything else is loaded.

const MAX_BODY_CHARACTERS = 1024 * 1024;
const MAX_URL_CHARACTERS = 8192;
export const DEFAULT_TIMEOUT_S = 30;
const MAX_TIMEOUT_S = 300;

export const input = z.strictObject({
  method: z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
  url: z.string().max(MAX_URL_CHARACTERS).describe("https; its origin must be one that list_secrets shows"),
  headers: headers.optional(),
  body: z
    .string()
    .max(MAX_BODY_CHARACTERS)
    .optional()
    .describe("sent as it is, in UTF-8; set Content-Type yourself"),
  auth,
  timeout_s: z
    .number()
    .positive()
    .max(MAX_TIMEOUT_S)
    .optional()
    .describe(`for the whole call, in seconds (default: ${DEFAULT_TIMEOUT_S})`),
});

export const output = z.object({
  status: z.number(),
  headers: z.record(z.string(), z.string()).describe("masked"),
  body: z.string().describe("masked"),
  note: z
    .string()
    .optional()
    .describe("why the body is not there, or not whole, or a redirect was not followed"),
});

export type Input = z.infer<typeof input>;
