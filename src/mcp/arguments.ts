import * as z from "zod";
import { VaultError } from "../vault-error.ts";

// What a model sends. Each tool's schema is strict, so that there is no field in which a value could be handed over, and
// what does not fit is refused here, by words of ours: the SDK's would not be recorded.

const MASK = /(\[|%5b|\\u005b)REDACTED(:|%3a|\\u003a)/i;
const MAX_ISSUES = 3;
/** The one field whose own fields are of the model's choice. */
const NAMED_BY_MODEL = "headers";
// Code made for each schema at its first use takes longer than the few uses of a session.
z.config({ jitless: true });

/** @throws {VaultError} `usage`: never with what was sent. */
export function parseArguments<T extends z.ZodType>(schema: T, given: unknown): z.infer<T> {
  refuseMasks(given);
  const result = schema.safeParse(given ?? {});
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, MAX_ISSUES).map(describe);
  throw new VaultError(
    "usage",
    `arguments that do not fit: ${issues.join("; ")}`,
    "call the tool as its input schema says; a secret is named, GROUP/NAME, and its value is never an argument",
  );
}

/** A model that has seen a mask may take it for the value, and send it back. */
function refuseMasks(given: unknown): void {
  for (const text of stringsIn(given)) {
    if (!MASK.test(text)) continue;
    throw new VaultError(
      "usage",
      "an argument holds a mask, [REDACTED:…], which stands for a value that you are not shown",
      "leave it out and name the secret: in `secrets` for run_with_secrets, in `auth` for http_request",
    );
  }
}

function* stringsIn(value: unknown): Generator<string> {
  const waiting = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === "string") yield next;
    else if (typeof next === "object" && next !== null)
      for (const [key, part] of Object.entries(next)) waiting.push(key, part ?? "");
  }
}

function describe({ code, path, ...issue }: z.core.$ZodIssue): string {
  // The names in it were sent, as those of fields that are unknown, and may be anything.
  const own = path.includes(NAMED_BY_MODEL) ? path.slice(0, path.indexOf(NAMED_BY_MODEL) + 1) : path;
  const where = own.map((part) => (typeof part === "number" ? `[${part}]` : part)).join(".");
  const what = code === "unrecognized_keys" ? "a field that does not belong there" : issue.message;
  return where === "" ? what : `${where}: ${what}`;
}

const REF = /^[a-z0-9][a-z0-9._-]{0,63}\/[A-Za-z_][A-Za-z0-9_]{0,127}$/;

export const secretName = z
  .string()
  .regex(REF, "write it as GROUP/NAME, as list_secrets does")
  .describe("GROUP/NAME, as list_secrets gives it");
