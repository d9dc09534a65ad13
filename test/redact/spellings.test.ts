import { describe, expect, it } from "vitest";
import { createRedactor } from "../../src/redact/index.ts";
import { byteStringOf } from "../../src/redact/needle.ts";
import { isTooShort, spellingsOf } from "../../src/redact/needles.ts";

// Spellings of programs that the machine may not have, as their documentation gives them, and of node's own.

const TOKEN = "wJalr/XUtnFEMI+K7MDENG=bPxRf";
const WORDS = 'größe "Qx8v" & <it\'s> a/b\tZr7p';

function redact(value: string | Uint8Array, text: string): string {
  const stream = createRedactor([{ name: "s", value }]).stream();
  return Buffer.concat([stream.write(Buffer.from(text)), stream.end()]).toString();
}

function url(change: (url: URL) => void): string {
  const made = new URL("https://user@host/");
  change(made);
  return made.href;
}

describe("a value", () => {
  it.each([
    ["node URL, password", TOKEN, url((made) => (made.password = TOKEN))],
    ["node URL, path", `${TOKEN} "x"`, url((made) => (made.pathname = `/${TOKEN} "x"`))],
    ["node URL, query", `${TOKEN} "x"`, url((made) => (made.search = `${TOKEN} "x"`))],
    ["node URL, searchParams", WORDS, url((made) => made.searchParams.set("q", WORDS))],
    ["encodeURI", WORDS, encodeURI(WORDS)],
    ["Go url.UserPassword", TOKEN, "postgres://app:wJalr%2FXUtnFEMI+K7MDENG=bPxRf@db/app"],
    [
      "node URL, an encodeURIComponent in its query",
      "it's(a/b Qx8v)",
      new URL(`https://h/?q=${encodeURIComponent("it's(a/b Qx8v)")}`).href,
    ],
    ["node URL, fragment", "a b#Qx8v{3}", url((made) => (made.hash = "a b#Qx8v{3}"))],
    ["Go url.URL, path", "a;b/Qx8v!c,d", "https://h/a;b/Qx8v%21c,d/x"],
    ["Go url.PathEscape", "a:b@c d/e+f$g", "https://h/a:b@c%20d%2Fe+f$g"],
    ["PHP urlencode", "~a b*c/d(e)", "q=%7Ea+b%2Ac%2Fd%28e%29"],
    ["PHP json_encode, twice", "abc/def/ghi", '"\\"abc\\\\\\/def\\\\\\/ghi\\""'],
    ["JSON.stringify inside PHP", 'abc/def"ghi', '{"a":"\\"abc\\/def\\\\\\"ghi\\""}'],
    ["Python, not ASCII, inside Python", 'größe"Qx8v', '"\\"gr\\u00f6\\u00dfe\\\\\\"Qx8v\\""'],
    ["Gson", "bPxRfiCY/EXAMPLE==", '{"k":"bPxRfiCY/EXAMPLE\\u003d\\u003d"}'],
    ["Python quoteattr", "tab\there\nand\rthere", '<a b="tab&#9;here&#10;and&#13;there"/>'],
    ["Go xml.EscapeText", "tab\there\nand\rthere", "<a>tab&#x9;here&#xA;and&#xD;there</a>"],
    ["xmlcharrefreplace", "größe Qx8v", "<a>gr&#246;&#223;e Qx8v</a>"],
    ["dash, a quote at the end", "don't Qx8v'", `PW='don'"'"'t Qx8v'"'"\nPWD='/'\n`],
    ["dash, quotes in a row", "''don''t Qx8v", `PW=''"''"'don'"''"'t Qx8v'\n`],
    ["YAML, single quotes", "it's a Qx8v's", "key: 'it''s a Qx8v''s'"],
    ["YAML, double quotes", 'größe "Qx8v"\n😀\x1b', 'key: "gr\\xF6\\xDFe \\"Qx8v\\"\\n\\U0001F600\\e"'],
    ["CSV", 'say "Qx8v" now', 'a,"say ""Qx8v"" now",b'],
  ])("is masked as it is written by %s", (_writer, value, printed) => {
    const redacted = redact(value, printed);
    expect(redacted).toContain("[REDACTED:s]");
    for (const word of value.match(/[A-Za-z0-9]{3,}/g) ?? [])
      expect(redacted.includes(word), redacted).toBe(false);
  });

  it("that is a JSON document is masked in its strings, whichever way they stand in it", () => {
    expect(redact('"hunter2secret"', "pw hunter2secret.")).toBe("pw [REDACTED:s].");
    expect(redact('\ufeff{"pw": "hunter2secret"}', "pw hunter2secret.")).toBe("pw [REDACTED:s].");
    expect(redact('{"pw": "hunter2first", "pw": "hunter2last"}', "hunter2first, hunter2last")).toBe(
      "[REDACTED:s], [REDACTED:s]",
    );
    expect(redact('{"a \\"key\\" of it": "hunter2\\"secret"}', 'a "key" of it: hunter2"secret')).toBe(
      'a "key" of it: [REDACTED:s]',
    );
  });

  it("that is a key is masked in its last line also where that is short", () => {
    const pem =
      "-----BEGIN KEY-----\nMIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAw\nAbCdEfGhIj==\n-----END KEY-----\n";
    expect(redact(pem, "  | AbCdEfGhIj==\n")).toBe("  | [REDACTED:s]\n");
    expect(redact("one line that is long enough\nAbCdEfGhIj==", "  | AbCdEfGhIj==\n")).toBe(
      "  | AbCdEfGhIj==\n",
    );
  });

  it("is looked for in no spelling twice, and in none that says the same", () => {
    for (const value of [TOKEN, WORDS, "AbCdEfGhIjKl", "a+b/c=d-e_f", `${WORDS}\n${WORDS}\r\nlast`]) {
      const bytes = spellingsOf(byteStringOf(value)).map((spelling) => spelling.bytes);
      expect(bytes).toEqual([...new Set(bytes)]);
    }
    expect(spellingsOf("AbCdEfGhIjKlMnOp").map(({ encoding }) => encoding)).toEqual([
      "raw",
      "base64",
      "base64",
      "base64",
      "hex",
      "hex",
    ]);
  });

  it.each([5, 6])("of %i bytes without its white space is too short, or not", (length) => {
    const value = ` \t${"x".repeat(length)}\n`;
    expect(isTooShort(value)).toBe(length < 6);
    expect(spellingsOf(byteStringOf(value)).length > 0).toBe(length >= 6);
  });
});

