import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { tempFolder } from "../fixtures/temp.ts";
import { readVaults } from "../vectors/vectors.ts";
import { Comparer } from "./compare.ts";

// Two readers of one format, written apart, on vaults in which something was changed: each must say the same of each.
// `npm run differential` does it a million times; DIFFERENTIAL_SEED says where to begin.

const COUNT = Number(process.env.DIFFERENTIAL_MUTATIONS ?? 2000);
const SEED = Number(process.env.DIFFERENTIAL_SEED ?? 1);
/** Mutations that the readers once disagreed on. */
const FOUND = [470, 101_719, 110_224, 111_337, 111_377, 364_214, 1_164_229];
const CODES = [
  "record-invalid",
  "record-signature",
  "sealed-damaged",
  "sealed-context",
  "key-file",
  "disk",
  "untrusted",
];

beforeAll(() => {
  execFileSync("sh", ["scripts/python.sh"], { cwd: resolve(import.meta.dirname, "../..") });
}, 600_000);

describe.each(readVaults().map((vectors) => [vectors.suite, vectors] as const))(
  "a changed vault, suite %s",
  (_, vectors) => {
    it("is read, or refused by the same code, in TypeScript and in Python", { timeout: 0 }, async () => {
      const comparer = new Comparer(tempFolder(), vectors);
      try {
        const { outcomes, differences } = await comparer.compare(SEED, Math.ceil(COUNT / 2));
        expect(differences.slice(0, 5)).toEqual([]);
        for (const code of [...CODES, "opened"]) expect(outcomes.get(code) ?? 0, code).toBeGreaterThan(0);
      } finally {
        comparer.close();
      }
    });

    it("comes out alike where it once did not", async () => {
      const comparer = new Comparer(tempFolder(), vectors);
      try {
        for (const seed of FOUND) expect((await comparer.compare(seed, 1)).differences).toEqual([]);
      } finally {
        comparer.close();
      }
    });
  },
);
