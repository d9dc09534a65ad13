/**
 * Refuses what holds no options, and an option that there is none of: one that is misspelled would be as good as left out: another
 * key taken, a grant made without its expiry.
 *
 * @throws {TypeError}
 */
export function requireKnown(options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`what holds options is no object (there are: ${known.join(", ")})`);
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`no such option: ${JSON.stringify(unknown)} (there are: ${known.join(", ")})`);
}
