import { describe, expect, it } from "vitest";
import { Scanner } from "../../src/scan/scanner.ts";
import { ValueFinder } from "../../src/scan/values.ts";

const scan = async (value: string, ...chunks: string[]) => {
  const finder = new ValueFinder([{ name: "g/NAME", value }]);
  const scanner = new Scanner(finder, new Map([["g/NAME", "id"]]));
  return scanner.scan({ file: "f", chunks: chunks.map((chunk) => Buffer.from(chunk)) });
};

describe("a value of the vault", () => {
  it("is found in every encoding of the redaction engine, by name", async () => {
    const value = 'Zx9"k/q+W~7vhT2m';
    const spellings = {
      raw: value,
      base64: Buffer.from(`user:${value}`).toString("base64"),
      hex: Buffer.from(value).toString("hex"),
      percent: encodeURIComponent(value),
      json: JSON.stringify(value),
    };
    for (const [encoding, text] of Object.entries(spellings)) {
      const [finding, ...others] = await scan(value, `a line\nkey: ${text}\n`);
      expect(finding, encoding).toMatchObject({ rule: "vault-value", kind: "value", line: 2 });
      expect(finding?.what).toMatch(/^the value of g\/NAME/);
      expect(JSON.stringify(finding)).not.toContain(text);
      expect(others).toEqual([]);
    }
  });

  it("counts where it stands alone when it is a word, not inside a longer one", async () => {
    expect(await scan("winter", "winterfell midwinter winter_2 Winter")).toEqual([]);
    expect(await scan("winter", "password: winter")).toHaveLength(1);
    expect(await scan("winter", `"winter"`)).toHaveLength(1);
    expect(await scan("winter-is-coming", "xwinter-is-comingx")).toHaveLength(1);
  });

  it.each([
    String.raw`{"log": "first\nhunter2pass"}`,
    String.raw`"\u000ahunter2pass"`,
    String.raw`'\x0ahunter2pass'`,
    String.raw`'\0hunter2pass'`,
    "url?password%3Dhunter2pass",
    "\x1b[31mhunter2pass\x1b[m",
    "\x1b[38;2;255;255;255;48;2;100;100;100mhunter2pass",
    "\x1b(Bhunter2pass",
    String.raw`echo '\033[1mhunter2pass\033[0m'`,
  ])("that is a word counts behind an escape, wherever chunks end: %j", async (text) => {
    expect(await scan("hunter2pass", text)).toHaveLength(1);
    const at = text.indexOf("hunter2pass");
    const search = new ValueFinder([{ name: "g/NAME", value: "hunter2pass" }]).search();
    expect([...search(Buffer.from(text.slice(0, at))), ...search(Buffer.from(text.slice(at)))]).toHaveLength(
      1,
    );
  });

  it.each(["xhunter2pass", "3Dhunter2pass", "nhunter2pass", "[31mhunter2pass"])(
    "that is a word does not count where no escape stands before it, wherever chunks end: %s",
    async (text) => {
      expect(await scan("hunter2pass", text)).toEqual([]);
      const search = new ValueFinder([{ name: "g/NAME", value: "hunter2pass" }]).search();
      search(Buffer.from(text.slice(0, -11)));
      expect(search(Buffer.from("hunter2pass"))).toEqual([]);
    },
  );

  it("that is a document is found by its secret parts, not by the public ones", async () => {
    const document = JSON.stringify({
      type: "service_account_of_cloud",
      token_uri: "https://oauth2.example.com/token",
      private_key_id: "3f1c9a7be2d84c5f90aa61",
    });
    expect(
      await scan(document, "the type is service_account_of_cloud, see https://oauth2.example.com/token"),
    ).toEqual([]);
    expect(await scan(document, "id = 3f1c9a7be2d84c5f90aa61")).toHaveLength(1);
  });

  it("has one fingerprint in a file as long as it is the same value, and another once it is not", async () => {
    const of = async (valueId: string, file: string) => {
      const finder = new ValueFinder([{ name: "g/NAME", value: "Zx9k4q7vhT2m" }]);
      const scanner = new Scanner(finder, new Map([["g/NAME", valueId]]));
      return (await scanner.scan({ file, chunks: [Buffer.from("Zx9k4q7vhT2m")] }))[0]?.fingerprint;
    };
    expect(await of("1", "f")).toBe(await of("1", "f"));
    expect(await of("2", "f")).not.toBe(await of("1", "f"));
    expect(await of("1", "g")).not.toBe(await of("1", "f"));
  });
});
