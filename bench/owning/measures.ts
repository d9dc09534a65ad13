import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import type { Suite } from "../../src/age/identity.ts";
import type { Bench } from "../redact/bench.ts";
import { yesNo } from "../redact/table.ts";
import { NAMES, SECRETS } from "./secrets.ts";
import { filesWith, type Keeping, Place, type Server, type Step, type Tool } from "./tool.ts";

// What is asked of each tool. An answer is a few words for a table's cell, and each but "not offered" is what happened in a
// repository that was made for it.

const NOT_OFFERED = "not offered";
const [FIRST = "", SECOND = ""] = NAMES;
const [FIRST_VALUE = "", SECOND_VALUE = ""] = SECRETS.map(({ value }) => value);
const LAST = NAMES.at(-1) ?? "";
const NEW_VALUE = "Quay9-basalt-7731-kestrel-ovoid";
const OTHER_VALUE = "Reef4-cobalt-1187-heron-tallow";
/** Of the form that GitHub gives its tokens, put together here so that nobody takes it for one. */
const TOKEN = ["ghp", "4eQq1Zr8mYt0Lk2Vw7Xc9Bn3Sd5Fg61Jh2Pa"].join("_");

export type Measure = (tool: Tool) => Promise<string>;

export function measuresOf(bench: Bench): Readonly<Record<string, Measure>> {
  const laid = new Map<string, Keeping>();
  let copies = 0;
  /** Laid once for each tool and suite, and copied for each question. */
  const keep = async (tool: Tool, suite: Suite = "classic"): Promise<Keeping> => {
    const name = `${tool.name}-${suite}`;
    const original = laid.get(name) ?? (await lay(tool, await Place.make(bench, name, suite)));
    laid.set(name, original);
    const keeping = tool.keep(original.place.copy(`${name}-${copies++}`));
    keeping.added = original.added;
    return keeping;
  };

  /** What the reader is given after someone without a key has been at the repository. */
  const given = async (
    tool: Tool,
    change: (keeping: Keeping) => Promise<void> | void,
    expected: string,
  ): Promise<string> => {
    const keeping = await keep(tool);
    await change(keeping);
    keeping.commit();
    const got = await keeping.read(FIRST, "reader");
    if (got !== undefined && got !== expected) throw new Error(`${tool.name} gave another value`);
    return got === undefined ? "refused" : "given";
  };

  const committed = async (tool: Tool, file: string, content: string): Promise<string> => {
    const keeping = await keep(tool);
    if (keeping.guard === undefined) return NOT_OFFERED;
    keeping.guard();
    const commit = (name: string, text: string) => {
      keeping.write(name, text);
      const added = keeping.say("owner", ["git", "add", "--force", name]);
      return added.status === 0
        ? keeping.say("owner", ["git", "commit", "--quiet", "--message", "x"])
        : added;
    };
    const harmless = commit("notes.txt", "nothing of interest\n");
    if (harmless.status !== 0) throw new Error(`${tool.name} stops every commit: ${harmless.text}`);
    return commit(file, content).status === 0 ? "passes" : "stopped";
  };

  const answered = async (
    tool: Tool,
    ask: (server: Server) => ReturnType<Server["get"]> | undefined,
  ): Promise<string> => {
    const keeping = await keep(tool);
    const server = keeping.server?.();
    const question = server && ask(server);
    if (server === undefined || question === undefined) return NOT_OFFERED;
    const { text: answer, isError } = await call(keeping, server, question);
    if (isError) return "refused";
    const encoded = Buffer.from(FIRST_VALUE).toString("base64").slice(0, 40);
    return answer.includes(FIRST_VALUE) || answer.replaceAll(/\\n|\s/g, "").includes(encoded)
      ? "shown"
      : "not shown";
  };

  const merged = async (tool: Tool, one: string, other: string): Promise<string> => {
    const keeping = await keep(tool);
    const branch = keeping.git("branch", "--show-current").stdout.trim();
    keeping.git("checkout", "--quiet", "-b", "side");
    keeping.set(one, NEW_VALUE);
    keeping.commit();
    keeping.git("checkout", "--quiet", branch);
    keeping.set(other, OTHER_VALUE);
    keeping.commit();
    const { status } = keeping.say("owner", ["git", "merge", "--quiet", "--no-edit", "side"]);
    if (status !== 0) return "conflict";
    const values = [await keeping.read(one, "reader"), await keeping.read(other, "reader")];
    return values[0] === NEW_VALUE && values[1] === OTHER_VALUE ? "clean" : "merged, and unreadable";
  };

  return {
    "a reader with a key of their own is added by": async (tool) => stepsOf((await keep(tool)).added),
    "and taken out by": async (tool) => stepsOf((await keep(tool)).removeReader?.()),
    "which changes files": async (tool) => {
      const keeping = await keep(tool);
      const before = headOf(keeping);
      if (keeping.removeReader?.() === undefined) return NOT_OFFERED;
      keeping.commit();
      return `${keeping.git("diff", "--name-only", before, "HEAD").stdout.trim().split("\n").length}`;
    },
    "their key then opens what is in HEAD": async (tool) => {
      const keeping = await keep(tool);
      if (keeping.removeReader?.() === undefined) return NOT_OFFERED;
      return yesNo((await keeping.read(FIRST, "reader")) !== undefined);
    },
    "their key opens what is set next": async (tool) => {
      const keeping = await keep(tool);
      if (keeping.removeReader?.() === undefined) return NOT_OFFERED;
      keeping.set(FIRST, NEW_VALUE);
      return yesNo((await keeping.read(FIRST, "reader")) !== undefined);
    },
    "names what they could read, of 10": async (tool) => {
      const keeping = await keep(tool);
      const steps = keeping.removeReader?.();
      if (steps === undefined) return NOT_OFFERED;
      const named = namesIn(steps.map(({ said }) => said?.text ?? "").join("\n"));
      if (keeping.worklist === undefined) return named === 0 ? "none" : `${named}, once`;
      keeping.set(FIRST, NEW_VALUE);
      return `${named}; after a new value ${namesIn(keeping.worklist())}`;
    },
    "two values exchanged between names": (tool) =>
      given(tool, (keeping) => keeping.swap(FIRST, SECOND), SECOND_VALUE),
    "an older value put back": (tool) =>
      given(
        tool,
        async (keeping) => {
          const before = headOf(keeping);
          keeping.set(FIRST, NEW_VALUE);
          keeping.commit();
          if ((await keeping.read(FIRST, "reader")) !== NEW_VALUE)
            throw new Error(`${tool.name} does not give the new value`);
          keeping.git("checkout", "--quiet", before, "--", ".");
        },
        FIRST_VALUE,
      ),
    "a value of somebody's without a key": (tool) =>
      given(tool, (keeping) => keeping.forge(FIRST, NEW_VALUE), NEW_VALUE),
    "a reader whom somebody without a key added": async (tool) => {
      const answers = new Map<string, string>();
      for (const way of Object.keys((await keep(tool)).ways())) {
        const keeping = await keep(tool);
        if (keeping.intrude === undefined) return NOT_OFFERED;
        await keeping.intrude();
        keeping.commit();
        const said = keeping.ways()[way]?.(FIRST, NEW_VALUE);
        const reads = (await keeping.read(FIRST, "outsider")) === NEW_VALUE;
        answers.set(way, reads ? "reads it" : said?.status === 0 ? "does not read it" : "set is refused");
      }
      return [...answers].map(([way, answer]) => `${way} ${answer}`.trim()).join("; ");
    },
    "a read leaves a record of who": async (tool) => {
      const keeping = await keep(tool);
      const state = () => {
        const paths = filesWith(keeping.place, FIRST);
        return paths.map((path) => `${path} ${readFileSync(path).toString("base64")}`).join("\n");
      };
      const before = state();
      await keeping.read(FIRST, "reader");
      if (before === state()) return "no";
      return keeping.record?.(FIRST).includes("reader") === true ? "yes" : "not of who";
    },
    "two branches, two secrets far apart": (tool) => merged(tool, FIRST, LAST),
    "two branches, two neighbours": (tool) => merged(tool, FIRST, SECOND),
    "a commit with a value of the vault's": (tool) => committed(tool, "notes.txt", `seen: ${FIRST_VALUE}\n`),
    "the same in base64": (tool) => {
      const encoded = Buffer.from(`seen: ${FIRST_VALUE}`).toString("base64");
      return committed(tool, "notes.txt", `${encoded}\n`);
    },
    "a commit with a `.env` file of plain values": (tool) =>
      committed(tool, ".env.production", `${FIRST}=${OTHER_VALUE}\n`),
    "a commit with a token of GitHub's form": (tool) => committed(tool, "notes.txt", `seen: ${TOKEN}\n`),
    "a new value is given": async (tool) => {
      const keeping = await keep(tool);
      keeping.set(FIRST, NEW_VALUE);
      return keeping.wayOf(NEW_VALUE);
    },
    "post-quantum keys": async (tool) => {
      if (!tool.suites) return NOT_OFFERED;
      return keep(tool, "pq").then(
        () => "yes",
        (error: Error) => (error.message.includes("age-plugin-pq") ? "with age's plugin" : "no"),
      );
    },
    "a model asks its server for a value": (tool) => answered(tool, (server) => server.get(FIRST)),
    "a model has a program print it": (tool) =>
      answered(tool, (server) => server.run?.(["printenv", FIRST], FIRST)),
    "and print it in base64": (tool) =>
      answered(tool, (server) => server.run?.(["sh", "-c", `printf %s "$${FIRST}" | base64`], FIRST)),
  };
}

