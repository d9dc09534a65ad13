// Writes docs/session.svg, the terminal session that README.md shows: a story told with the built program on a real terminal,
// in a repository and a home of its own. What differs from one run to the next (ids, keys, commits, times, this machine's
// name) is replaced by what stands below, so the same program always makes the same file.
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { delimiter, join, resolve } from "node:path";
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

const ESCAPE = "\x1b";
const MODE = new RegExp(`${ESCAPE}\\[\\?\\d+[hl]`, "g");
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
  const parts = withoutChance(linesOf(shown).join("\n"), place).split(PROMPT).slice(1, -1);
  return parts.map((part, i) => {
    const [typed = "", ...lines] = part.split("\n");
    const expected = STORY[i]?.[0];
    if (typed !== expected) throw new Error(`the terminal shows ${typed} where ${expected} was typed`);
    return { typed, lines: lines.slice(0, -1) };
  });
}

/** A terminal's lines as they stand in the end, with nothing but colours in them. */
function linesOf(shown: string): string[] {
  // Modes of the terminal; then what was written over from the beginning of the line.
  const lines = shown.replaceAll(MODE, "").split("\r\n");
  return lines.map((line) => line.slice(line.lastIndexOf("\r") + 1).replace("\x1b[K", ""));
}

/** The same, of the same lengths, whatever the machine and the moment. The machine's name ends its lines. */
function withoutChance(shown: string, place: Place): string {
  const made = (name: string) => createHash("sha256").update(name).digest();
  let commits = 0;
  return shown
    .replaceAll(place.home, "/home/ann")
    .replaceAll(new RegExp(`  ${hostname()}$`, "gm"), "  laptop")
    .replaceAll(/\b[0-9a-f]{32}\b/g, made("vault").toString("hex").slice(0, 32))
    .replaceAll(/\b[0-9a-f]{16}\b/g, made("agent").toString("hex").slice(0, 16))
    .replaceAll(/[A-Za-z0-9+/]{43}=/g, made("owner").toString("base64"))
    .replaceAll(/(?<=commit )[0-9a-f]{7,}/g, () => made(`commit ${++commits}`).toString("hex").slice(0, 7))
    .replaceAll(/\d{4}-\d\d-\d\d/g, "2026-01-15")
    .replaceAll(/(?<=\d{4}-\d\d-\d\d )\d\d:\d\d/g, "09:30");
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
