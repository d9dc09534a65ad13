import { globSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as sdkAdmin from "../src/admin/index.ts";
import { findLaunch } from "../src/cli/arguments.ts";
import { SAID } from "../src/cli/audit/findings.ts";
import { VERB_STATUS } from "../src/cli/exit-status.ts";
import { LAUNCH_OPTIONS } from "../src/cli/launch-options.ts";
import { GIVEN_VARIABLE, VARIABLES } from "../src/cli/manual.ts";
import { referencePage } from "../src/cli/reference-page.ts";
import { parseVerbRequest } from "../src/cli/verb-arguments.ts";
import { optionName, type Verb } from "../src/cli/verbs/verb.ts";
import { VERBS } from "../src/cli/verbs.ts";
import * as sdk from "../src/index.ts";
import * as sdkRedact from "../src/redact/index.ts";
import {
  anchorsOf,
  blocksOf,
  indentedBlocksOf,
  inlineCodeOf,
  linksOf,
  PAGES,
  ROOT,
  readPage,
  typedIn,
  vaultRunCommands,
} from "./fixtures/pages.ts";

const pages = PAGES.map((page) => [page] as const);
const everything = PAGES.map(readPage).join("\n");
const sources = [
  ...globSync(["src/**/*.ts", "python/src/**/*.py"], { cwd: ROOT }).map((path) => readPage(path)),
  readPage("bin/vault-run"),
].join("\n");

/** A word of each kind that is not one of `VAR=GROUP/NAME`, or may not be that. */
const SAMPLES: Readonly<Record<string, string>> = { MODE: "pty", POLICY: "kill" };
/** Options that pages name of other programs. */
const OF_OTHERS = new Set([
  "--allow-child-process",
  "--build",
  "--permission",
  "--prefix",
  "--secretlint",
  "--no-verify",
  "--unshallow",
]);
/** What a runtime calls, and names of types. */
const NOT_FOR_CALLERS = new Set(["constructor", "toString", "toJSON", "Environment", "ErrorCode"]);
/** What is made and not committed, or made by who follows an example. */
const MADE = /^(dist|bench\/\.cache|\.github\/workflows\/vault\.yml)(\/|$)/;

/** Which test in test/program runs the blocks of a page; those of examples have one each in test/examples. */
const RUN_BY: Readonly<Record<string, string>> = {
  "README.md": "readme",
  "docs/CLI.md": "pages",
  "docs/MCP.md": "pages",
  "docs/OPERATIONS.md": "operations",
  "docs/REDACTION.md": "pages",
  "docs/REFERENCE.md": "verb-examples",
  "docs/SDK.md": "readme",
  "docs/TERMINAL.md": "terminal-page",
  "docs/TUTORIAL.md": "tutorial",
  "python/README.md": "python",
};

/** The words in backquotes in the first column of a page's tables. */
function firstColumn(page: string): string[] {
  const cells = page
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.split("|")[1] ?? "");
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));
}

