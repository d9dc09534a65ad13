import { byteString } from "../needle.ts";

// Which characters are escaped, and how, differs from one JSON writer to the next. Each of these is somebody's default.
interface Dialect {
  readonly escaped: RegExp;
  readonly upper?: boolean;
  /** Characters that have no short escape here, though JSON knows one. */
  readonly long?: string;
}

const STRINGIFY: Dialect = { escaped: /[^\x20-\uffff]|["\\]/g }; // JSON.stringify, Rust
const PYTHON: Dialect = { escaped: /[^\x20-\x7e]|["\\]/g };
const PHP: Dialect = { escaped: /[^\x20-\x7f]|["\\/]/g };
const DIALECTS: readonly Dialect[] = [
  STRINGIFY,
  { escaped: /[^\x20-\x7e\x80-\uffff]|["\\]/g }, // jq
  PYTHON,
  { escaped: /[^\x20-\x7f]|["\\]/g }, // Ruby, Perl
  { escaped: /[^\x20-\x7f]|["\\]/g, upper: true }, // Java
  { escaped: /[^\x20-\uffff]|["\\/]/g }, // PHP with JSON_UNESCAPED_UNICODE
  PHP,
  { escaped: /[^\x20-\uffff]|["\\<>&\u2028\u2029]/g }, // Go
  { escaped: /[^\x20-\uffff]|["\\<>&='\u2028\u2029]/g }, // Gson
  { escaped: /[^\x20-\x7e]|["\\<>&'+`]/g, upper: true, long: '"' }, // .NET
];
// What none of them leaves as it is.
const SPECIAL = /[^\x20-\x7e]|["\\/<>&'+`=]/;
// Of a string in a string in all dialects there would be a hundred forms, and most programs write one of these.
const OUTER = [STRINGIFY, PYTHON, PHP];

const SHORT = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["/", "\\/"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** The value inside a JSON string, and inside a JSON string that is in a JSON string. */
export function jsonForms(text: string): string[] {
  if (!SPECIAL.test(text)) return [];
  const once = new Set(DIALECTS.map((dialect) => escaped(text, dialect)));
  const twice = [...once].flatMap((form) => OUTER.map((outer) => escaped(form, outer)));
  return [...once, ...twice].map(byteString);
}

/** The value inside a JSON string as JSON.stringify writes it, and as Python does. */
export function plainJsonForms(text: string, withPython: boolean): string[] {
  return (withPython ? [STRINGIFY, PYTHON] : [STRINGIFY]).map((dialect) =>
    byteString(escaped(text, dialect)),
  );
}

function escaped(text: string, dialect: Dialect): string {
  const { upper = false, long = "" } = dialect;
  return text.replace(dialect.escaped, (unit) => {
    const short = long.includes(unit) ? undefined : SHORT.get(unit);
    return short ?? unicode(unit, upper);
  });
}

function unicode(unit: string, upper: boolean): string {
  const digits = unit.charCodeAt(0).toString(16).padStart(4, "0");
  return `\\u${upper ? digits.toUpperCase() : digits}`;
}
