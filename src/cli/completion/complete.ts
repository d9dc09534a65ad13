import { TTY_MODES } from "../../launch/choose-terminal.ts";
import { LEAK_POLICIES } from "../../launch/leaks.ts";
import { HOOK_ACTIONS } from "../hooks/actions.ts";
import { LAUNCH_OPTIONS } from "../launch-options.ts";
import { optionName, type Verb } from "../verbs/verb.ts";
import { VERBS } from "../verbs.ts";
import { SHELLS } from "./scripts.ts";
import type { VaultNames } from "./vault-names.ts";

// What may stand where the cursor is, from the same tables as parsing and help.

export interface Candidate {
  readonly word: string;
  readonly about?: string;
}

/** Words, or what the shell itself knows: files, folders, or another command that begins after so many words. */
export type Completion =
  | { readonly kind: "words"; readonly words: readonly Candidate[] }
  | { readonly kind: "files" | "folders" }
  | { readonly kind: "command"; readonly after: number };

/** An option of a launch or of a verb. */
interface Slot {
  readonly name: string;
  /** What its value is called; undefined where it takes none. */
  readonly takes: string | undefined;
  readonly choices: readonly string[];
  readonly about: string;
}

const LAUNCH_CHOICES: Readonly<Record<string, readonly string[]>> = {
  tty: TTY_MODES,
  "on-leak": LEAK_POLICIES,
};
const LAUNCH_SLOTS: readonly Slot[] = Object.entries(LAUNCH_OPTIONS).map(([name, option]) => ({
  name,
  takes: "takes" in option ? option.takes : undefined,
  choices: LAUNCH_CHOICES[name] ?? [],
  about: option.about,
}));
const HELP: Slot = { name: "help", takes: undefined, choices: [], about: "show the page of help" };
const VERSION: Slot = { name: "version", takes: undefined, choices: [], about: "show the version" };
const ONLY_FIRST = [HELP, VERSION];

/** @param words those behind the program's name, up to the cursor; the last one is not finished. */
export function complete(words: readonly string[], names: VaultNames): Completion {
  const current = words.at(-1) ?? "";
  const [first = ""] = words;
  const before = words.slice(0, -1);
  if (before.length === 0 && !current.startsWith("-")) return beginning(verbCandidates(), current);
  if (first === "help") return completeHelp(before.slice(1), current);
  const both = VERBS.find(({ name }) => name === `${before[0]} ${before[1]}`);
  if (both !== undefined) return completeVerb(both, before.slice(2), current, names);
  const seconds = secondCandidates(first);
  if (before.length === 1 && seconds.length > 0 && !current.startsWith("-"))
    return beginning(seconds, current);
  const verb = VERBS.find(({ name }) => name === first);
  if (verb !== undefined && before.length > 0) return completeVerb(verb, before.slice(1), current, names);
  if (!first.startsWith("-")) return NOTHING;
  const separator = before.indexOf("--");
  if (separator !== -1) return { kind: "command", after: separator + 1 };
  const slots = before.length === 0 ? [...LAUNCH_SLOTS, ...ONLY_FIRST] : LAUNCH_SLOTS;
  const value = completeValue(slots, before, current, names);
  const end = { word: "--", about: "the command follows" };
  return value ?? beginning([...flags(slots), end], current);
}

/** The value of an option that names the vault, among words that were typed so far. */
export function findOption(words: readonly string[], name: string): string | undefined {
  const joined = words.find((word) => word.startsWith(`--${name}=`));
  const at = words.indexOf(`--${name}`);
  return joined?.slice(name.length + 3) ?? (at === -1 ? undefined : words[at + 1]);
}

const NOTHING: Completion = { kind: "words", words: [] };

const verbCandidates = () =>
  VERBS.filter(({ name }) => !name.includes(" ")).map(({ name, about }) => ({ word: name, about }));
const flags = (slots: readonly Slot[]) => slots.map(({ name, about }) => ({ word: `--${name}`, about }));

