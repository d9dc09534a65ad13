import type { Random } from "./random.ts";

// Changes that know what a record is made of.

export type Fields = Record<string, unknown>;

const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  2,
  1.5,
  2 ** 53,
  2 ** 53 - 1,
  "",
  "x",
  "1",
  [],
  {},
  [[]],
  [""],
  "a\u202eb",
  "a\u0000b",
  "\ud800",
  "\u{1f511}",
  "é",
  "e\u0301",
  "__proto__",
  "constructor",
  "age1",
  "2026-12-01T00:00:00.000Z",
  "2026-02-29T00:00:00.000Z",
  "2026-12-01T00:00:00.001Z",
  "2026-11-30T23:59:59.999Z",
  "9999-12-31T23:59:59.999Z",
  "0000-01-01T00:00:00.000Z",
  "PATH",
  "LD_PRELOAD",
  "API_KEY",
  "env",
  "file",
  "pq",
  "classic",
  "best-effort",
  "required",
  "AAAA",
  "AA==",
  "AB==",
  "AA=",
  "https://example.org",
  "https://EXAMPLE.org",
  "x".repeat(1024),
  "ü".repeat(513),
  "stripe",
  "mail",
  "ſtripe",
  "crawler",
]; // prettier-ignore
const OPTIONAL = {
  env: "PATH",
  expiresAt: "2026-12-01T00:00:00.000Z",
  description: "x",
  unsafeName: true,
  exposedTo: [],
  comment: "x",
  ["__proto__"]: {},
};

/** The record with something of it changed; `others` are records that things may come from. */
export function mutateRecord(random: Random, record: Fields, others: readonly Fields[]): Fields {
  const path = pathInto(random, record);
  const name = path.at(-1) ?? "type";
  const other = random.of(others);
  return edit(record, path, (parent) => {
    const now = get(parent, name);
    switch (random.below(8)) {
      case 0:
        return without(parent, name);
      case 1:
        return put(parent, name, near(random, now));
      case 2:
        return put(parent, name, other[name] ?? random.of(Object.values(other)));
      case 3: {
        const [key, value] = random.of(Object.entries(OPTIONAL));
        return put(parent, Array.isArray(parent) ? "0" : key, value);
      }
      case 4:
        return Array.isArray(parent)
          ? [...parent, now]
          : put(parent, `${name}${random.of(["", "x", " "])}`, now);
      case 5:
        return Array.isArray(parent) ? parent.toReversed() : put(parent, name, [now]);
      default:
        return put(parent, name, random.of(VALUES));
    }
  }) as Fields;
}

/** Something close by of the same type. */
function near(random: Random, value: unknown): unknown {
  if (typeof value === "number") return value + random.of([-1, 1, 1000, -1000, 0.5]);
  if (typeof value === "boolean") return !value;
  if (typeof value !== "string" || value === "") return random.of(VALUES);
  const at = random.below(value.length);
  const letter = random.of([..."aAzZ09+/=-_. \n", "é", "\u2028", value.charAt(at).toUpperCase(), ""]);
  return random.of([
    value.slice(0, at) + letter + value.slice(at + 1),
    value + letter,
    value.slice(0, at),
    ` ${value}`,
    value.toUpperCase(),
    value.normalize("NFD"),
    `${value}\n`,
  ]);
}

function pathInto(random: Random, value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const names = Object.keys(value);
  if (names.length === 0) return [];
  const name = random.of(names);
  return random.chance(0.7) ? [name, ...pathInto(random, get(value, name))] : [name];
}

function edit(value: unknown, path: readonly string[], change: (parent: object) => unknown): unknown {
  const [name, ...rest] = path;
  if (typeof value !== "object" || value === null || name === undefined) return value;
  return rest.length === 0 ? change(value) : put(value, name, edit(get(value, name), rest, change));
}

function get(parent: object, name: string): unknown {
  return Reflect.get(parent, name);
}

function put(parent: object, name: string, value: unknown): object {
  if (Array.isArray(parent))
    return parent.with(Math.min(Number(name) || 0, Math.max(0, parent.length - 1)), value);
  return Object.fromEntries([...Object.entries(parent).filter(([key]) => key !== name), [name, value]]);
}

function without(parent: object, name: string): object {
  if (Array.isArray(parent)) return parent.filter((_, index) => `${index}` !== name);
  return Object.fromEntries(Object.entries(parent).filter(([key]) => key !== name));
}
