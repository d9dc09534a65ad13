import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { FORMAT_RULES } from "../../src/scan/formats/formats.ts";
import { isPassword } from "../../src/scan/formats/structured.ts";
import { rulesIn } from "./samples.ts";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const pick = (from: string, length: number) =>
  Array.from(randomBytes(length), (byte) => from[byte % from.length]).join("");
const alnum = (length: number) => pick(LETTERS, length);
const hex = (length: number) => pick("0123456789abcdef", length);
const uuid = () => `${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`;
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** One key of each of these services, made by its form. */
const KEYS: Readonly<Record<string, () => string>> = {
  anthropic: () => `sk-ant-api03-${alnum(93)}AA`,
  openai: () => `sk-proj-${alnum(74)}T3BlbkFJ${alnum(73)}`,
  openrouter: () => `sk-or-v1-${hex(64)}`,
  "google-ai": () => `AIza${alnum(35)}`,
  deepseek: () => `sk-${hex(32)}`,
  perplexity: () => `pplx-${alnum(48)}`,
  xai: () => `xai-${alnum(80)}`,
  replicate: () => `r8_${alnum(37)}`,
  nvidia: () => `nvapi-${alnum(64)}`,
  "named-key": () => `"cohere_api_key": "7f${alnum(38)}"`,
  authorization: () => `Authorization: Bearer 9x${alnum(38)}`,
  aws: () => `AKIA${pick("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)}`,
  github: () => `ghp_${alnum(36)}`,
  gitlab: () => `glpat-${alnum(20)}`,
  digitalocean: () => `dop_v1_${hex(64)}`,
  npm: () => `npm_${alnum(36)}`,
  pypi: () => `pypi-AgEIcHlwaS5vcmc${alnum(80)}`,
  rubygems: () => `rubygems_${hex(48)}`,
  stripe: () => `sk_live_${alnum(24)}`,
  slack: () => `xoxb-${pick("123456789", 12)}-${pick("123456789", 12)}-${alnum(24)}`,
  telegram: () => `${pick("123456789", 10)}:A${alnum(34)}`,
  plaid: () => `access-production-${uuid()}`,
  jwt: () => `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: hex(12) })}.${alnum(43)}`,
  "connection-string": () => `postgres://app:${alnum(14)}@db.internal:5432/app`,
};

describe("a key of a service is found", () => {
  it.each(Object.keys(KEYS))("of %s, in code, JSON, YAML and a variable", async (rule) => {
    const key = KEYS[rule]?.() ?? "";
    for (const text of [
      `const key = "${key}";`,
      JSON.stringify({ a: key }),
      `key: ${key}\n`,
      `export KEY=${key}\n`,
    ])
      expect(await rulesIn(text), text).toEqual([rule]);
  });

  it("whatever a comment in the file says", async () => {
    const key = KEYS.github?.();
    const text = `// secretlint-disable\n/* secretlint-disable-line */ const key = "${key}"; // gitleaks:allow vault-run:allow pragma: allowlist secret`;
    expect(await rulesIn(text)).toEqual(["github"]);
  });

  it("where secretlint alone knows it", async () => {
    expect(await rulesIn(`dapi${hex(32)}`)).toEqual(["databricks"]);
  });
});

describe("no secret is", () => {
  it.each([
    ["a password that is none", "postgres://user:password@localhost/db"],
    ["a variable in an address", "postgres://app:${DB_PASSWORD}@db/app"],
    ["what documentation shows", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE"],
    ["filler", `sk_live_${"x".repeat(24)}`],
    ["an address with a port", "http://localhost:8080/path@2x.png"],
    [
      "a digest",
      "sha512-T3BlbkFJabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijkl==",
    ],
    ["a commit id", "d52f448a228926ae35a8b2e48fe2f1586c4830d5"],
  ])("%s", async (_, text) => {
    expect(await rulesIn(text)).toEqual([]);
  });

  it("in a lock file, in bundled code and in what is random", async () => {
    const root = resolve(import.meta.dirname, "../..");
    expect(await rulesIn(readFileSync(`${root}/package-lock.json`), "package-lock.json")).toEqual([]);
    expect(await rulesIn(readFileSync(`${root}/node_modules/vite/dist/node/chunks/node.js`))).toEqual([]);
    expect(await rulesIn(randomBytes(4 * 1024 * 1024), "data.bin")).toEqual([]);
  });

  it("a placeholder for a password", () => {
    for (const text of ["password", "<password>", "$PW", "changeme", "***", "{pw}", "%s", "my-secret"])
      expect(isPassword(text), text).toBe(false);
    for (const text of ["hunter2-db", "Tr0ub4dor&3", "correct-horse"])
      expect(isPassword(text), text).toBe(true);
  });
});

describe("the rules of our own", () => {
  // Milliseconds each. What grows with the square of a text would take minutes, and end by the timeout.
  it.each([
    "a",
    "0",
    "sk-",
    "eyJ.",
    "://:",
    "https://a:",
    "Server=;",
    "ya29.",
    "-us1",
    "AGE-PLUGIN-1",
    "-----BEGIN PRIVATE KEY-----",
    "LS0tLS1CRUdJTi",
  ])(
    "get through text that is made to hold them up: %s",
    async (filler) => {
      expect(await rulesIn(filler.repeat(400_000 / filler.length))).toEqual([]);
    },
    20_000,
  );

  const fill = (word: string, length = 1024 * 1024) => word.repeat(length / word.length);
  const begin = `${"-".repeat(5)}BEGIN PRIVATE KEY${"-".repeat(5)}\n`;
  it.each([
    ["a scheme that never ends", `${fill("jdbc:")} wd=`],
    ["parameters without a password", `${fill("jdbc:a//?;?;?;?;")} wd=`],
    ["a token's beginning over and over", `x${fill("EAAM")}`],
    ["footers that never end", fill(`${begin}${"-".repeat(5)}END ${fill("KEY", 60_000)}\n`)],
  ])(
    "get through a megabyte of %s",
    async (_, text) => {
      expect(await rulesIn(text)).toEqual([]);
    },
    20_000,
  );

  it("have a stable name and an anchor each", () => {
    for (const { rule, what, anchors } of FORMAT_RULES) {
      expect(rule).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(what).toMatch(/^(a|an) /);
      expect(anchors.length).toBeGreaterThan(0);
    }
  });
});