describe("the documentation", () => {
  it("explains every error code, with its status", () => {
    const page = readPage("docs/ERRORS.md");
    expect(firstColumn(page).sort()).toEqual(Object.keys(VERB_STATUS).sort());
    for (const [code, status] of Object.entries(VERB_STATUS))
      expect(page.includes(`\`${code}\` (2)`), code).toBe(status === 2);
  });

  it("shows launch options that the program takes, with as many words as it takes", async () => {
    const [, launching = ""] = readPage("docs/REFERENCE.md").split(/^## /m);
    const options = firstColumn(launching).filter((cell) => cell.startsWith("--"));
    expect(options.length).toBeGreaterThan(8);
    for (const option of options) {
      const [flag, value] = option.split(" ");
      const words = [flag ?? "", ...(value === undefined ? [] : [SAMPLES[value] ?? "X=g/N"]), "--", "true"];
      expect(() => findLaunch(words), option).not.toThrow();
      expect(
        throws(() => findLaunch([flag ?? "", "--", "true"])),
        option,
      ).toBe(value !== undefined);
    }
  });

  it("justifies every dependency", () => {
    const { devDependencies, optionalDependencies } = JSON.parse(readPage("package.json"));
    const page = readPage("docs/DEPENDENCIES.md");
    const listed = page
      .split("\n")
      .filter((line) => line.startsWith("| "))
      .flatMap((line) => (line.split("|")[1] ?? "").replace(/\(.*\)/, "").split(","));
    const names = listed.map((name) => name.trim()).filter((name) => name !== "package");
    expect(names.sort()).toEqual(Object.keys({ ...devDependencies, ...optionalDependencies }).sort());
  });
});

describe("docs/REFERENCE.md", () => {
  it("is what `npm run reference` makes of the program's own tables", () => {
    expect(readPage("docs/REFERENCE.md")).toBe(referencePage());
  });

  it("has every verb with all of its options, every launch option, and an example of each verb", () => {
    const page = readPage("docs/REFERENCE.md");
    const sections = new Map(
      page.split(/^##+ /m).map((section) => [section.split("\n")[0] ?? "", section] as const),
    );
    for (const verb of VERBS) {
      const section = sections.get(verb.name) ?? "";
      expect(firstColumn(section).map((cell) => cell.split(" ")[0])).toEqual(
        verb.options.map((option) => `--${optionName(option)}`),
      );
      const examples = section.split("```sh\n")[1] ?? "";
      expect(
        commandsOf(examples).some((words) => verbOf(words) === verb),
        verb.name,
      ).toBe(true);
    }
    expect(firstColumn(sections.get("Launching") ?? "").map((cell) => cell.split(" ")[0])).toEqual(
      expect.arrayContaining(Object.keys(LAUNCH_OPTIONS).map((name) => `--${name}`)),
    );
  });

  it("says of every option that may be repeated that it may be, and names the words that it can take", () => {
    const launch = Object.entries(LAUNCH_OPTIONS).map(([name, option]) => ({ flag: name, ...option }));
    for (const option of [...launch, ...VERBS.flatMap(({ options }) => options)]) {
      const repeats = "multiple" in option && option.multiple === true;
      expect(/repeatable/.test(option.about), option.flag).toBe(repeats);
      if ("choices" in option)
        for (const choice of option.choices ?? []) expect(option.about, option.flag).toContain(choice);
    }
  });
});

describe("what pages have people type", () => {
  it.each(pages)("in %s is taken by the program's own parser", (page) => {
    const inline = new Set(inlineCodeOf(page));
    for (const text of typedIn(page)) {
      for (const words of commandsOf(text))
        expect(problemOf(words, inline.has(text)), words.join(" ")).toBe(undefined);
    }
  });

  it("is looked at in blocks for shells, consoles, steps of jobs, blocks that are set in, and in the text", () => {
    const found = (page: string) =>
      typedIn(page)
        .flatMap(commandsOf)
        .map((words) => words.join(" "));
    expect(found("README.md")).toContain("set stripe/API_KEY --expires 90d");
    expect(found("README.md")).toContain(
      "--agent crawler --file PGPASSFILE=db/PGPASS -- psql -h db.example.org",
    );
    expect(found("docs/TERMINAL.md")).toContain("revoke crawler tenants");
    expect(found("docs/CLI.md")).toContain("export app --format github-mask");
    expect(found("docs/CLI.md")).toContain("check --base origin/${{ github.base_ref }}");
    expect(found("docs/CLI.md")).toContain("set stripe/API_KEY");
    expect(found("docs/OPERATIONS.md")).toContain("status --json");
  });

  it("is refused where the program would refuse it", () => {
    for (const command of ["frobnicate", "set", "set a/B --colour", "--agent a", "--colour x -- true"])
      expect(problemOf(command.split(" "), false), command).not.toBe(undefined);
    for (const command of ["audit --actoin x", "import a --format xml", "--tty never -- true"])
      expect(problemOf(command.split(" "), true), command).not.toBe(undefined);
  });

  it.each(pages)("in the text of %s are options of the verb before them, or of any", (page) => {
    const flags = new Set([
      ...Object.keys(LAUNCH_OPTIONS).map((name) => `--${name}`),
      ...VERBS.flatMap(({ options }) => options.map((option) => `--${optionName(option)}`)),
      ...["--help", "--version", "--"],
    ]);
    for (const code of inlineCodeOf(page)) {
      const [first = "", ...rest] = code.split(" ");
      if (/^--[a-z-]+$/.test(first) && !OF_OTHERS.has(first)) expect(flags, code).toContain(first);
      const hasOptions = rest.some((word) => word.startsWith("--"));
      if (hasOptions && verbOf([first, ...rest]) !== undefined)
        expect(problemOf([first, ...rest], true), code).toBe(undefined);
    }
  });

  it.each(pages)("in %s by npm is a script of package.json", (page) => {
    const own = page.startsWith("examples/") ? join(page, "../package.json") : "";
    const scripts = ["package.json", ...globSync(own, { cwd: ROOT })].flatMap((path) =>
      Object.keys(JSON.parse(readPage(path)).scripts),
    );
    for (const [, script] of readPage(page).matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g))
      expect(scripts).toContain(script);
  });
});

describe("what pages show to be run", () => {
  const shown = PAGES.filter((page) =>
    ["sh", "bash", "console", "js", "python"].some((language) => blocksOf(page, language).length > 0),
  );

  it.each(shown)("in %s is run by a test", (page) => {
    const [, example] = /^examples\/(.*)\/README\.md$/.exec(page) ?? [];
    const test = example === undefined ? `program/${RUN_BY[page]}` : `examples/${example}`;
    expect(readPage(`test/${test}.test.ts`)).toContain(example ?? page);
  });
});

describe("what pages name", () => {
  it.each(pages)("in %s and link to is there", (page) => {
    for (const { to, path, anchor } of linksOf(page)) {
      expect(globSync(path, { cwd: ROOT }), to).toHaveLength(1);
      if (anchor !== undefined) expect([...anchorsOf(path)], to).toContain(anchor);
    }
  });

  it.each(pages)("in %s as a file of this repository is there", (page) => {
    const top = new Set(globSync(["*", ".github"], { cwd: ROOT }));
    for (const code of inlineCodeOf(page)) {
      const isPath = /^[\w.-]+(\/[\w.*-]+)+\/?$/.test(code) && top.has(code.split("/")[0] ?? "");
      const isSource = /^[\w.-]+\.(ts|cjs|mjs|js|sh|py)$/.test(code);
      if ((!isPath && !isSource) || MADE.test(code)) continue;
      const anywhere = isPath ? "" : "{.,src,test,bench,scripts,python,examples}/**/";
      // Tests are named without what all of their names end with.
      const names = [code, `${code}.test.ts`, `${code}.py`].map((name) => anywhere + name);
      const found = globSync(names, { cwd: ROOT, exclude: ["node_modules/**", "**/.venv/**"] });
      expect(found.length, code).toBeGreaterThan(0);
    }
  });

  it("as rooms of the house are there, and none is left out", () => {
    const house = indentedBlocksOf("docs/CONTRIBUTING.md").find((block) => block.startsWith("bin/")) ?? "";
    const named = [...house.matchAll(/^( {2})?(\S+\/|\S+\.ts)(?= )/gm)].map(
      ([, inside, name = ""]) => `${inside === undefined ? "" : "src/"}${name.replace(/\/$/, "")}`,
    );
    expect(named.length).toBeGreaterThan(15);
    for (const path of named) expect(globSync(path, { cwd: ROOT }), path).toHaveLength(1);
    // index.ts names what it is made of, sdk/ among it.
    const rooms = globSync("src/*", { cwd: ROOT }).filter((path) => !named.includes(path));
    expect(rooms.filter((path) => !house.includes(path.slice("src/".length)))).toEqual([]);
  });

  it("as variables of vault-run's are those that it reads, and all of them are named", () => {
    const variablesIn = (text: string) =>
      new Set([...text.matchAll(/VAULT_RUN_[A-Z_]*[A-Z]/g)].map(([name]) => name));
    expect([...variablesIn(everything)].sort()).toEqual([...variablesIn(sources)].sort());
    const table = [...VARIABLES, GIVEN_VARIABLE].map(({ word }) => word);
    expect(table.filter((word) => word.startsWith("VAULT_RUN_")).sort()).toEqual(
      [...variablesIn(sources)].sort(),
    );
  });

  it("as exit statuses are all that the program has", () => {
    const constants = /^(?:export )?const (?:STATUS_\w+|DONE|REFUSED|USAGE|LAUNCH_FAILED) = (\d+);$/gm;
    const statuses = new Set([...sources.matchAll(constants)].map(([, status = ""]) => status));
    expect([...statuses].sort()).toEqual(["0", "1", "120", "125", "126", "127", "2"]);
    const page = readPage("docs/REFERENCE.md");
    for (const status of statuses) expect(page).toMatch(new RegExp(`(\`${status}\` \\||\\b${status} \\()`));
  });

  it("as findings and tools are all that there are", () => {
    const page = readPage("docs/CLI.md");
    const [, wrong = ""] = page.split("what is wrong with the lines is said at the end");
    expect(firstColumn(wrong.split("\n\n")[1] ?? "").sort()).toEqual(Object.keys(SAID).sort());

    const checks = globSync(["src/admin/check/*.ts", "src/cli/listings/check.ts"], { cwd: ROOT }).map(
      readPage,
    );
    const kinds = checks.flatMap((text) => [
      ...text.matchAll(/\bkind: (?:\w+ \? "([\w-]+)" : )?"([\w-]+)"/g),
    ]);
    const own = new Set(kinds.flatMap(([, ...names]) => names).filter((name) => name !== undefined));
    const [, shown = ""] = /`check --json`:([\s\S]*?)`opened`/.exec(page) ?? [];
    const listed = [...shown.matchAll(/`([a-z-]+)`/g)]
      .map(([, kind = ""]) => kind)
      .filter((kind) => kind !== "kind");
    expect(listed.sort()).toEqual([...own].filter((kind) => !Object.hasOwn(VERB_STATUS, kind)).sort());

    const scans = globSync(["src/scan/*.ts", "src/cli/commands/scan.ts"], { cwd: ROOT })
      .map(readPage)
      .join("\n");
    const rules = [...scans.matchAll(/\b(?:rule:|rule =|TOO_MANY =|match\(|structure\()\s*"([\w-]+)"/g)];
    expect(rules.length).toBeGreaterThan(8);
    for (const [, rule] of rules) expect(page).toContain(`\`${rule}\`: `);

    const tools = [...readPage("src/mcp/tools.ts").matchAll(/register\(\s*"(\w+)"/g)].map(([, tool]) => tool);
    expect(firstColumn(readPage("docs/MCP.md"))).toEqual(tools);
  });

  it("as parts of the modules are all that they have", () => {
    const page = readPage("docs/SDK.md") + readPage("docs/REDACTION.md");
    const parts = [sdk, sdkAdmin, sdkRedact].flatMap((module) => Object.keys(module));
    expect(parts.length).toBeGreaterThan(10);
    for (const part of parts) expect(page).toMatch(new RegExp(`\\b${part}\\b`));
  });

  it("as members of what the modules give are all that there are", () => {
    const page = readPage("docs/SDK.md") + readPage("docs/REDACTION.md");
    const given: readonly (readonly [file: string, type: string, called: string])[] = [
      ["sdk/agent-vault", "interface AgentVault ", "vault"],
      ["sdk/environment", "class SecretEnvironment ", "env"],
      ["vault/secret", "class Secret ", "secret"],
      ["admin/admin", "interface Admin ", "admin"],
      ["redact/redactor", "interface Redactor ", "redactor"],
      ["redact/redactor", "interface RedactedStream ", "stream"],
    ];
    for (const [file, type, called] of given) {
      const [, body = ""] = readPage(`src/${file}.ts`).split(`export ${type}`);
      const members = body.split(/^}$/m)[0]?.matchAll(/^ {2}(?:readonly )?([a-z]\w*)(?=[<(:])/gm) ?? [];
      const names = [...members].map(([, name = ""]) => name).filter((name) => !NOT_FOR_CALLERS.has(name));
      expect(names.length, type).toBeGreaterThan(1);
      for (const name of names) expect(page, type).toMatch(new RegExp(`\\b${called}\\.${name}\\b`));
    }
  });

  it("as members and options of the Python package are all that there are", () => {
    const page = readPage("python/README.md");
    const code = [...page.matchAll(/`[^`]+`|```python[\s\S]*?```/g)].join("\n");
    const file = (path: string) => readPage(`python/src/vault_run/${path}.py`);
    const [, all = ""] = /^__all__ = \[(.*)\]$/m.exec(file("__init__")) ?? [];
    const [, fields = ""] = file("vault").split(/^class SecretInfo.*:$|^class Vault:$/m);
    const names = [
      ...[...all.matchAll(/"(\w+)"/g)]
        .map(([, name]) => name)
        .filter((name) => !NOT_FOR_CALLERS.has(name ?? "")),
      ...[...fields.matchAll(/^ {4}(\w+): /gm)].map(([, name]) => name),
      ...["vault", "async_vault", "secret", "redact/redactor", "redact/stream"].flatMap((path) =>
        [...file(path).matchAll(/^ {4}(?:async )?def ([a-z]\w*)\(/gm)].map(([, name]) => name),
      ),
      ...[...file("__main__").matchAll(/add_argument\("(--[a-z-]+)"/g)].map(([, name]) => name),
    ];
    expect(names.length).toBeGreaterThan(30);
    for (const name of names) expect(code).toMatch(new RegExp(`(?<![\\w-])${name}\\b`));
  });

  it("as options of a function are all that it takes, in one place", () => {
    const page = readPage("docs/SDK.md");
    const places = page.split("\n\n").flatMap((part) => (part.startsWith("|") ? part.split("\n") : [part]));
    const lists = [
      ...sources.matchAll(/requireKnown\(\w+, \[([^\]]*)\]\)|const (?:NEW_VAULT)_OPTIONS = \[([^\]]*)\]/g),
    ];
    expect(lists.length).toBeGreaterThan(8);
    for (const [, given, named = given] of lists) {
      const words = [...(named ?? "").matchAll(/"(\w+)"/g)].map(([, word = ""]) => word);
      const together = places.filter((place) =>
        words.every((word) => new RegExp(`\\b${word}\\b`).test(place)),
      );
      expect(together.length, words.join()).toBeGreaterThan(0);
    }
    const words = /const (?:AGENT_OPTIONS|RUN_OPTIONS|LISTS|PLACES|SWITCHES|OUTPUTS) = \[([^\]]*)\]/g;
    const options = [...sources.matchAll(words)].flatMap(([, list = ""]) => [...list.matchAll(/"(\w+)"/g)]);
    expect(options.length).toBeGreaterThan(20);
    for (const [, option] of options) expect(page).toContain(`\`${option}\``);
  });
});

/** Without what stands for words in a usage: `<agent>` is one, `[path...]`, `[options]` and `…` are none. */
function commandsOf(text: string): string[][] {
  return vaultRunCommands(text).map((words) => {
    const end = words.includes("--") ? words.indexOf("--") : words.length;
    const own = words.slice(0, end).filter((word) => !/^(\[.*\]|…|\.\.\.)$/.test(word));
    const named = own.map((word) => (word === "VERB" ? "status" : word.replace(/^<(.*)>$/, "$1")));
    return [...named, ...words.slice(end)];
  });
}

function verbOf([first = "", second = ""]: readonly string[]): Verb | undefined {
  return VERBS.find(({ name }) => name === `${first} ${second}`) ?? VERBS.find(({ name }) => name === first);
}

/**
 * Why the program would not take these words.
 *
 * @param isMention in a sentence, where a verb may stand without what it takes: only its options and their words count.
 */
function problemOf(words: readonly string[], isMention: boolean): string | undefined {
  if (words.length === 0) return undefined;
  const verb = words[0]?.startsWith("-") === true ? undefined : verbOf(words);
  try {
    if (findLaunch(words) === undefined && !(isMention && verb !== undefined)) parseVerbRequest(words);
  } catch (error) {
    const { message } = error as Error;
    if (!isMention || !message.startsWith("no -- before")) return message;
  }
  for (const [at, word] of words.slice(0, verb === undefined ? 0 : words.length).entries()) {
    if (!word.startsWith("--") || ["--", "--help"].includes(word)) continue;
    const [flag = "", value = words[at + 1] ?? ""] = word.split("=");
    const option = verb?.options.find((known) => `--${optionName(known)}` === flag);
    if (option === undefined) return `no such option: ${flag}`;
    const isOther = option.choices?.includes(value) === false && !/^[A-Z]*$/.test(value);
    if (isOther) return `${flag} does not take ${value}`;
  }
  return undefined;
}

function throws(attempt: () => unknown): boolean {
  try {
    attempt();
    return false;
  } catch {
    return true;
  }
}
