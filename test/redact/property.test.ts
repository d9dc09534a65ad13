import { describe, expect, it } from "vitest";
import { Automaton } from "../../src/redact/automaton.ts";
import { byteString, type Needle } from "../../src/redact/needle.ts";
import { spellingsOf } from "../../src/redact/needles.ts";
import type { Encoding } from "../../src/redact/redactor.ts";
import { RedactionStream } from "../../src/redact/stream.ts";
import { WrappedLines } from "../../src/redact/wrapped-lines.ts";
import { MASK, redactSlowly } from "./oracle.ts";
import { Random } from "./random.ts";

const STREAMS = Number(process.env.REDACT_STREAMS ?? 20_000);
const PAUSING_STREAMS = STREAMS / 4;

const secret = { names: ["s"], mask: Buffer.from(MASK) };
const LETTERS = ["ab", "abc", "ab\n", "aab", "abcdefgh"];
const SKIPPED = [
  ["\r"],
  ["\x1b[0m"],
  ["\n"],
  ["\r\n", "\r"],
  ["\x1b", "\x1b[1;31m", "\x1b[9\x00", "\n"],
  ["\x1b(B", "\x1b(\x00", "\x0f", "\x0e"],
  [],
];

const raw = (bytes: string): Needle => ({ secret, encoding: "raw", bytes });
const latin1 = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString("latin1");

// Holds back the end of every line, so that what is shown does not depend on how a line looks.
class AllWrapped extends WrappedLines {
  override endAt(): boolean {
    return true;
  }
}

function redact(needles: readonly Needle[], chunks: readonly Uint8Array[]): string {
  const stream = new RedactionStream(new Automaton(needles), () => {}, new AllWrapped());
  return latin1([...chunks.map((chunk) => stream.write(chunk)), stream.end()]);
}

// The bytes between masks, with idles at random places.
function writeWithIdles(needles: readonly Needle[], text: string, random: Random): string {
  const stream = new RedactionStream(new Automaton(needles), () => {});
  const output: Uint8Array[] = [];
  for (const chunk of random.chunks(text)) {
    output.push(stream.write(chunk));
    while (random.below(3) === 0) output.push(stream.idle());
  }
  return latin1([...output, stream.end()]);
}

function needlesOf(random: Random, letters: string): Needle[] {
  // Needles of six bytes and more bring in the prefilter.
  const shortest = random.pick([1, 2, 3, 6]);
  const encodings: readonly Encoding[] = ["raw", "hex"];
  return Array.from({ length: 1 + random.below(5) }, () => ({
    secret,
    encoding: random.pick(encodings),
    bytes: random.text(letters, shortest + random.below(5)),
  })).filter(({ encoding, bytes }) => encoding === "raw" || !bytes.includes("\n"));
}

