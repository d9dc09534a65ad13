import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { Identity, parseRecipient } from "../../src/age/identity.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { keyFingerprint } from "../../src/vault/fingerprint.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { findPlace } from "../../src/vault/paths.ts";
import { Pins } from "../../src/vault/pins.ts";
import { isDescription } from "../../src/vault/schema.ts";
import { isTimestamp } from "../../src/vault/time.ts";
import { isUnsafeVariable } from "../../src/vault/unsafe-names.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { codeOf } from "../fixtures/vault.ts";
import { pinsIn } from "../vectors/make-primitives.ts";
import { makeSpellings } from "../vectors/make-spellings.ts";
import { VectorMachine } from "../vectors/read-case.ts";
import { readPrimitives, readVaults } from "../vectors/vectors.ts";

const vaults = readVaults();
const primitives = readPrimitives();

describe("the vectors", () => {
  it("hold a vault of each suite, with every kind of record", () => {
    expect(new Set(vaults.map(({ suite }) => suite))).toEqual(new Set(["classic", "pq"]));
    for (const { files } of vaults) {
      const records = Object.values(files).map((text) => JSON.parse(text));
      const kinds = new Set(records.map(({ type, of }) => (of === undefined ? type : `removed ${of}`)));
      const all = [
        "vault",
        "allow",
        "agent",
        "grant",
        "group",
        "secret",
        "removed agent",
        "removed grant",
        "removed secret",
      ];
      expect(kinds).toEqual(new Set(all));
    }
  });

  it("perform each attack on a reader that the threat model lists", () => {
    for (const { cases } of vaults) {
      const threats = new Set(cases.map(({ threat }) => threat));
      for (const threat of ["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A13", "A19"])
        expect(threats).toContain(threat);
    }
  });

  it("bring about every refusal that a reader can meet on a vault", () => {
    const page = readFileSync(resolve(import.meta.dirname, "../../docs/FORMAT.md"), "utf8");
    const section = page.slice(page.indexOf("## 11. Error codes"), page.indexOf("## 12."));
    const codes = section
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .flatMap((line) => {
        return [...(line.split("|")[1] ?? "").matchAll(/`([a-z-]+)`/g)].map((match) => match[1] ?? "");
      });
    // What an owner meets, what the machine brings about, and what is of the command line or the commit only.
    const others = new Set(
      "unknown-owner last-owner exists no-key audit audit-rewritten locked interrupted usage bad-time no-terminal canceled no-repository git-missing git-not-ready git-failed passphrase keychain".split(
        " ",
      ),
    );
    for (const { cases } of vaults) {
      const met = new Set(cases.flatMap(({ steps }) => steps.map(({ code }) => code)));
      met.delete(undefined);
      expect(met).toEqual(new Set(codes.filter((code) => !others.has(code))));
    }
  });
});

describe.each(vaults.map((vectors) => [`${vectors.version}, ${vectors.suite}`, vectors] as const))(
  "the vault of version %s",
  (_, vectors) => {
    it.each(vectors.cases.map((example) => [example.name, example] as const))(
      "%s",
      async (_, { steps, pins }) => {
        const machine = new VectorMachine(tempFolder(), vectors, pins);
        for (const step of steps) {
          const { value, variables, code } = step;
          expect(await machine.read(step)).toEqual(JSON.parse(JSON.stringify({ value, variables, code })));
        }
      },
    );

    it("leaves pins as written down", async () => {
      const machine = new VectorMachine(tempFolder(), vectors);
      await machine.read({ get: "stripe/API_KEY" });
      const pins = new Pins(`${machine.home}/.local/state/vault-run/${vectors.vault}`);
      const found = pins.paths().map((path) => [path, pins.find(path)]);
      expect(Object.fromEntries(found)).toEqual(vectors.pinned);
    });
  },
);

describe("of single texts", () => {
  const judge = (found: readonly { text: string; valid: boolean }[], accepts: (text: string) => boolean) => {
    for (const { text, valid } of found) expect(accepts(text), JSON.stringify(text)).toBe(valid);
  };

  it("identities are told from others, and derive their keys", () => {
    for (const { text, verifyKey, fingerprint } of primitives.identities) {
      const identity = Identity.parse(text);
      const derived = identity === undefined ? null : SigningKey.derive(identity).verifyKey;
      expect(derived, text).toBe(verifyKey);
      expect(derived === null ? null : keyFingerprint(derived)).toBe(fingerprint);
    }
  });

  it("recipients, times, descriptions, paths and variables are told from others", () => {
    judge(primitives.recipients, (text) => parseRecipient(text) !== undefined);
    judge(primitives.times, isTimestamp);
    judge(primitives.descriptions, isDescription);
    judge(primitives.recordPaths, (text) => findPlace(text) !== undefined);
    judge(primitives.unsafeVariables, isUnsafeVariable);
  });

  it("places of secrets are told from others", async () => {
    for (const { text, valid } of primitives.refs)
      expect(await codeOf(() => parseSecretRef(text))).toBe(valid ? undefined : "bad-name");
  });

  it("values are looked for in the spellings that are written down", () => {
    expect(makeSpellings()).toEqual(primitives.spellings);
  });

  it("key files are read to their pins, or refused", () => {
    for (const { text, pins } of primitives.keyFiles)
      expect(pinsIn(text), JSON.stringify(text)).toEqual(pins);
  });
});