/** The second words of verbs that have two. */
function secondCandidates(first: string): Candidate[] {
  const verbs = VERBS.filter(({ name }) => name.startsWith(`${first} `));
  return verbs.map(({ name, about }) => ({ word: name.slice(first.length + 1), about }));
}

function completeHelp(before: readonly string[], current: string): Completion {
  if (before.length === 0) return beginning(verbCandidates(), current);
  return before.length === 1 ? beginning(secondCandidates(before[0] ?? ""), current) : NOTHING;
}

function beginning(candidates: readonly Candidate[], current: string): Completion {
  return { kind: "words", words: candidates.filter(({ word }) => word.startsWith(current)) };
}

function completeVerb(verb: Verb, before: readonly string[], current: string, names: VaultNames): Completion {
  const slots = [...verb.options.map(slotOf), HELP];
  const value = completeValue(slots, before, current, names);
  if (value !== undefined) return value;
  if (current.startsWith("-")) return beginning(flags(slots), current);
  const place = verb.takes.split(" ")[countPositionals(slots, before)];
  return place === undefined || place === "" ? NOTHING : valuesOf(place.slice(1, -1), current, names);
}

function slotOf(option: Verb["options"][number]): Slot {
  const [, takes] = option.flag.split(" ");
  return { name: optionName(option), takes, choices: option.choices ?? [], about: option.about };
}

function countPositionals(slots: readonly Slot[], words: readonly string[]): number {
  const taking = (word: string) =>
    slots.some(({ name, takes }) => takes !== undefined && word === `--${name}`);
  return words.filter((word, at) => !word.startsWith("-") && !taking(words[at - 1] ?? "")).length;
}

/** What an option's value may be, where the cursor is in one: `--agent x` or `--agent=x`. */
function completeValue(
  slots: readonly Slot[],
  before: readonly string[],
  current: string,
  names: VaultNames,
): Completion | undefined {
  const [, joined, text = ""] = /^--([a-z-]+)=(.*)$/.exec(current) ?? [];
  const slot = slots.find(
    ({ name }) => name === joined || (joined === undefined && before.at(-1) === `--${name}`),
  );
  if (slot?.takes === undefined) return undefined;
  const found =
    slot.choices.length > 0
      ? beginning(
          slot.choices.map((word) => ({ word })),
          joined === undefined ? current : text,
        )
      : valuesOf(kindOf(slot, slot.takes), joined === undefined ? current : text, names);
  if (joined === undefined || found.kind !== "words") return found;
  return { kind: "words", words: found.words.map(({ word }) => ({ word: `--${joined}=${word}` })) };
}

/** Tables write `NAME` for any name: the option says of what. */
function kindOf({ name }: Slot, takes: string): string {
  return name === "agent" || name === "group" ? name : takes.toLowerCase();
}

function valuesOf(kind: string, current: string, names: VaultNames): Completion {
  const words = (list: readonly string[]) =>
    beginning(
      list.map((word) => ({ word })),
      current,
    );
  switch (kind) {
    case "agent":
      return words(names.agents());
    case "group":
      return words(names.groups());
    case "owner":
      return words(names.owners());
    case "group/name":
      return words(refs(current, names));
    case "var=group/name":
      return mapping(current, names);
    case "file":
    case "path...":
      return { kind: "files" };
    case "dir":
      return { kind: "folders" };
    case "shell":
      return words(SHELLS);
    case "action":
      return words(HOOK_ACTIONS);
    default:
      return NOTHING;
  }
}

/** A group at a time, as with folders: a vault may hold thousands of secrets. */
function refs(current: string, names: VaultNames): string[] {
  const [group = "", name] = current.split("/");
  if (name === undefined) return names.groups().map((each) => `${each}/`);
  return names.secrets(group).map((each) => `${group}/${each}`);
}

function mapping(current: string, names: VaultNames): Completion {
  const equals = current.indexOf("=");
  if (equals === -1) return NOTHING;
  const candidates = refs(current.slice(equals + 1), names);
  return beginning(
    candidates.map((ref) => ({ word: `${current.slice(0, equals + 1)}${ref}` })),
    current,
  );
}
