import { type MistypedWord, VaultError } from "../vault-error.ts";
import { VERBS } from "./verbs.ts";

// Suggestions come from what the program knows, never from what was typed: that may be a value in the wrong place.

/** The same error, its hint what was most likely meant. */
export function suggested(error: MistypedWord): VaultError {
  const near = nearestOf(error);
  return near === undefined ? error : new VaultError(error.code, error.message, `did you mean ${near}?`);
}

/** What is wrong with options of which a verb is behind, as other programs have it. */
export function findLateVerb(words: readonly string[]): VaultError | undefined {
  const late = VERBS.find(({ name }) => words.includes(name));
  if (late === undefined) return undefined;
  return new VaultError(
    "usage",
    "a verb stands before its options",
    `write it as: vault-run ${late.name} ...`,
  );
}

/** Of a vault in which something else is wrong there are no names to choose from. */
function nearestOf(error: MistypedWord): string | undefined {
  try {
    return error.nearest(findNear);
  } catch (inner) {
    if (inner instanceof VaultError) return undefined;
    throw inner;
  }
}

/** The one of `words` that was most likely meant; undefined where none is near. */
function findNear(word: string, words: readonly string[]): string | undefined {
  const [longer, another] = words.filter((candidate) => word.length >= 3 && candidate.startsWith(word));
  if (longer !== undefined && another === undefined) return longer;
  const near = words
    .map((candidate) => ({ candidate, edits: distance(candidate, word) }))
    .filter(({ candidate, edits }) => edits <= 2 && 2 * edits < candidate.length);
  const [nearest] = near.sort((a, b) => a.edits - b.edits);
  return nearest?.candidate;
}

/** Edits from one word to the other: a letter more, less, changed, or two swapped (optimal string alignment). */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (before[j - 2] ?? 0) + 1 : change;
      row.push(Math.min((row[j - 1] ?? 0) + 1, (previous[j] ?? 0) + 1, change, swap));
    }
    before = previous;
    previous = row;
  }
  return previous.at(-1) ?? 0;
}
