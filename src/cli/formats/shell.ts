import type { NamedValue } from "./source.ts";

/** For `eval` and `.` in any POSIX shell: within single quotes nothing has a meaning but the quote that ends them. */
export function formatShell(values: readonly NamedValue[]): string {
  return values
    .map(({ name, value }) => `export ${name}='${value.reveal().replaceAll("'", "'\\''")}'\n`)
    .join("");
}
