import { Secret } from "../../vault/secret.ts";
import { VaultError } from "../../vault-error.ts";
import { type NamedValue, requireFew, type Source, shownName } from "./source.ts";

// A .env file as node reads it, and as node reads it back. Node passes over what it does not understand; here that is an
// error, since it is most often a value of several lines without quotes, of which node would take the first line.

const LINE =
  /[ \t]*(?:#[^\n]*|(?:export[ \t]+)?([^=\n# \t](?:[^=\n#]*[^=\n# \t])?)[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`)?[^\n]*)?(?:\n|$)/y;
const QUOTES = ["'", "`", '"', ""];

export function parseDotenv(text: string, where: string): Source {
  // Node drops carriage returns wherever they stand.
  const plain = text.replaceAll("\r", "");
  const names = namesIn(plain, where);
  requireFew(names.length, where);
  const parsed = new Map(Object.entries(process.getBuiltinModule("node:util").parseEnv(plain)));
  const entries = [...parsed].map(([name, value]) => {
    return { name, value: new Secret(shownName(name), Buffer.from(value ?? "")) };
  });
  const once = new Set<string>();
  const again = new Set<string>();
  for (const name of names) (once.has(name) ? again : once).add(name);
  const unread = [...once].filter((name) => !parsed.has(name));
  return {
    entries,
    skipped: unread.map((name) => ({
      name: shownName(name),
      why: "node cannot read this name from a .env file",
    })),
    repeated: [...parsed.keys()].filter((name) => again.has(name)).map(shownName),
  };
}

/** The name of every assignment, in the order they stand there. */
function namesIn(text: string, where: string): string[] {
  const names: string[] = [];
  for (let start = 0; start < text.length; start = LINE.lastIndex) {
    if (text[start] === "\n") {
      LINE.lastIndex = start + 1;
      continue;
    }
    LINE.lastIndex = start;
    const line = LINE.exec(text);
    if (line === null) {
      const number = text.slice(0, start).split("\n").length;
      throw new VaultError(
        "bad-value",
        `line ${number} is neither NAME=value nor a comment: ${where}`,
        "put a value of several lines in quotes; nothing was imported",
      );
    }
    if (line[1] !== undefined) names.push(line[1]);
  }
  return names;
}

/** @throws where node would not read a value back as it is. */
export function formatDotenv(values: readonly NamedValue[]): string {
  return values.map(({ name, value }) => assignment(name, value)).join("");
}

function assignment(name: string, secret: Secret): string {
  const value = secret.reveal();
  const { parseEnv } = process.getBuiltinModule("node:util");
  const lines = QUOTES.map((quote) => `${name}=${quote}${value}${quote}\n`);
  // What follows must stay what it is, too: a value that begins with a quote finds its end in a later line.
  const line = lines.find((candidate) => {
    const parsed = parseEnv(`${candidate}AFTER="'\`\n`);
    return parsed[name] === value && Object.keys(parsed).length === (name === "AFTER" ? 1 : 2);
  });
  if (line !== undefined) return line;
  throw new VaultError(
    "bad-value",
    `this value cannot be written in a .env file (its quotes, or a carriage return): ${secret.ref}`,
    "use --format json or shell, or do without a file: vault-run --agent NAME -- COMMAND",
  );
}
