import { byteStringOf } from "../../src/redact/needle.ts";
import { spellingsOf } from "../../src/redact/needles.ts";
import type { Primitives } from "./vectors.ts";

const PEM = [
  "-----BEGIN PRIVATE KEY-----",
  "MC4CAQAwBQYDK2VwBCIEIBqfD8xWjYHq+9mKz0Tn",
  "V7cUoLr3",
  "-----END PRIVATE KEY-----",
  "",
].join("\n");
const INNER = JSON.stringify({ b: "inner-leaf-3" });
const VALUES = [
  "sk_live_51Habcdefghij",
  "short",
  'pa"ss\\word1 größe 密码 🔑 a<b>&c\'d"e\u2028x\u0085y\u00a0z',
  "two\nlines of a value that is long enough\tto count\r\nand a third",
  PEM,
  JSON.stringify({ id: "me", key: "leaf-value-1", in: { a: ["leaf two, with spaces", INNER] } }),
  "~/path:~x#y=z don't$panic",
  "a+b/c d=e",
  "x\u007fy\u001bz\u0007w{}[]|^`%",
  Buffer.from([0xff, 0x00, 0xfe, 0x80, 0x0a, 0xc3, 0x27, 0x22]),
];

/** What is looked for of each of these values: every spelling in base64, and the name of its encoding. */
export function makeSpellings(): Primitives["spellings"] {
  return VALUES.map((value) => {
    const spellings = spellingsOf(byteStringOf(value)).map(
      ({ bytes, encoding }) => [base64(bytes), encoding] as const,
    );
    return { value: Buffer.from(value).toString("base64"), spellings: Object.fromEntries(spellings) };
  });
}

function base64(byteString: string): string {
  return Buffer.from(byteString, "latin1").toString("base64");
}
