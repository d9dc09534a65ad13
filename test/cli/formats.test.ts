import { parseEnv } from "node:util";
import { execaSync } from "execa";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDotenv, parseDotenv } from "../../src/cli/formats/dotenv.ts";
import { formatGithub, formatGithubMask } from "../../src/cli/formats/github.ts";
import { formatJson, parseJson } from "../../src/cli/formats/json.ts";
import { formatShell } from "../../src/cli/formats/shell.ts";
import type { NamedValue, Source } from "../../src/cli/formats/source.ts";
import { Secret } from "../../src/vault/secret.ts";
import { VaultError } from "../../src/vault-error.ts";

const named = (values: Record<string, string>): NamedValue[] =>
  Object.entries(values).map(([name, value]) => ({
    name,
    value: new Secret(`g/${name}`, Buffer.from(value)),
  }));
const read = (source: Source) =>
  Object.fromEntries(source.entries.map(({ name, value }) => [name, value.reveal()]));

const NAME = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/).filter((name) => name !== "__proto__");
/** Text that is hard on quoting, and any other. */
const HARD = fc.string({ unit: fc.constantFrom(..."'\"`\\\n\r\t #=$!%{}<>;&|abn ü😀") });
const VALUE = fc
  .oneof(HARD, fc.string({ unit: "binary" }))
  .filter((text) => text !== "" && !text.includes("\0"));
const VALUES = fc.dictionary(NAME, VALUE, { maxKeys: 6, noNullPrototype: true });

