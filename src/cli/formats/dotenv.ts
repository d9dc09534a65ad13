import { Secret } from "../../vault/secret.ts";
import { VaultError } from "../../vault-error.ts";
import { type NamedValue, repeatedIn, requireFew, type Source, shownName } from "./source.ts";

// A .env file as node reads it, and as node reads it back. Node passes over what it does not understand; here that is an
// error, since it is most often a value of several lines without quotes, of which node would take the first line.

const LINE =
  /[ \t]*(?:#[^\n]*|(?:export[ \t]+)?([^=\n# \t](?:[^=\n#]*[^=\n# \t])?)[ \t]*=[ \t]*("[^"]*"|'[^']*'|`[^`]*`)?([^\n]*))?(?:\n|$)/y;
/** What node passes over without being a comment to anyone else: a # within a word, text behind the closing quote. */
const CUT_WORD = /^[^"'`#][^#]*(?<![ \t])#/;
const CUT_BEHIND_QUOTES = /^[ \t]*[^# \t]/;
const QUOTES = ["'", "`", '"', ""];

export function parseDotenv(text: string, where: string): Source {
  // Node drops carriage returns wherever they stand.
  const plain = text.replaceAll("\r", "");
  const assignments = assignmentsIn(plain, where);
  requireFew(assignments.length, where);
  const parsed = new Map(Object.entries(process.getBuiltinModule("node:util").parseEnv(plain)));
  const entries = [...parsed].map(([name, value]) => {
    return { name, value: new Secret(shownName(name), Buffer.from(value ?? "")) };
  });
  const last = new Map(assignments.map((assignment) => [assignment.name, assignment]));
  const unread = [...last.keys()].filter((name) => !parsed.has(name));
  const repeated = repeatedIn(assignments.map(({ name }) => name));
  return {
    entries,
    skipped: unread.map((name) => ({
      name: shownName(name),
      why: "node cannot read this name from a .env file",
    })),
    repeated: repeated.filter((name) => parsed.has(name)).map(shownName),
    cut: [...last.values()]
      .filter(({ name, isCut }) => isCut && parsed.has(name))
      .map(({ name }) => shownName(name)),
  };
}

interface Assignment {
  readonly name: string;
  /** Whether its value goes on where node ends it. */
  readonly isCut: boolean;
}

/** In the order they stand there. */
function assignmentsIn(text: string, where: string): Assignment[] {
  const found: Assignment[] = [];
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
    const [, name, quoted, rest = ""] = line;
    if (name === undefined) continue;
    found.push({ name, isCut: (quoted === undefined ? CUT_WORD : CUT_BEHIND_QUOTES).test(rest) });
  }
  return found;
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
