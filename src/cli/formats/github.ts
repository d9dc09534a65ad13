import { randomBytes } from "node:crypto";
import { VaultError } from "../../vault-error.ts";
import type { NamedValue } from "./source.ts";

// GitHub Actions takes variables for later steps from the file that GITHUB_ENV names, and values to mask in the log from
// lines of a step's output. So there are two formats: what belongs in the file has no business in the log.

/** Lines for `>> "$GITHUB_ENV"`. The delimiter cannot be foreseen, so that no value can end itself and go on. */
export function formatGithub(values: readonly NamedValue[]): string {
  const delimiter = `end-${randomBytes(16).toString("hex")}`;
  return values
    .map(({ name, value }) => {
      refuseLocked(name, value.ref);
      return `${name}<<${delimiter}\n${value.reveal()}\n${delimiter}\n`;
    })
    .join("");
}

function refuseLocked(name: string, ref: string): void {
  if (name !== "NODE_OPTIONS") return;
  throw new VaultError(
    "bad-value",
    `GitHub lets no step set NODE_OPTIONS for later ones: ${ref}`,
    "set it in the step that needs it: vault-run --agent NAME -- COMMAND",
  );
}

/** Lines for the step's own output, which GitHub reads and does not show. It masks each line of a value as well. */
export function formatGithubMask(values: readonly NamedValue[]): string {
  return values.map(({ value }) => `::add-mask::${escaped(value.reveal())}\n`).join("");
}

function escaped(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
