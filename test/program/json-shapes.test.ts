import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { VERBS } from "../../src/cli/verbs.ts";
import { readPage } from "../fixtures/pages.ts";
import { Program } from "../fixtures/program.ts";
import { follow } from "../fixtures/story.ts";

// The shapes of JSON that docs/CLI.md shows, and what verbs print: each has what the other has, and of the same kinds.

type Shape =
  | { readonly kind: "object"; readonly fields: readonly Field[] }
  | { readonly kind: "list"; readonly of: Shape }
  | { readonly kind: "word"; readonly word: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "any" }
  | { readonly kind: "one of"; readonly shapes: readonly Shape[] };

interface Field {
  /** Several where there is one of these. Of a field that begins with … there may be any. */
  readonly names: readonly string[];
  readonly isOptional: boolean;
  readonly shape: Shape;
}

const ANY: Shape = { kind: "any" };

/** Reads a shape: JSON with words for what stands there, `"a" | "b"`, `"c"?` and `...what else`. */
class ShapeReader {
  #tokens: string[];

  constructor(text: string) {
    this.#tokens = text.match(/"[^"]*"|\.\.\.|[{}[\]:,|?]|[\w-]+/g) ?? [];
  }

  fields(): Field[] {
    const fields: Field[] = [];
    while (this.#tokens.length > 0 && this.#tokens[0] !== "}") {
      if (this.#take("...") || !this.#next().startsWith('"')) {
        // What stands elsewhere, or a word for any name.
        while (this.#tokens.length > 0 && !/^[,}]$/.test(this.#next())) this.#tokens.shift();
        fields.push({ names: ["…"], isOptional: true, shape: ANY });
      } else {
        const names = [this.#text()];
        while (this.#take("|")) names.push(this.#text());
        const isOptional = this.#take("?");
        fields.push({ names, isOptional, shape: this.#take(":") ? this.shape() : ANY });
      }
      this.#take(",");
    }
    return fields;
  }

  shape(): Shape {
    const shapes = [this.#one()];
    while (this.#take("|")) shapes.push(this.#one());
    const [only = ANY] = shapes;
    return shapes.length === 1 ? only : { kind: "one of", shapes };
  }

  #one(): Shape {
    if (this.#take("{")) {
      const fields = this.fields();
      this.#take("}");
      return { kind: "object", fields };
    }
    if (this.#take("[")) {
      const elsewhere = this.#take("...");
      const of = this.shape();
      while (elsewhere && this.#next() !== "]") this.#tokens.shift();
      this.#take("]");
      return { kind: "list", of: elsewhere ? ANY : of };
    }
    if (this.#next().startsWith('"')) return { kind: "text", text: this.#text() };
    const words: string[] = [];
    while (/^[\w-]+$/.test(this.#next())) words.push(this.#tokens.shift() ?? "");
    const [word = ""] = words;
    return word === "as" ? ANY : { kind: "word", word };
  }

  #next(): string {
    return this.#tokens[0] ?? "";
  }

  #take(token: string): boolean {
    if (this.#tokens[0] !== token) return false;
    this.#tokens.shift();
    return true;
  }

  #text(): string {
    return (this.#tokens.shift() ?? "").slice(1, -1);
  }
}

/** Where a value is not of a shape. */
function differences(value: unknown, shape: Shape, at: string): string[] {
  switch (shape.kind) {
    case "any":
      return [];
    case "text":
      return value === shape.text ? [] : [`${at} is no "${shape.text}"`];
    case "word": {
      const kind = ["number", "boolean"].includes(shape.word) ? shape.word : "string";
      const isOf = shape.word === "null" ? value === null : typeof value === kind;
      return isOf ? [] : [`${at} is no ${shape.word}`];
    }
    case "one of": {
      const each = shape.shapes.map((one) => differences(value, one, at));
      return each.some((found) => found.length === 0) ? [] : (each[0] ?? []);
    }
    case "list":
      if (!Array.isArray(value)) return [`${at} is no list`];
      return value.flatMap((item, index) => differences(item, shape.of, `${at}[${index}]`));
    case "object": {
      if (typeof value !== "object" || value === null) return [`${at} is no object`];
      const entries = Object.entries(value);
      const named = shape.fields.flatMap(({ names }) => names);
      return [
        ...entries.flatMap(([name]) =>
          named.includes("…") || named.includes(name) ? [] : [`${at}.${name} is not shown`],
        ),
        ...shape.fields.flatMap(({ names, isOptional, shape: of }) => {
          const [found] = entries.filter(([name]) => names.includes(name));
          if (found === undefined) return isOptional ? [] : [`${at}.${names.join("|")} is not there`];
          return differences(found[1], of, `${at}.${found[0]}`);
        }),
      ];
    }
  }
}

/** The shapes by the commands that they are of. */
function shownShapes(): Map<string, Shape> {
  const [, section = ""] = readPage("docs/CLI.md").split(/^## JSON$/m);
  const shapes = new Map<string, Shape>();
  let commands: string[] = [];
  for (const part of section.split("\n\n")) {
    const named = [...part.matchAll(/`([a-z][\w -]* --json)`/g)].map(([, command = ""]) => command);
    if (named.length > 0) commands = named;
    else if (part.startsWith("    {"))
      for (const command of commands) shapes.set(command, new ShapeReader(part).shape());
    else if (part.startsWith('    "'))
      for (const { names, shape } of new ShapeReader(part).fields()) shapes.set(names.join(), shape);
  }
  return shapes;
}

const shapes = shownShapes();
const LEAKY = 'printf "%s\\n" "$API_KEY"';

/** A vault in which every list has something. */
const template = await Program.template(async (made) => {
  const script = `
    vault-run init --classic
    for agent in crawler reader worker; do vault-run add-agent "$agent"; done
    printf value-one-of-the-key | vault-run set stripe/API_KEY --description key
    printf value-two-of-the-key | vault-run set stripe/API_KEY --expires 2d
    printf another-value | vault-run set mail/PASSWORD
    vault-run add-owner bea --out ../bea.key
    for agent in crawler reader worker; do vault-run grant "$agent" stripe --expires 90d; done
    vault-run policy stripe --allow-command gh --allow-origin https://api.example.org
    vault-run --agent crawler -- sh -c '${LEAKY}'
    vault-run --agent reader -- true
    vault-run --agent crawler --only mail/PASSWORD -- true || true
    vault-run revoke reader stripe
    printf 'sk_live_51Habcdefghijklmno' > note
    printf 'sk_live_52Habcdefghijklmno' > other
    fingerprint=$( (vault-run scan note --json || true) | jq -r '.findings[0].fingerprint')
    vault-run allow "$fingerprint" --reason example
    vault-run hook install
    echo torn >> "$(ls ../.local/state/vault-run/*/audit.jsonl)"
    vault-run unset mail/PASSWORD
    vault-run remove-owner bea
  `;
  const { status, stderr } = await follow(made, [script]);
  if (status !== 0) throw new Error(stderr);
  writeFileSync(join(made.repo, "README"), "nothing\n");
});

/** Each shape's command with what it is asked about. */
const WORDS: Readonly<Record<string, string>> = {
  "history --json": "history stripe/API_KEY --json",
  "policy --json": "policy stripe --json",
  "revoke --json": "revoke worker stripe --json",
  "remove-agent --json": "remove-agent worker --json",
  "rekey --json": "rekey worker --out ../worker.key --json",
  "remove-owner --json": "remove-owner cem --json",
  "scan --json": "scan note other --json",
  "audit --unpulled AGE --json": "audit --unpulled 90d --json",
};
/** A clock that is a year ahead. */
const IN_A_YEAR = "--import=data:text/javascript,const%20{now}=Date;Date.now=()=>now()+365*864e5";
const commands = [...shapes.keys()].filter((command) => command.endsWith("--json"));

describe("the JSON that docs/CLI.md shows", () => {
  it("is that of every verb that prints any", () => {
    const printing = VERBS.filter(({ options }) => options.some(({ flag }) => flag === "--json"));
    const shown = new Set(commands.map((command) => command.split(" ")[0]));
    expect([...shown].sort()).toEqual(printing.map(({ name }) => name).sort());
  });

  it.each(commands)("is what %s prints, no more and no less", async (command) => {
    const program = template.copy();
    if (command === "remove-owner --json") await program.must(["add-owner", "cem", "--out", "../cem.key"]);
    const env = command.includes("--unpulled") ? { NODE_OPTIONS: IN_A_YEAR } : {};
    const { stdout, stderr } = await program.run((WORDS[command] ?? command).split(" "), { env });
    expect(stdout, stderr).toMatch(/^\{/);
    const answer: Record<string, unknown> = JSON.parse(stdout);
    expect(differences(answer, shapes.get(command) ?? ANY, "")).toEqual([]);
    if (command.startsWith("audit"))
      for (const name of ["logs", "findings"])
        expect(differences(answer[name], shapes.get(name) ?? ANY, name)).toEqual([]);
    // Nothing is as shown only for want of something to show.
    const lists = Object.entries(answer).filter(([, value]) => Array.isArray(value));
    const empty = lists.flatMap(([name, value]) => ((value as unknown[]).length === 0 ? [name] : []));
    expect(empty).toEqual([]);
  });
});
