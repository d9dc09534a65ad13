import { byteString } from "../needle.ts";

// Which characters are escaped, and how, differs from one JSON writer to the next. Each of these is somebody's default.
const DIALECTS: readonly {
  readonly escaped: RegExp;
  readonly upper?: boolean;
  readonly quote?: "unicode";
}[] = [
  { escaped: /[^\x20-\uffff]|["\\]/g }, // JSON.stringify, Rust
  { escaped: /[^\x20-\x7e\x80-\uffff]|["\\]/g }, // jq
  { escaped: /[^\x20-\x7e]|["\\]/g }, // Python
  { escaped: /[^\x20-\x7f]|["\\]/g }, // Ruby, Perl
  { escaped: /[^\x20-\x7f]|["\\]/g, upper: true }, // Java
  { escaped: /[^\x20-\uffff]|["\\/]/g }, // PHP with JSON_UNESCAPED_UNICODE
  { escaped: /[^\x20-\x7f]|["\\/]/g }, // PHP
  { escaped: /[^\x20-\uffff]|["\\<>&\u2028\u2029]/g }, // Go
  { escaped: /[^\x20-\x7e]|["\\<>&'+`]/g, upper: true, quote: "unicode" }, // .NET
];

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
  const once = new Set<string>();
  for (const { escaped, upper = false, quote } of DIALECTS) {
    once.add(
      text.replace(escaped, (unit) => {
        const short = unit === '"' && quote === "unicode" ? undefined : SHORT.get(unit);
        return short ?? unicode(unit, upper);
      }),
    );
  }
  const twice = Array.from(once, (form) => form.replace(/["\\]/g, "\\$&"));
  return [...once, ...twice].map(byteString);
}

function unicode(unit: string, upper: boolean): string {
  const digits = unit.charCodeAt(0).toString(16).padStart(4, "0");
  return `\\u${upper ? digits.toUpperCase() : digits}`;
}
