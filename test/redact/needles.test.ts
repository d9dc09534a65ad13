import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { createRedactor } from "../../src/redact/index.ts";

// What real programs print of a value. Each is given it in the environment, as `S`.

const VALUES = {
  plain: "Gx7Qm2-Token_9vLp4Rt8.kZ3wHn6Yb1Dc5Fs0",
  punctuation: '#Hj4k\'s "Wq8z" \\Ln2b\\ $Vc6x <Pm3n> & `Rt5y` (Kd7f)|{Zb1g};~Sx9h!*?[Ty0u]^%Mw4j,=:~/@+Bn6e',
  unicode: "größe→Qx8v 密码Tj5n ½Wk2m 😀Zr7p",
  control: "Tab1\tQw9e Xc4v Jh7k\nLine2 Ns5d Gb8w Uy3m\r\nBk4s\x1b[31mRd6t\x07Be8l\x7fDl3k\fFf5g\vVt7h",
  pem: [
    "-----BEGIN PRIVATE KEY-----",
    "MC4CAQAwBQYDK2VwBCIEIBqfD8xWjYHq+9mKz0TnV7cUoLr3e5sXgPz1aQdWfEuM",
    "bNhJkOiRtYlAvSxCQwErTyUiOpAsDfGhJkLzXcVbNm0123456789+/QwErTyUiOp",
    "-----END PRIVATE KEY-----",
    "",
  ].join("\n"),
};

const bash = (script: string): string[] => ["bash", "-fc", script];
const jq = (filter: string, ...options: string[]): string[] => ["jq", "-n", ...options, filter];

const COMMANDS: Readonly<Record<string, string[]>> = {
  "bash, echo": bash('echo "$S"'),
  "bash, set -x": bash('exec 2>&1; set -x; : "$S"'),
  "bash, set -x, an assignment": bash('exec 2>&1; set -x; T="$S"'),
  "sh, set -x": ["sh", "-fc", 'exec 2>&1; set -x; : "$S"'],
  "bash, printf %q": bash("printf '%q\\n' \"$S\""),
  "bash, @Q": bash('echo "${S@Q}"'),
  "bash, declare -p": bash("declare -p S"),
  "bash, set": bash("set"),
  env: ["env"],
  "base64, wrapped": bash('printf %s "$S" | base64'),
  "base64, wrapped narrowly": bash('printf %s "$S" | base64 -w 19'),
  "base64, not wrapped": bash('printf %s "$S" | base64 -w 0'),
  "base64 of user:value": bash('printf user:%s "$S" | base64'),
  "base64 of a header": bash('printf "%s\\n" "Authorization: Bearer  $S" | base64'),
  "base64 with CR LF": bash("printf %s \"$S\" | base64 | sed 's/$/\\r/'"),
  "xxd -p": bash('printf %s "$S" | xxd -p'),
  "xxd -p -u": bash('printf %s "$S" | xxd -p -u -c 20'),
  "jq, a string": jq("env.S"),
  "jq -a": jq("env.S", "-a"),
  "jq, an object": jq("{env: {key: env.S}}"),
  "jq, in colour": jq("{key: env.S}", "-C"),
  "jq, JSON in JSON": jq("{key: env.S} | tojson"),
  "jq -r": jq("env.S", "-r"),
  "jq @sh": jq("env.S | @sh", "-r"),
  "jq @uri": jq("env.S | @uri", "-r"),
  "jq @html": jq("env.S | @html", "-r"),
  "jq @base64": jq("env.S | @base64", "-r"),
};

// Expressions, each printed by one program that ends what it prints with NUL.
const PYTHON = {
  "python repr": "repr(s)",
  "python, a dict": "{'key': s}",
  "python ascii": "ascii(s)",
  "python, bytes": "b",
  "python json.dumps": "json.dumps({'key': s}, indent=2)",
  "python json.dumps, not ASCII": "json.dumps(s, ensure_ascii=False)",
  "python json.dumps, twice": "json.dumps(json.dumps(s))",
  "python quote_plus": "urllib.parse.quote_plus(s)",
  "python quote": "urllib.parse.quote(s)",
  "python quote with delimiters": 'urllib.parse.quote(s, safe="!$&\'()*+,;=")',
  "python json.dumps in json.dumps, not ASCII": "json.dumps(json.dumps(s, ensure_ascii=False))",
  "python quoteattr": "sax.quoteattr(s)",
  "python xmlcharrefreplace": "html.escape(s).encode('ascii', 'xmlcharrefreplace').decode()",
  "python csv": "row(s)",
  "python urlencode": "urllib.parse.urlencode({'q': s})",
  "python shlex.quote": "shlex.quote(s)",
  "python html.escape": "html.escape(s)",
  "python saxutils.escape": "sax.escape(s)",
  "python base64, MIME": "base64.encodebytes(b'x' + b).decode()",
  "python base64, URL-safe": "base64.urlsafe_b64encode(b'xy' + b).decode()",
  "python hexlify": "binascii.hexlify(b).decode()",
};

