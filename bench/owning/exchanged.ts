/** A text in which what two patterns have in their first group has changed places. */
export function exchanged(
  text: string,
  patternOf: (name: string) => RegExp,
  one: string,
  other: string,
): string {
  const [first = "", firstValue = ""] = patternOf(one).exec(text) ?? [];
  const [second = "", secondValue = ""] = patternOf(other).exec(text) ?? [];
  return text
    .replace(first, () => first.replace(firstValue, () => secondValue))
    .replace(second, () => second.replace(secondValue, () => firstValue));
}