describe("a .env file", () => {
  it("that was exported is read back as it was, by import and by node alone, or is refused", () => {
    let written = 0;
    fc.assert(
      fc.property(VALUES, (values) => {
        let text: string;
        try {
          text = formatDotenv(named(values));
        } catch (error) {
          expect(error).toBeInstanceOf(VaultError);
          // What node cannot read back in any spelling of it.
          const hard = Object.values(values).some((value) => /\r/.test(value) || /['"`]/.test(value));
          expect(hard).toBe(true);
          return;
        }
        written++;
        expect(read(parseDotenv(text, "x"))).toEqual(values);
        expect(parseDotenv(text, "x").cut).toEqual([]);
        expect({ ...parseEnv(text) }).toEqual(values);
      }),
      { numRuns: 3000 },
    );
    expect(written).toBeGreaterThan(500);
  });

  it("names the value that it cannot hold, and never says what it is", () => {
    for (const value of ["carriage\rreturn", "all' three\" quotes`\nand a line"]) {
      const attempt = () => formatDotenv(named({ A: "fine", HARD: value }));
      expect(attempt).toThrow(
        expect.objectContaining({ code: "bad-value", message: expect.stringContaining("g/HARD") }),
      );
      expect(attempt).not.toThrow(/carriage\r|three/);
    }
  });

  it("is read with comments, exports, quotes, CRLF and several lines", () => {
    const text = "# c\r\nexport A=1 # one\r\n\r\n B = 'x y'\nC=\"two\nA=lines\" # c\nD=`it's`\nE=a=b#c\nF=";
    expect(read(parseDotenv(text, "x"))).toEqual({
      A: "1",
      B: "x y",
      C: "two\nA=lines",
      D: "it's",
      E: "a=b",
      F: "",
    });
  });

  it("says which names stand in it more than once, and not what only looks like one", () => {
    expect(parseDotenv("A=1\nB='\nA=2\n'\nC=3\nC=4\n", "x").repeated).toEqual(["C"]);
  });

  it("says which values node ends before others would", () => {
    const text = [
      "A=abc#def",
      'B="a"b',
      "C=it's#x",
      "export D='a'  b",
      "E=one",
      "E=one#two",
      "FINE=a b # c#d",
      'COMMENT="a" # b',
      'QUOTED="a#b"',
      'OPEN="a#b',
      "EMPTY=#x",
      "LATER=a#b",
      "LATER=a",
    ].join("\n");
    const { cut, entries } = parseDotenv(text, "x");
    expect(cut).toEqual(["A", "B", "C", "D", "E"]);
    const parsed = parseEnv(text);
    for (const { name, value } of entries) expect(value.reveal()).toBe(parsed[name]);
  });

  it.each([
    ["spaces before nothing", `${" ".repeat(1_000_000)}x${"y".repeat(1_000_000)}`],
    ["spaces behind a name", `A${" ".repeat(2_000_000)}`],
    ["many words", "a ".repeat(1_000_000)],
  ])("of %s is refused without a long search", (_, text) => {
    expect(() => parseDotenv(text, "x")).toThrow("line 1 is neither");
  });

  it("says which name node does not read", () => {
    expect(parseDotenv("__proto__=1\nA=2\n", "x").skipped.map(({ name }) => name)).toEqual(["__proto__"]);
  });

  it("with a line that is no assignment is refused by the line's number: it may be half a value", () => {
    const key = "A=1\nKEY=-----BEGIN KEY-----\nc2VjcmV0\nZW5k==\n-----END KEY-----\n";
    expect(() => parseDotenv(key, ".env")).toThrow("line 3 is neither NAME=value nor a comment: .env");
  });
});

describe("a JSON object", () => {
  it("that was exported is read back as it was", () => {
    fc.assert(
      fc.property(fc.dictionary(NAME, fc.string({ unit: "binary" }), { noNullPrototype: true }), (values) => {
        expect(read(parseJson(formatJson(named(values)), "x"))).toEqual(values);
      }),
    );
  });

  it("says which names stand in it more than once, and not those further in", () => {
    const text = String.raw`{"A": 1, "B" : ["A", {"A": 1, "A": 2}], "\u0041": "x\":", "C": "\\", "C":{}}`;
    expect(parseJson(text, "x").repeated).toEqual(["A", "C"]);
    expect(parseJson('{"A":"\\"A\\":1"}', "x").repeated).toEqual([]);
    expect(parseJson(`{"A":"${"\\n".repeat(4_000_000)}","A":1}`, "x").repeated).toEqual(["A"]);
  });

  it("gives numbers and booleans as they are spelled, and names what it cannot give", () => {
    const source = parseJson(
      '{"A":12345678901234567890,"B":1.50,"C":true,"N":{"x":1},"L":[],"Z":null,"S":"\\ud800"}',
      "x",
    );
    expect(read(source)).toEqual({ A: "12345678901234567890", B: "1.50", C: "true" });
    expect(source.skipped.map(({ name, why }) => `${name} ${why}`)).toEqual([
      "N it is an object",
      "L it is a list",
      "Z it is null",
      "S it holds half a character (a lone surrogate)",
    ]);
  });

  it.each(['{"A": "sk_live_51H', '["sk_live_51H"]', '"sk_live_51H"'])(
    "that is none is refused: %s",
    (text) => {
      try {
        parseJson(text, "x");
        expect.unreachable();
      } catch (error) {
        expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("51H");
      }
    },
  );
});

describe("shell lines", () => {
  it("are what they were once /bin/sh has read them", () => {
    fc.assert(
      fc.property(VALUES, (all) => {
        // sh keeps no bytes that are not text, and these names are its own.
        const values = Object.fromEntries(Object.entries(all).map(([name, value]) => [`V_${name}`, value]));
        const names = Object.keys(values).map((name) => `"$${name}"`);
        const script = `${formatShell(named(values))}printf '%s\\0' ${names.join(" ")}`;
        const { stdout } = execaSync("/bin/sh", ["-c", script], { stripFinalNewline: false });
        expect(stdout).toBe(
          names.length === 0
            ? "\0"
            : Object.values(values)
                .map((value) => `${value}\0`)
                .join(""),
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe("lines for GITHUB_ENV", () => {
  it("hold each value whole between delimiters that nobody can foresee", () => {
    const values = { A: "one", B: "two\nlines\n", C: "end-0\nX=1" };
    const text = formatGithub(named(values));
    const [, delimiter = ""] = /<<(end-[0-9a-f]{32})\n/.exec(text) ?? [];
    expect(readAsRunner(text)).toEqual(values);
    expect(formatGithub(named(values))).not.toContain(delimiter);
  });

  it("refuse the one variable that GitHub takes from no step", () => {
    expect(() => formatGithub(named({ NODE_OPTIONS: "--x" }))).toThrow("g/NODE_OPTIONS");
  });

  it("have masks apart, each on one line", () => {
    expect(formatGithubMask(named({ A: "50%\r\nrest" }))).toBe("::add-mask::50%25%0D%0Arest\n");
  });
});

/** As the runner reads the file (its EnvFileKeyValuePairs): up to the line that is the delimiter. */
function readAsRunner(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  const lines = text.split("\n");
  while (lines.length > 1) {
    const [name = "", delimiter = ""] = (lines.shift() ?? "").split("<<");
    const end = lines.indexOf(delimiter);
    found[name] = lines
      .splice(0, end + 1)
      .slice(0, -1)
      .join("\n");
  }
  return found;
}

describe("a file of more values than an import takes", () => {
  it("is refused before any is kept", () => {
    const count = 50_001;
    const lines = Array.from({ length: count }, (_, at) => `A${at}=x\n`).join("");
    const fields = JSON.stringify(
      Object.fromEntries(Array.from({ length: count + 1 }, (_, at) => [`A${at}`, "x"])),
    );
    expect(() => parseDotenv(lines, "a file")).toThrow(VaultError);
    expect(() => parseJson(fields, "a file")).toThrow(VaultError);
    expect(() => parseJson(`{"A":${"[".repeat(100_000)}`, "a file")).toThrow("nested too deeply");
  });
});
