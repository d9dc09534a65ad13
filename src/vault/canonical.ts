import { InternalError } from "../vault-error.ts";

// RFC 8785 (JCS): the one text that a JSON value has. Keys stand in the order of their UTF-16 code units, and all else is as
// ECMAScript spells it, so a value whose keys are in order only has to be written out. Written here because a launch takes
// the text of every record that it reads, and of those, which are in order, no copy is made.

/** @throws {InternalError} for what has no canonical form: half a surrogate pair, a number that is not finite. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(inOrder(value));
}

/** The value with the keys of its objects in order, without fields that are undefined; itself where it is so. */
export function inOrder(value: unknown): unknown {
  switch (typeof value) {
    case "string":
      if (value.isWellFormed()) return value;
      break;
    case "number":
      if (Number.isFinite(value)) return value;
      break;
    case "boolean":
      return value;
    case "object":
      if (value === null) return value;
      return Array.isArray(value) ? listInOrder(value) : objectInOrder(value as Record<string, unknown>);
  }
  throw new InternalError("a value has no canonical form");
}

function listInOrder(list: readonly unknown[]): readonly unknown[] {
  const ordered = list.map(inOrder);
  return ordered.every((item, index) => item === list[index]) ? list : ordered;
}

function objectInOrder(object: Readonly<Record<string, unknown>>): object {
  let isInOrder = true;
  let previous = "";
  const entries: [string, unknown][] = [];
  for (const name of Object.keys(object)) {
    const value = object[name];
    // ECMAScript puts keys that are numbers first, wherever they belong. No field of ours is named so.
    if (!name.isWellFormed() || /^\d/.test(name)) throw new InternalError("a name has no canonical form");
    const ordered = value === undefined ? undefined : inOrder(value);
    isInOrder &&= value !== undefined && ordered === value && previous <= name;
    previous = name;
    if (value !== undefined) entries.push([name, ordered]);
  }
  if (isInOrder) return object;
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}
