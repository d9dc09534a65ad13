import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { describe, expect, it } from "vitest";
import { DamagedAgeFile } from "../../src/age/damaged-age-file.ts";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import type { Identity, Recipient, Suite } from "../../src/age/identity.ts";
import { open } from "../../src/age/open.ts";
import { seal } from "../../src/age/seal.ts";
import { mutateBytes } from "../differential/mutate-text.ts";
import { Random } from "../differential/random.ts";
import { tempFolder } from "../fixtures/temp.ts";

// What this seals, the reference program opens, and the other way; of a changed file both say the same. AGE_PROGRAM names
// another than Debian's `age`, which knows no post-quantum files: `AGE_SUITES=classic,pq AGE_CHANGES=1000` with age 1.3 or rage.

const PROGRAM = process.env.AGE_PROGRAM ?? "age";
const SUITES = (process.env.AGE_SUITES ?? "classic").split(",") as Suite[];
const CHANGES = Number(process.env.AGE_CHANGES ?? 100);
const SIZES = [0, 1, 16, 65_535, 65_536, 65_537, 131_072, 131_073, 200_000];

interface Reader {
  readonly identity: Identity;
  readonly recipient: Recipient;
}

async function makeReaders(suite: Suite, count: number): Promise<Reader[]> {
  const identities = await Promise.all(Array.from({ length: count }, () => generateIdentity(suite)));
  return Promise.all(
    identities.map(async (identity) => ({ identity, recipient: await recipientOf(identity) })),
  );
}

function sealWithProgram(plaintext: Buffer, recipients: readonly string[]): Buffer {
  const args = recipients.flatMap((recipient) => ["-r", recipient]);
  return Buffer.from(
    execaSync(PROGRAM, args, { input: plaintext, encoding: "buffer", stripFinalNewline: false }).stdout,
  );
}

/** Undefined where it refuses. */
function openWithProgram(file: Buffer, identity: Identity): Buffer | undefined {
  const key = join(tempFolder(), "key.txt");
  writeFileSync(key, `${identity.reveal()}\n`, { mode: 0o600 });
  const options = { input: file, encoding: "buffer", reject: false, stripFinalNewline: false } as const;
  const { exitCode, stdout } = execaSync(PROGRAM, ["-d", "-i", key], options);
  return exitCode === 0 ? Buffer.from(stdout) : undefined;
}

async function openHere(file: Buffer, identity: Identity): Promise<Buffer | undefined> {
  try {
    return await open(file, identity);
  } catch (error) {
    if (error instanceof DamagedAgeFile) return undefined;
    throw error;
  }
}

describe.each(SUITES)("beside another program, suite %s", (suite) => {
  it("opens what that seals, and is opened by it, at every size around a chunk's end", async () => {
    const [{ identity, recipient }] = (await makeReaders(suite, 1)) as [Reader];
    for (const size of SIZES) {
      const plaintext = Buffer.alloc(size, "some text ");
      expect(await open(sealWithProgram(plaintext, [recipient]), identity)).toEqual(plaintext);
      expect(openWithProgram(await seal(plaintext, [recipient]), identity)).toEqual(plaintext);
    }
  });

  it("does so for each of fifty recipients, and for nobody else", async () => {
    const readers = await makeReaders(suite, 50);
    const [first, ...others] = readers.map(({ recipient }) => recipient) as [Recipient, ...Recipient[]];
    const plaintext = Buffer.from("for fifty");
    const [theirs, ours] = [
      sealWithProgram(plaintext, [first, ...others]),
      await seal(plaintext, [first, ...others]),
    ];
    for (const { identity } of readers) expect(await open(theirs, identity)).toEqual(plaintext);
    for (const { identity } of [readers[0], readers[24], readers[49]] as Reader[])
      expect(openWithProgram(ours, identity)).toEqual(plaintext);
    const stranger = await generateIdentity(suite);
    expect(await open(theirs, stranger)).toBeUndefined();
    expect(openWithProgram(ours, stranger)).toBeUndefined();
  });

  it("refuses the changed files that the program refuses, and no others", { timeout: 0 }, async () => {
    const [{ identity, recipient }, other] = (await makeReaders(suite, 2)) as [Reader, Reader];
    const plaintext = Buffer.alloc(66_000, "some text ");
    const small = await seal(Buffer.from("small"), [other.recipient, recipient]);
    const large = sealWithProgram(plaintext, [recipient]);
    for (let seed = 0; seed < CHANGES; seed++) {
      const random = new Random(seed);
      const file = mutateBytes(random, random.chance(0.8) ? small : large);
      expect(await openHere(file, identity), `change ${seed}`).toEqual(openWithProgram(file, identity));
    }
  });
});
