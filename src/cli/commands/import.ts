import { dirname } from "node:path";
import { type Imported, type ImportItem, type Obstacle, planImport } from "../../admin/plans/import.ts";
import { Repository } from "../../git/repository.ts";
import { isTooShort } from "../../redact/needles.ts";
import {
  formatRef,
  GROUP_NAME,
  type GroupName,
  parseGroupName,
  SECRET_NAME,
  type SecretName,
} from "../../vault/names.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE, REFUSED } from "../exit-status.ts";
import { type ReadSource, readSource } from "../formats/read-source.ts";
import { type Entry, type Skipped, shownName } from "../formats/source.ts";
import { change, commitNote, progressOf } from "../owner-verb.ts";
import { counted } from "../wording.ts";

/** What was taken is in the commit; only what was not has to be seen whole. */
const MOST_NAMES = 30;

/** Takes over what a file holds, in one change. Exit 1 where something was skipped. */
export async function run(context: CommandContext): Promise<number> {
  const group = context.text("group");
  const parsed = group === undefined ? undefined : parseGroupName(group);
  const source = await readSource(context, context.word(0));
  const { items, skipped } = sortOut(source, parsed);
  const short = items.filter(({ value }) => isTooShort(value.bytes())).map(({ ref }) => formatRef(ref));
  let imported: readonly Imported[] = [];
  const done = await change(context, "import", async (session) => {
    const options = { replace: context.has("replace"), unsafeName: context.has("unsafe-name") };
    const planned = await planImport(session, items, options, progressOf(context, "sealing"));
    imported = planned.imported;
    return planned.plan;
  });
  for (const { value } of source.entries) value.dispose();
  const refused = imported.flatMap(({ ref, outcome }) =>
    typeof outcome === "string" ? [] : [{ name: formatRef(ref), why: whyOf(outcome.skipped) }],
  );
  report(context, imported, commitNote(done));
  reportSkipped(context, [...skipped, ...refused], source);
  const taken = new Set(imported.filter(isTaken).map(({ ref }) => formatRef(ref)));
  const shortTaken = short.filter((ref) => taken.has(ref));
  if (shortTaken.length > 0)
    context.console.say(`too short to be redacted from a program's output: ${listed(shortTaken)}`);
  await warnOfSource(context, source.plainFile);
  return skipped.length + refused.length === 0 ? DONE : REFUSED;
}

const isTaken = ({ outcome }: Imported) => outcome === "new" || outcome === "new value";

/** Entries whose names a secret can have, and why the others are none. */
function sortOut(
  source: ReadSource,
  group: GroupName | undefined,
): { items: ImportItem[]; skipped: readonly Skipped[] } {
  const items: ImportItem[] = [];
  const skipped = [...source.skipped];
  for (const entry of source.entries) {
    const why = findNameProblem(entry, group);
    if (why !== undefined) skipped.push({ name: placeOf(entry), why });
    else {
      const ref = { group: (entry.group ?? group) as GroupName, name: entry.name as SecretName };
      items.push({ ref, value: entry.value, expiresAt: entry.expiresAt });
    }
  }
  return { items, skipped };
}

function findNameProblem({ group, name }: Entry, option: GroupName | undefined): string | undefined {
  if (group === undefined && option === undefined) {
    throw new VaultError("usage", "no group is named", "say where the secrets go: --group GROUP");
  }
  if (group !== undefined && !GROUP_NAME.test(group)) return "no group can have this name";
  return SECRET_NAME.test(name) ? undefined : "no variable can have this name";
}

const placeOf = ({ group, name }: Entry) =>
  group === undefined ? shownName(name) : `${shownName(group)}/${shownName(name)}`;

function whyOf(obstacle: Obstacle): string {
  if (typeof obstacle === "object") return `differs only in letter case from ${obstacle.twinOf}`;
  return WHY[obstacle];
}

const WHY: Record<Exclude<Obstacle, object>, string> = {
  empty: "its value is empty",
  "too large": "its value is larger than 1 MiB",
  "not text": "its value cannot stand in a variable (it has a NUL byte or is not UTF-8)",
  exists: "it exists with another value; --replace gives it this one",
  "unsafe name": "this variable makes programs load code; --unsafe-name takes it",
};

function report({ console }: CommandContext, imported: readonly Imported[], commit: string): void {
  const of = (wanted: string) =>
    imported.filter(({ outcome }) => outcome === wanted).map(({ ref }) => formatRef(ref));
  const taken = imported.filter(isTaken).length;
  console.say(taken === 0 ? "nothing was imported" : `imported ${counted(taken, "secret")}${commit}`);
  if (of("new").length > 0) console.detail(`new: ${listed(of("new"))}`);
  if (of("new value").length > 0) console.detail(`new value: ${listed(of("new value"))}`);
  if (of("same value").length > 0)
    console.detail(`same value, left as they are: ${listed(of("same value"))}`);
}

function listed(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(" ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

function reportSkipped(
  { console }: CommandContext,
  skipped: readonly Skipped[],
  { repeated, cut }: ReadSource,
): void {
  if (skipped.length > 0) console.say(`skipped ${skipped.length}:`);
  for (const { name, why } of skipped) console.detail(`${name}: ${why}`);
  if (repeated.length > 0) console.say(`set more than once, the last one counts: ${repeated.join(" ")}`);
  if (cut.length === 0) return;
  console.say(`read as node reads it, up to a # or a closing quote with more behind it: ${cut.join(" ")}`);
  console.detail(
    "where the rest belongs to the value, put all of it in quotes and import again with --replace",
  );
}

/** The file is the user's: it is neither removed nor is that offered. */
async function warnOfSource({ console }: CommandContext, plainFile: string | undefined): Promise<void> {
  if (plainFile === undefined) return;
  console.say(`the file still holds the values in plain text: ${plainFile}`);
  if (!(await isTracked(plainFile))) {
    console.detail("remove it once nothing reads it any more, and keep it out of git until then");
    return;
  }
  console.detail("git tracks it, so its history holds them too: give them new values at their source");
}

async function isTracked(path: string): Promise<boolean> {
  try {
    return await (await Repository.find(dirname(path))).tracks(path);
  } catch (error) {
    if (error instanceof VaultError && error.code === "no-repository") return false;
    throw error;
  }
}
