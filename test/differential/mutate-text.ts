import type { Random } from "./random.ts";

// Changes that know nothing of a text but its bytes and how JSON and key files are spelled.

const PIECES = [
  "\n",
  "\r\n",
  " ",
  "\t",
  "\0",
  "\ufeff",
  "\u2028",
  "\u00a0",
  "\u0085",
  "\u001c",
  "\u200b",
  "\u180e",
  "#",
  ",",
  ":",
  "=",
  '"',
  "\\",
  "\\u0041",
  "\\ud800",
  "{",
  "}",
  "[]",
  "null",
  "true",
  "-0",
  "1.0",
  "1e3",
  "01",
  "9007199254740993",
  "é",
  "e\u0301",
  "\u0130",
  "\u017f",
  "K",
  "٣",
  "１",
  "//",
  "NaN",
  "Infinity",
  "-----BEGIN AGE ENCRYPTED FILE-----",
]; // prettier-ignore

/** A few bytes changed, put in or taken out. */
export function mutateBytes(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  const before = bytes.subarray(0, at);
  switch (random.below(6)) {
    case 0:
      return before;
    case 1: {
      const changed = Buffer.from(bytes);
      if (at < changed.length) changed[at] = changed.readUInt8(at) ^ (1 << random.below(8));
      return changed;
    }
    case 2:
      return Buffer.concat([before, Buffer.of(random.below(256)), bytes.subarray(at)]);
    case 3:
      return Buffer.concat([before, bytes.subarray(at + 1 + random.below(8))]);
    case 4:
      return Buffer.concat([before, Buffer.from(random.of(PIECES)), bytes.subarray(at + random.below(2))]);
    default:
      return Buffer.concat([bytes, Buffer.from(random.of(PIECES))]);
  }
}

/** The same JSON, or nearly, in another spelling. */
export function respell(random: Random, text: string): string {
  const lines = text.split("\n");
  const at = random.below(lines.length);
  const line = lines[at] ?? "";
  switch (random.below(9)) {
    case 0:
      return lines.toSpliced(at, 0, line).join("\n");
    case 1:
      return lines.toSpliced(at, 1).join("\n");
    case 2:
      return text.replaceAll("\n", "\r\n");
    case 3:
      return text.replace(
        /": (\d+)/,
        random.of(['": $1.0', '": $1e0', '": 0$1', '": +$1', '": -$1', '": "$1"']),
      );
    case 4: {
      const letters = [...line.matchAll(/[a-z]/g)];
      const letter = letters[random.below(Math.max(1, letters.length))];
      if (letter === undefined) return text;
      const spelling = `\\u${letter[0].charCodeAt(0).toString(16).padStart(4, "0")}`;
      return lines.with(at, line.slice(0, letter.index) + spelling + line.slice(letter.index + 1)).join("\n");
    }
    case 5:
      return JSON.stringify(JSON.parse(text), null, random.below(5)) + "\n".repeat(random.below(3));
    case 6:
      return lines.with(at, random.of([` ${line}`, `${line} `, `\t${line}`, line.trimStart()])).join("\n");
    case 7:
      return text.replaceAll("/", "\\/");
    default:
      return lines
        .with(
          at,
          line.replace(/,?$/, (comma) => (comma === "" ? "," : "")),
        )
        .join("\n");
  }
}
