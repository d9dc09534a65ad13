import { execFileSync } from "node:child_process";
import { beforeEach, describe, expect, it } from "vitest";
import { isAnyIdentity } from "../../src/age/any-identity.ts";
import { bech32Identity, type KeySample, keySamples, rulesIn } from "./samples.ts";

const indented = (text: string, by: string) => text.replaceAll(/^(?=.)/gm, by);
const lines = (text: string) => text.split("\n").map((line) => `${line}\n`);
const base64 = (text: string) => Buffer.from(text).toString("base64");

const PLACES: readonly (readonly [string, (key: string) => string | Uint8Array])[] = [
  ["in a file", (key) => key],
  ["behind other text", (key) => `some words\n\n${key}\nand more`],
  ["with CRLF", (key) => key.replaceAll("\n", "\r\n")],
  ["in a JSON string", (key) => JSON.stringify({ key })],
  ["in JSON in a JSON string", (key) => JSON.stringify({ secret: JSON.stringify({ key }) })],
  ["in a notebook", (key) => JSON.stringify({ cells: [{ source: lines(key) }] }, null, 1)],
  ["indented in YAML", (key) => `secrets:\n  key: |\n${indented(key, "    ")}`],
  ["in a YAML string", (key) => `key: "${key.replaceAll("\n", "\\n")}"`],
  ["behind comment signs", (key) => indented(key, "# ")],
  ["in a commit message", (key) => `fix the build\n\n${indented(key, "  ")}`],
  ["in a variable's one line", (key) => `KEY='${key.replaceAll("\n", "\\n")}'`],
  ["in base64 in one line", (key) => `data:\n  key: ${base64(key)}\n`],
  ["in base64 behind one byte", (key) => base64(`x${key}`)],
  ["in base64 behind two bytes", (key) => base64(`xy${key}`)],
  ["in wrapped base64", (key) => (base64(key).match(/.{1,76}/g) ?? []).join("\n")],
  ["in base64 of JSON", (key) => base64(JSON.stringify({ key }))],
  ["in UTF-16", (key) => Buffer.from(`\ufeff${key}`, "utf16le")],
  [
    "behind what says that it is UTF-16",
    (key) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(key)]),
  ],
  [
    "behind what says that it is UTF-16 the other way round",
    (key) => Buffer.concat([Buffer.from([0xfe, 0xff, 0x0a]), Buffer.from(key)]),
  ],
  ["in a binary file", (key) => Buffer.concat([Buffer.alloc(300), Buffer.from(key), Buffer.alloc(300)])],
];

describe("a private key is found", () => {
  let samples: KeySample[] = [];
  beforeEach(() => {
    samples = keySamples();
  });

  it.each(PLACES)("%s, of every kind", async (_, put) => {
    for (const { name, text } of samples) {
      const rule = name.startsWith("age") ? "age-identity" : "private-key";
      expect(await rulesIn(put(text)), name).toEqual([rule]);
    }
  });

  it("with the place where it begins", async () => {
    const { Scanner } = await import("../../src/scan/scanner.ts");
    const text = `ä\nzwölf ${keySamples()[0]?.text}`;
    const [finding] = await new Scanner(undefined, new Map()).scan({
      file: "f",
      chunks: [Buffer.from(text)],
    });
    expect(finding).toMatchObject({ line: 2, column: 7, kind: "key" });
  });
});

describe("a private key without a footer", () => {
  const PUT: readonly (readonly [string, (key: string) => string])[] = [
    ["in a file", (key) => key],
    ["with CRLF", (key) => key.replaceAll("\n", "\r\n")],
    ["in a JSON string", (key) => JSON.stringify({ key })],
    ["behind comment signs", (key) => indented(key, "# ")],
    ["in a variable's one line", (key) => `KEY='${key.replaceAll("\n", "\\n")}'`],
  ];
  const found = async (text: string) => {
    const { Scanner } = await import("../../src/scan/scanner.ts");
    return new Scanner(undefined, new Map()).scan({ file: "f", chunks: [Buffer.from(text)] });
  };

  it.each(PUT)("is another finding than a key of the same kind, %s", async (_, put) => {
    for (const kind of ["OpenSSH", "PKCS#1", "PGP"]) {
      const [one, other] = [keySamples(), keySamples()].map(
        (samples) => samples.find(({ name }) => name === kind)?.text.split(/-{5}END/)[0] ?? "",
      );
      const texts = [one, other, one].map((key) => put(key ?? ""));
      const [first, second, third] = await Promise.all(texts.map(found));
      expect(first, kind).toHaveLength(1);
      expect(second?.[0]?.fingerprint).not.toBe(first?.[0]?.fingerprint);
      expect(third).toEqual(first);
    }
  });
});

describe("no private key is", () => {
  it("an identity whose checksum does not hold", async () => {
    const identity = bech32Identity("age-secret-key-");
    const broken = identity.slice(0, -1) + (identity.endsWith("Q") ? "P" : "Q");
    expect(isAnyIdentity(identity)).toBe(true);
    expect(isAnyIdentity(broken)).toBe(false);
    expect(isAnyIdentity(identity.toLowerCase())).toBe(true);
    expect(isAnyIdentity(identity.slice(0, 20) + identity.slice(20).toLowerCase())).toBe(false);
    expect(await rulesIn(broken)).toEqual([]);
    expect(
      await rulesIn("AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ"),
    ).toEqual([]);
  });

  it("a header without a key, a public key, a recipient or a certificate", async () => {
    const dashes = "-----";
    const header = (what: string) => `${dashes}BEGIN ${what}${dashes}`;
    const footer = (what: string) => `${dashes}END ${what}${dashes}`;
    const code = `if (text.startsWith("${header("PRIVATE KEY")}")) return text.endsWith("${footer("PRIVATE KEY")}");`;
    expect(await rulesIn(code)).toEqual([]);
    const prose = `A file that begins with ${header("PRIVATE KEY")} is followed by lines of base64 and ends with its footer`;
    expect(await rulesIn(prose)).toEqual([]);
    expect(
      await rulesIn(`[\n  "${header("PRIVATE KEY")}",\n  "isFollowedByAList", "ofOtherWords2", "andMore"\n]`),
    ).toEqual([]);
    expect(await rulesIn(`${header("PRIVATE KEY")}\n...\n${footer("PRIVATE KEY")}`)).toEqual([]);
    expect(
      await rulesIn(`${header("RSA PRIVATE KEY")}\n${"x".repeat(64)}\n${footer("RSA PRIVATE KEY")}`),
    ).toEqual([]);
    const pem = execFileSync("openssl", ["genpkey", "-algorithm", "ed25519"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const publicKey = execFileSync("openssl", ["pkey", "-pubout"], { input: pem }).toString();
    expect(await rulesIn(publicKey)).toEqual([]);
    expect(await rulesIn(`ssh-ed25519 ${Buffer.alloc(51, 7).toString("base64")} me@host`)).toEqual([]);
    expect(await rulesIn("age1wqpnymvzry0qw8gtajkd4e73nphdg3dquwp4u3vkjavkydntfshshnnued")).toEqual([]);
  });
});