describe("random streams", () => {
  it("come out as if every needle had been looked for everywhere", () => {
    for (let seed = 0; seed < STREAMS; seed++) {
      const random = new Random(seed);
      const letters = random.pick(LETTERS);
      const needles = needlesOf(random, letters);
      const skipped = random.pick(SKIPPED).flatMap((token) => [token, token]);
      const pieces = needles.flatMap(({ bytes }) => bytes.split(/(?<=^..)/));
      const tokens = [...letters, ...letters, ...skipped, ...pieces];
      // At the end a long beginning of a needle would be masked too: the NUL, which no sequence has in it, sees to it that
      // there is none.
      const text = `${random.text(tokens, random.below(90))}\0`;
      const output = redact(needles, random.chunks(text));
      const wanted = redactSlowly(text, needles);
      if (output !== wanted) expect({ seed, needles, text, output }).toBe(wanted);
    }
  });

  it("come out so too where whole blocks of text are passed over", () => {
    const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
    const encodings: readonly Encoding[] = ["raw", "hex"];
    for (let seed = 0; seed < PAUSING_STREAMS; seed++) {
      const random = new Random(seed);
      const shortest = random.pick([6, 7, 8, 9, 12, 20, 40]);
      const needles = Array.from({ length: 1 + random.below(4) }, (): Needle => {
        const bytes = random.text(letters, shortest + random.below(20));
        const encoding = random.pick(encodings);
        // A needle of several lines begins and ends in none.
        const lines = encoding === "raw" && random.below(3) === 0;
        return { secret, encoding, bytes: lines ? bytes.replace(/(?<=^.{1,7})./, "\n") : bytes };
      });
      const between = random.pick([
        ["\n"],
        ["\r\n"],
        ["\n", "\n", "\r"],
        ["\x1b[1m"],
        ["\n", "\x1b[0m", "\t"],
        ["\x1b(B\x1b[m", "\x1b[m\x0f"],
        [""],
      ]);
      const planted = needles.map(({ bytes }) =>
        random.below(2) === 0
          ? bytes
          : bytes.replace(/./gs, (byte) => byte + (random.below(8) === 0 ? random.pick(between) : "")),
      );
      const filler = () => random.text(letters, random.below(random.pick([4, 40, 200])));
      let text = "";
      while (text.length < 300) text += filler() + random.pick([...between, ...planted]);
      const output = redact(
        needles,
        random.below(2) === 0 ? [Buffer.from(`${text}.`, "latin1")] : random.chunks(`${text}.`),
      );
      const wanted = redactSlowly(`${text}.`, needles);
      if (output !== wanted) expect({ seed, needles, text, output }).toBe(wanted);
    }
  });

  it("show no needle, whatever control characters are in it and around it, and whenever they pause", () => {
    const tokens = ["a", "b", "ab", "\r", "\n", "\x1b", "\x1b[", "[", "0", "m", "(", "\x0f"];
    for (let seed = 0; seed < PAUSING_STREAMS; seed++) {
      const random = new Random(seed);
      const needles = Array.from({ length: 1 + random.below(4) }, () =>
        raw(random.text(tokens, 5 + random.below(4))),
      );
      const planted = Array.from(needles, ({ bytes }) => bytes);
      const text = random.text([...tokens, ...planted], random.below(30));
      const output = writeWithIdles(needles, text, random);
      for (const { bytes } of needles) {
        if (output.split(MASK).some((clean) => clean.includes(bytes)))
          expect({ seed, needles, text }).toBe(output);
      }
    }
  });

  it("lose and double no byte and disclose no more than four of a match, whenever they pause", () => {
    // Every byte of the text is another one, so each byte of the output tells where it comes from.
    const text = Array.from({ length: 90 }, (_, index) => String.fromCharCode(0x60 + index)).join("");
    for (let seed = 0; seed < PAUSING_STREAMS; seed++) {
      const random = new Random(seed);
      const spans = Array.from({ length: 1 + random.below(8) }, () => {
        const start = random.below(80);
        return { start, end: Math.min(start + 5 + random.below(20), text.length) };
      });
      const decoys = Array.from({ length: random.below(6) }, () => {
        const start = random.below(80);
        return raw(`${text.slice(start, start + 1 + random.below(20))}!!`.padEnd(6, "!"));
      });
      const needles = [...spans.map(({ start, end }) => raw(text.slice(start, end))), ...decoys];
      const output = writeWithIdles(needles, `${text}.`, random).slice(0, -1);

      const shown = output.replaceAll(MASK, "");
      const disclosed = spans.map(({ start, end }) =>
        [...shown].filter((byte) => text.slice(start, end).includes(byte)),
      );
      const covered = new Set(spans.flatMap(({ start, end }) => [...text.slice(start, end)]));
      const clean = [...text].filter((byte) => !covered.has(byte)).join("");
      const inOrder = [...shown].every((byte, index) => index === 0 || byte > shown.charAt(index - 1));
      const outside = [...shown].filter((byte) => !covered.has(byte)).join("");
      const most = Math.max(...disclosed.map(({ length }) => length));
      const wrong = !inOrder || outside !== clean || most > 4;
      if (wrong) expect({ seed, spans, decoys, output }).toBe("all but the matches");
    }
  });

  it("come out alike however they are cut", () => {
    const value = "tøken+/~ 7\nsecond line of it, longer";
    const needles = [value, "line of it", "dG9rZW4r"]
      .flatMap((text) => spellingsOf(byteString(text)))
      .map((spelling) => ({ ...spelling, secret }));
    const spellings = [
      value,
      btoa("tokens"),
      Buffer.from(value).toString("base64"),
      Buffer.from(value).toString("hex"),
    ];
    const tokens = spellings.flatMap((spelling) =>
      Buffer.from(spelling)
        .toString("latin1")
        .split(/(?=[3dl+\n])/),
    );
    const automaton = new Automaton(needles);
    const run = (chunks: readonly Uint8Array[]): string => {
      const stream = new RedactionStream(automaton, () => {}, new AllWrapped());
      return latin1([...chunks.map((chunk) => stream.write(chunk)), stream.end()]);
    };
    for (let seed = 0; seed < STREAMS / 4; seed++) {
      const random = new Random(seed);
      let text = random.text([...tokens, "\r", "\n", "\x1b[1m", "\x1b", " ", "(", "\x0e"], random.below(20));
      text += random.pick(spellings).replace(/./g, (byte) => byte + (random.below(9) === 0 ? "\n" : ""));
      const whole = run([Buffer.from(text, "latin1")]);
      const cut = run(random.chunks(text));
      if (cut !== whole) expect({ seed, text, cut }).toBe(whole);
    }
  });
});
