import { VaultError } from "../vault-error.ts";
import { isDescription, MAX_DESCRIPTION_BYTES } from "./schema.ts";

/** Checks what `--description` was given, or the option of that name. */
export function parseDescription(text: string | undefined): string | undefined {
  if (text === undefined || isDescription(text)) return text;
  throw new VaultError(
    "usage",
    `a description is one line of at most ${MAX_DESCRIPTION_BYTES} bytes, without control characters`,
    "shorten it; it is public, and stands in the repo as it is",
  );
}
