import type { Match } from "../match.ts";
import { LANGUAGE_MODEL_RULES } from "./language-models.ts";
import { findNamed } from "./named.ts";
import { PLATFORM_RULES } from "./platforms.ts";
import type { FormatRule } from "./rule.ts";
import { SERVICE_RULES } from "./services.ts";
import { STRUCTURED_RULES } from "./structured.ts";

// The forms of keys that secretlint's rules miss. What both know is reported once.

export const FORMAT_RULES: readonly FormatRule[] = [
  ...LANGUAGE_MODEL_RULES,
  ...PLATFORM_RULES,
  ...SERVICE_RULES,
  ...STRUCTURED_RULES,
];

/** All anchors in one pass. At a place the longest one is told, and its own beginnings that are anchors are meant too. */
const ANCHORS = [...new Set(FORMAT_RULES.flatMap(({ anchors }) => anchors))].sort(
  (a, b) => b.length - a.length,
);
const ANY_ANCHOR = new RegExp(`(?=(${ANCHORS.map(formOf).join("|")}))`, "g");
const MEANT = new Map(ANCHORS.map((anchor) => [anchor, ANCHORS.filter((other) => anchor.startsWith(other))]));

/** One that is a character again and again is looked for where such a run begins, not at each of its places. */
function formOf(anchor: string): string {
  const form = anchor.replaceAll(/[^\w-]/g, "\\$&");
  return /^(\w)\1+$/.test(anchor) ? `(?<!${anchor[0]})${form}` : form;
}

export function findFormats(text: string): Match[] {
  const hits = new Set<string>();
  for (const [, anchor = ""] of text.matchAll(ANY_ANCHOR)) hits.add(anchor);
  const there = new Set([...hits].flatMap((anchor) => MEANT.get(anchor) ?? []));
  const byForm = FORMAT_RULES.flatMap((rule) =>
    rule.anchors.some((anchor) => there.has(anchor)) ? findForm(rule, text) : [],
  );
  return [...byForm, ...findNamed(text)];
}

function findForm({ rule, what, form, standsAlone = false, isReal }: FormatRule, text: string): Match[] {
  const found: Match[] = [];
  form.lastIndex = 0;
  for (let match = form.exec(text); match !== null; match = form.exec(text)) {
    const [start, end] = match.indices?.[1] ?? [match.index, match.index + match[0].length];
    if (standsAlone && /[A-Za-z0-9]/.test(text[start - 1] ?? "")) form.lastIndex = start + 1;
    else if (isReal === undefined || isReal(text.slice(start, end))) found.push({ rule, what, start, end });
  }
  return found;
}
