// How shells print a word so that it can be read back: `set -x`, `declare -p`, `printf %q`, `${x@Q}`, shlex.quote.
// The quotes around it are not part of the needle.

const CONTROL_NAMES = new Map([
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\x1b", "\\E"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ["'", "\\'"],
]);

export function shellForms(bytes: string): string[] {
  return [
    bytes.replaceAll("'", "'\\''"),
    bytes.replaceAll("'", `'"'"'`),
    dash(bytes),
    bytes.replace(/["$`\\]/g, "\\$&"),
    ...backslashForms(bytes),
    ...ansiForms(bytes),
  ];
}

// It takes quotes that follow one another together, and opens no others behind those at the end.
function dash(bytes: string): string {
  return bytes.replace(/'+/g, `'"$&"'`).replace(/'$/, "");
}

// A # and a ~ are escaped only where they begin a word or, for ~, an assigned path.
function backslashForms(bytes: string): string[] {
  const form = bytes.replace(/[\t !"$&'()*,;<>?[\\\]^`{|}]/g, "\\$&");
  const begun = form.replace(/^[#~]/, "\\$&").replace(/([:=])~/g, "$1\\~");
  return [form, begun];
}

// Bytes above 7E are printed as they are or in octal, as the locale has it.
function ansiForms(bytes: string): string[] {
  return [/[^\x20-\x7e\x80-\xff]|['\\]/g, /[^\x20-\x7e]|['\\]/g].map((escaped) =>
    bytes.replace(escaped, ansi),
  );
}

function ansi(byte: string): string {
  return CONTROL_NAMES.get(byte) ?? `\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`;
}