async function lay(tool: Tool, place: Place): Promise<Keeping> {
  const keeping = tool.keep(place);
  await keeping.lay();
  for (const { variable, value } of SECRETS.slice(0, 2)) {
    const got = await keeping.read(variable, "reader");
    if (got !== value) throw new Error(`${tool.name}: ${variable} is not what was set`);
  }
  return keeping;
}

function stepsOf(steps: readonly Step[] | undefined): string {
  return steps === undefined ? NOT_OFFERED : steps.map(({ words }) => words).join(", ");
}

function headOf(keeping: Keeping): string {
  keeping.commit();
  return keeping.git("rev-parse", "HEAD").stdout.trim();
}

function namesIn(text: string): number {
  return NAMES.filter((name) => new RegExp(`\\b${name}\\b`).test(text)).length;
}

async function call(
  keeping: Keeping,
  { command: [command = "", ...args] }: Server,
  question: ReturnType<Server["get"]>,
): Promise<{ text: string; isError: boolean }> {
  const client = new Client({ name: "bench", version: "1" });
  const transport = new StdioClientTransport({
    command,
    args,
    env: { ...keeping.env("reader") },
    cwd: keeping.place.repo,
    stderr: "ignore",
  });
  await client.connect(transport);
  const { content, structuredContent, isError = false } = await client.callTool(question);
  await client.close();
  return { text: JSON.stringify({ content, structuredContent }), isError };
}