const NODE = {
  "node console.log of an object": "{ key: s }",
  "node console.log of a list": "[[s]]",
  "node JSON.stringify": "JSON.stringify({ key: s })",
  "node JSON.stringify, twice": "JSON.stringify(JSON.stringify(s))",
  "node encodeURIComponent": "encodeURIComponent(s)",
  "node URLSearchParams": "String(new URLSearchParams({ s }))",
  "node encodeURI": "encodeURI(s)",
  "node URL, password": "(() => { const u = new URL('http://u@h/'); u.password = s; return u.href; })()",
  "node querystring": "require('querystring').stringify({ s })",
  "node base64url": "Buffer.from(s).toString('base64url')",
  "node hex": "Buffer.from(s).toString('hex').toUpperCase()",
};

const PYTHON_PROGRAM = `
import base64, binascii, csv, html, io, json, os, shlex, urllib.parse, xml.sax.saxutils as sax
def row(*cells):
    file = io.StringIO()
    csv.writer(file).writerow(["a", *cells])
    return file.getvalue()
s = os.environ["S"]
b = os.environb[b"S"]
${Object.values(PYTHON)
  .map((expression) => `print(${expression}, end="\\n\\0")`)
  .join("\n")}
`;
const NODE_PROGRAM = `
const s = process.env.S;
${Object.values(NODE)
  .map((expression) => `console.log(${expression}); process.stdout.write("\\0");`)
  .join("\n")}
`;

function run([file = "", ...args]: readonly string[], value: string, locale: string): Buffer {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    LC_ALL: locale,
    PYTHONIOENCODING: "utf-8",
    S: value,
  };
  return execFileSync(file, args, { env, maxBuffer: 1 << 24 });
}

function redact(value: string, output: Uint8Array): string {
  const redactor = createRedactor([{ name: "s", value }]);
  const stream = redactor.stream();
  const parts = Array.from(output, (byte) => stream.write(Uint8Array.of(byte)));
  return Buffer.concat([...parts, stream.end()]).toString();
}

// Parts of the value that no output may hold: its words, and the hex and base64 of any nine bytes of it.
function fragmentsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const windows = Array.from({ length: bytes.length - 8 }, (_, start) => bytes.subarray(start, start + 9));
  return [
    ...(value.replace(/-----.*-----/g, "").match(/[A-Za-z0-9]{4,}/g) ?? []),
    ...windows.flatMap((window) => [window.toString("hex"), window.toString("base64")]),
  ];
}

function expectMasked(value: string, output: Uint8Array): void {
  const redacted = redact(value, output);
  expect(redacted).toContain("[REDACTED:s]");
  const joined = redacted.replace(/[\r\n]/g, "").toLowerCase();
  const shown = fragmentsOf(value).filter((fragment) => joined.includes(fragment.toLowerCase()));
  expect(shown, redacted).toEqual([]);
}

describe.each(Object.entries(VALUES))("a value of kind %s", (_kind, value) => {
  it.each(Object.entries(COMMANDS))("is masked in the output of %s", (_command, command) => {
    const locales = command[0] === "bash" || command[0] === "sh" ? ["C", "C.UTF-8"] : ["C.UTF-8"];
    for (const locale of locales) expectMasked(value, run(command, value, locale));
  });

  it.each([
    ["python", ["python3", "-c", PYTHON_PROGRAM], Object.keys(PYTHON)],
    ["node", [process.execPath, "-e", NODE_PROGRAM], Object.keys(NODE)],
  ] as const)("is masked in what %s prints of it", (_program, command, names) => {
    const outputs = run(command, value, "C.UTF-8").toString("latin1").split("\0");
    expect(outputs.length).toBe(names.length + 1);
    for (const output of outputs.slice(0, -1)) expectMasked(value, Buffer.from(output, "latin1"));
  });
});
