import { describe, expect, it } from "vitest";
import { LateRedactor } from "../../src/launch/late-redactor.ts";
import { Secret } from "../../src/vault/secret.ts";

const VALUE = "sk_live_4eC39HqLyjW";

function made(value = VALUE) {
  const bytes = Buffer.from(value);
  const matches: string[] = [];
  const secret = new Secret("stripe/API_KEY", bytes);
  const fail = () => matches.push("failed");
  const redactor = new LateRedactor([secret], ({ stream }) => matches.push(stream), fail);
  /** The value is there until what looks for it was built. */
  const isBuilt = () => bytes.every((byte) => byte === 0);
  return { redactor, matches, isBuilt };
}

const passed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const text = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces).toString();

describe("a redactor that is built late", () => {
  it("masks in the very first bytes that a program writes, in each of its streams", () => {
    const { redactor, matches, isBuilt } = made();
    redactor.started();
    const [stdout, stderr] = [redactor.stream("stdout"), redactor.stream("stderr")];
    expect(isBuilt()).toBe(false);
    expect(text(stdout.pieces(Buffer.from(`key ${VALUE}\n`)))).toBe("key [REDACTED:stripe/API_KEY]\n");
    expect(isBuilt()).toBe(true);
    expect(text(stderr.pieces(Buffer.from(VALUE.slice(0, 9))))).toBe("");
    expect(text(stderr.pieces(Buffer.from(VALUE.slice(9))))).toBe("[REDACTED:stripe/API_KEY]");
    expect(matches).toEqual(["stdout", "stderr"]);
    expect(redactor.leaks().map(({ stream, count }) => `${stream} ${count}`)).toEqual([
      "stdout 1",
      "stderr 1",
    ]);
    redactor.end();
  });

  it("is built while the program starts, where that takes longer", async () => {
    const { redactor, isBuilt } = made();
    redactor.started();
    await passed(60);
    expect(isBuilt()).toBe(true);
    expect(text(redactor.stream("stdout").pieces(Buffer.from(VALUE)))).toBe("[REDACTED:stripe/API_KEY]");
  });

  it("is never built for a program that ends in silence, and keeps no value", async () => {
    const { redactor, isBuilt } = made();
    redactor.started();
    const stream = redactor.stream("stdout");
    expect(stream.idle()).toHaveLength(0);
    expect(stream.end()).toHaveLength(0);
    expect(isBuilt()).toBe(false);
    redactor.end();
    expect(isBuilt()).toBe(true);
    expect(redactor.leaks()).toEqual([]);
    await passed(30);
  });

  it("is built before the program starts where its values are large: then that holds nothing up", () => {
    const { redactor, isBuilt } = made(VALUE.repeat(5000));
    expect(isBuilt()).toBe(true);
    redactor.end();
  });

  it("passes everything on where there is nothing to look for", () => {
    const redactor = new LateRedactor(
      [],
      () => {},
      () => {},
    );
    expect(text(redactor.stream("stdout").pieces(Buffer.from("all of it")))).toBe("all of it");
    redactor.end();
  });

  it("shows nothing once the program has ended and nothing can be looked for any more", () => {
    const { redactor, matches } = made();
    const stream = redactor.stream("stdout");
    redactor.end();
    expect(stream.pieces(Buffer.from(`key ${VALUE}`))).toEqual([]);
    expect(matches).toEqual([]);
  });

  it("shows nothing where it cannot be built, says so once, and fails", () => {
    const bytes = Buffer.from(VALUE);
    const broken = new Secret("stripe/API_KEY", bytes);
    let failures = 0;
    const redactor = new LateRedactor(
      [broken],
      () => {},
      () => failures++,
    );
    // What building it takes is gone.
    Object.defineProperty(broken, "bytes", {
      value: () => {
        throw new RangeError("no memory");
      },
    });
    const [stdout, stderr] = [redactor.stream("stdout"), redactor.stream("stderr")];
    expect(stdout.pieces(Buffer.from(VALUE))).toEqual([]);
    expect(stderr.pieces(Buffer.from(VALUE))).toEqual([]);
    expect(failures).toBe(1);
    expect(() => redactor.end()).toThrow("no memory");
  });

  it.each([
    ["a value is masked", VALUE],
    ["the last bytes are, which are half of one", VALUE.slice(0, 14)],
  ])("shows nothing more, says so once, and fails where it cannot go on as %s", (_, text) => {
    let failures = 0;
    const redactor = new LateRedactor(
      [new Secret("stripe/API_KEY", Buffer.from(VALUE))],
      () => {
        throw new RangeError("no memory");
      },
      () => failures++,
    );
    const [stdout, stderr] = [redactor.stream("stdout"), redactor.stream("stderr")];
    expect(stdout.pieces(Buffer.from(text))).toEqual([]);
    expect(stdout.end()).toHaveLength(0);
    expect(stderr.pieces(Buffer.from("some"))).toEqual([]);
    expect(stderr.end()).toHaveLength(0);
    expect(failures).toBe(1);
    expect(() => redactor.end()).toThrow("no memory");
  });

  it("names what is too short to be looked for before anything is built", () => {
    expect(made("short").redactor.tooShort).toEqual(["stripe/API_KEY"]);
    expect(made().redactor.tooShort).toEqual([]);
  });
});
