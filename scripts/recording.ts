// Writes docs/session.svg, the terminal session that README.md shows: a story told with the built program on a real terminal,
// in a repository and a home of its own. What differs from one run to the next (ids, keys, commits, times, this machine's
// name) is replaced, so the same program always makes the same file.
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { linesShown, withoutChance } from "../test/fixtures/shown.ts";
import type { Place } from "../test/fixtures/stand.ts";
import { keptTempFolder } from "../test/fixtures/temp-folder.ts";
import { inBash, type Step } from "../test/fixtures/terminal.ts";
import { gitInit } from "../test/fixtures/vault.ts";
import { type Exchange, sessionSvg } from "./session-svg.ts";

const FILE = resolve(import.meta.dirname, "../docs/session.svg");

/** Typed for all to see: the one value that the file may show, where it is typed. */
export const EXAMPLE_VALUE = "sk_live_51Habcdefghij";

const AGENT = `console.log(\`agent: calling stripe with \${process.env.API_KEY}\`);
console.log(\`agent: and in base64 \${btoa(process.env.API_KEY)}\`);
`;

/** What is typed, each with the answers to what is then asked. */
const STORY: readonly (readonly [typed: string, ...answers: Step[]])[] = [
  ["# a vault in this git repository, and an agent with a key of its own"],
  ["vault-run init", ["[y/N] ", "y\r"]],
  ["vault-run add-agent crawler"],
  ["# a value comes from a pipe, or is typed unseen; only ciphertext is committed"],
  [`printf '${EXAMPLE_VALUE}' | vault-run set stripe/API_KEY`],
  ["vault-run grant crawler stripe", ["[y/N] ", "y\r"]],
  ["# a careless agent prints its key: that is masked, also where it is encoded"],
  ["cat agent.js"],
  ["vault-run --agent crawler -- node agent.js"],
  ["# who pulled what?"],
  ["vault-run audit --totals"],
  ["# the agent is trusted no more: what needs a new value is said until it has one"],
  ["vault-run revoke crawler stripe", ["[y/N] ", "y\r"]],
  ["vault-run set stripe/API_KEY", ["(not shown)", `sk_live_52${randomBytes(8).toString("hex")}\r`]],
  ["vault-run rotation"],
  ["vault-run --agent crawler -- node agent.js"],
];

const PROMPT = "\x1b[32m$\x1b[39m ";
/** Wider than the window that is drawn, so that no table is cut by the length of this machine's name. */
const COLUMNS = 200;

/** Tells the story, in a repository without a vault. */
export async function recordSession(place: Place): Promise<Exchange[]> {
  writeFileSync(join(place.repo, "agent.js"), AGENT);
  const steps = STORY.flatMap(([typed, ...answers]): Step[] => [[PROMPT, `${typed}\r`], ...answers]);
  const { shown, untyped } = await inBash(place, [...steps, [PROMPT, "exit\r"]], {
    PS1: "\\[\\e[32m\\]$\\[\\e[39m\\] ",
    PROMPT_COMMAND: `stty columns ${COLUMNS}; shopt -s checkwinsize; unset PROMPT_COMMAND`,
  });
  if (untyped > 0) throw new Error(`${untyped} steps of the story were not reached:\n${shown}`);
  const parts = withoutChance(linesShown(shown).join("\n"), place.home).split(PROMPT).slice(1, -1);
  return parts.map((part, i) => {
    const [typed = "", ...lines] = part.split("\n");
    const expected = STORY[i]?.[0];
    if (typed !== expected) throw new Error(`the terminal shows ${typed} where ${expected} was typed`);
    return { typed, lines: lines.slice(0, -1) };
  });
}

/** A repository in a home of its own, and the program as it was built here. */
async function main(): Promise<void> {
  const home = keptTempFolder();
  try {
    const repo = join(home, "repo");
    const bin = join(home, "bin");
    for (const folder of [repo, bin]) mkdirSync(folder);
    gitInit(repo);
    symlinkSync(process.execPath, join(bin, "node"));
    symlinkSync(resolve(import.meta.dirname, "../bin/vault-run"), join(bin, "vault-run"));
    const env = { PATH: [bin, "/usr/bin", "/bin"].join(delimiter), HOME: home, LANG: "C.UTF-8" };
    writeFileSync(FILE, sessionSvg(await recordSession({ home, repo, env })));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

if (import.meta.main) await main();
