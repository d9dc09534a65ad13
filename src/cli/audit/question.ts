import type { LineFilter } from "../../admin/audit/filter.ts";
import { AUDIT_ACTIONS, PULL_ACTIONS } from "../../audit/actions.ts";
import { parseAgentName, parseGroupName, parseSecretRef } from "../../vault/names.ts";
import { parseAge, parseMoment } from "../../vault/time.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { oneOf } from "../words.ts";

// What is asked of the logs: which lines, and what about them.

const HELP = "vault-run audit --help";
const QUESTIONS = ["totals", "could-read", "leaks", "unpulled"] as const;

/** `undefined`: the lines themselves. */
export type Question =
  | { readonly about: "totals" }
  | { readonly about: "could-read" }
  | { readonly about: "leaks" }
  | { readonly about: "unpulled"; readonly age: string; readonly ageMs: number };

export function parseQuestion(context: CommandContext): Question | undefined {
  const [about, second] = QUESTIONS.filter((name) => context.has(name) || context.text(name) !== undefined);
  if (about === undefined) return undefined;
  if (second !== undefined)
    throw new VaultError("usage", `--${about} and --${second} are two questions`, "ask one at a time");
  return about === "unpulled" ? parseUnpulled(context) : { about };
}

function parseUnpulled(context: CommandContext): Question {
  const age = context.text("unpulled") ?? "";
  if (context.text("since") !== undefined || context.text("until") !== undefined)
    throw new VaultError("usage", "--unpulled says from when on by itself", "leave out --since and --until");
  return { about: "unpulled", age, ageMs: parseAge(age) };
}

export function parseFilter(context: CommandContext): LineFilter {
  const nowMs = context.machine.now();
  const actions = context.texts("action").flatMap(actionsOf);
  const given = {
    agent: parsed(context.text("agent"), parseAgentName),
    secret: parsed(context.text("secret"), parseSecretRef),
    group: parsed(context.text("group"), parseGroupName),
    since: parsed(context.text("since"), (text) => parseMoment(text, nowMs)),
    until: parsed(context.text("until"), (text) => parseMoment(text, nowMs)),
    actions: actions.length === 0 ? undefined : new Set(actions),
    host: context.text("host"),
    key: parsed(context.text("key"), parseKeyStart),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function parsed<T>(text: string | undefined, parse: (text: string) => T): T | undefined {
  return text === undefined ? undefined : parse(text);
}

/** `pull` stands for every word that says that values were given. */
function actionsOf(word: string): readonly string[] {
  const action = oneOf("action", ["pull", ...AUDIT_ACTIONS], word, HELP);
  return action === "pull" ? PULL_ACTIONS : [action];
}

function parseKeyStart(text: string): string {
  if (/^[0-9a-f]{6,32}$/.test(text)) return text;
  throw new VaultError(
    "usage",
    "--key takes the fingerprint of a key, or how it begins: 6 to 32 of 0-9 a-f",
    "listings show them: vault-run audit --json",
  );
}