describe("a long value", () => {
  it("of 10 MB that is a JSON document is looked for in its strings", () => {
    const long = "Zk39vK20sL".repeat(1_000_000);
    const spellings = spellingsOf(JSON.stringify({ long, "a \\": 1, short: 'hunter2\\"secret' }));
    const leaves = spellings.filter(({ encoding }) => encoding === "leaf").map(({ bytes }) => bytes);
    expect(leaves).toEqual([long, 'hunter2\\"secret']);
  });

  it("that is a JSON document is masked in its strings, also escaped in other spacing, and in their lines", () => {
    const key =
      "-----BEGIN KEY-----\nMIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAw\nAbCdEfGhIj==\n-----END KEY-----\n";
    const document = { key, name: 'größe "Qx8v"', rest: "x".repeat(5000) };
    const value = JSON.stringify(document);
    const escaped = String.raw`"größe \"Qx8v\"" "gr\u00f6\u00dfe \"Qx8v\""`;
    expect(redact(value, JSON.stringify({ key }, null, 2))).toBe('{\n  "key": "[REDACTED:s]\\n"\n}');
    expect(redact(value, escaped)).toBe('"[REDACTED:s]" "[REDACTED:s]"');
    expect(redact(value, "  | MIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAw\n")).toBe("  | [REDACTED:s]\n");
    expect(redact(value, "  | AbCdEfGhIj==\n")).toBe("  | [REDACTED:s]\n");
  });

  const LINE = 'key: "value" + more\'s stuff\n';
  const random = (length: number) =>
    Uint8Array.from({ length }, (_, i) => (i * i * 31 + i * 7 + (i >> 7)) & 0xff);

  it.each([
    ["text", LINE.repeat(40_000)],
    ["base64 in lines", Buffer.from(random(700_000)).toString("base64").replace(/.{64}/g, "$&\n")],
    ["JSON", JSON.stringify(Array.from({ length: 40_000 }, (_, i) => `value-${i}-${(i * 7919) % 9973}`))],
    ["binary", random(1_000_000)],
  ])("of 1 MB of %s is looked for in so few spellings that a launch stays quick", (_kind, value) => {
    const total = spellingsOf(byteStringOf(value)).reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(total).toBeLessThan(12 * value.length);
    const bytes = Buffer.from(value as string);
    expect(redact(value, bytes.toString("base64"))).toMatch(/^\[REDACTED:s\].{0,4}$/);
    const stream = createRedactor([{ name: "s", value }]).stream();
    const shown = Buffer.concat([
      stream.write(Buffer.concat([Buffer.from("<"), bytes, Buffer.from(">")])),
      stream.end(),
    ]);
    expect(shown.toString("latin1").replace(/\s/g, "")).toBe("<[REDACTED:s]>");
  });

  it("is still masked by line, in JSON, base64 and hex", () => {
    const value = Array.from({ length: 400 }, (_, i) => `line ${i} of a "long" value`).join("\n");
    expect(value.length).toBeGreaterThan(4096);
    expect(redact(value, 'x line 123 of a "long" value y')).toBe("x [REDACTED:s] y");
    for (const text of [JSON.stringify(value), btoa(`${value}!!`), Buffer.from(value).toString("hex")]) {
      expect(redact(value, text)).toMatch(/^.{0,2}\[REDACTED:s\].{0,4}$/);
    }
  });
});
