import { changed, spelled, stuffed } from "../forge.ts";
import type { Case } from "../vectors.ts";
import { AGENT, file, SECRET, type World } from "../world.ts";

/** A19: hostile and broken records. */
export function brokenCases({ files, other, forger, secret }: World): Case[] {
  return [
    file("nothing", "A19", "record-invalid", { [SECRET]: "" }),
    file("no JSON", "A19", "record-invalid", { [SECRET]: (files[SECRET] ?? "").slice(0, -3) }),
    file("more than a record can be", "A19", "record-invalid", {
      [SECRET]: { repeated: " ", times: 16 * 1024 * 1024 + 1 },
    }),
    file("nested without end", "A19", "record-invalid", { [SECRET]: { repeated: "[", times: 1_000_000 } }),
    file("nested a little too deeply", "A19", "record-invalid", {
      [SECRET]: `{"type":${"[".repeat(6)}${"]".repeat(6)}}\n`,
    }),
    file("values without end", "A19", "record-invalid", { [SECRET]: { repeated: "[],", times: 1_000_000 } }),
    file("strings without end", "A19", "record-invalid", { [SECRET]: { repeated: '""', times: 1_000_000 } }),
    file("a number of a million digits", "A19", "record-invalid", {
      [SECRET]: { repeated: "9", times: 1_000_000 },
    }),
    file("bytes that are no UTF-8", "A19", "record-invalid", {
      [SECRET]: { base64: "eyJ0eXBlIjoi/yJ9Cg==" },
    }),
    file("a byte order mark", "A19", "record-invalid", { [SECRET]: `\ufeff${files[SECRET]}` }),
    file("a key that stands twice", "A19", "record-invalid", {
      [SECRET]: (files[SECRET] ?? "").replace('  "deliver"', '  "deliver": "env",\n  "deliver"'),
    }),
    file("__proto__", "A19", "record-invalid", {
      [SECRET]: (files[SECRET] ?? "").replace("{\n", '{\n  "__proto__": {},\n'),
    }),
    file("an unknown field", "A19", "record-invalid", { [SECRET]: forger.byOwner(SECRET, { comment: "x" }) }),
    file("a field that is missing", "A19", "record-invalid", {
      [SECRET]: forger.byOwner(SECRET, { setAt: undefined }),
    }),
    file("null", "A19", "record-invalid", { [SECRET]: forger.byOwner(SECRET, { description: null }) }),
    file("NaN", "A19", "record-invalid", {
      [SECRET]: (files[SECRET] ?? "").replace(/"epoch": \d+/, '"epoch": NaN'),
    }),
    file("a whole number with a point", "A19", "record-invalid", {
      [SECRET]: (files[SECRET] ?? "").replace(/"epoch": (\d+)/, '"epoch": $1.0'),
    }),
    file("a serial of zero", "A19", "record-invalid", { [SECRET]: forger.byOwner(SECRET, { serial: 0 }) }),
    file("a serial that no number is", "A19", "record-invalid", {
      [SECRET]: forger.byOwner(SECRET, { serial: 2 ** 53 }),
    }),
    file("true where a number belongs", "A19", "record-invalid", {
      [SECRET]: forger.byOwner(SECRET, { epoch: true }),
    }),
    file("another indentation", "A19", "record-invalid", {
      [SECRET]: `${JSON.stringify(secret, null, 4)}\n`,
    }),
    file("line ends of another system", "A19", "record-invalid", {
      [SECRET]: (files[SECRET] ?? "").replaceAll("\n", "\r\n"),
    }),
    file("an escape that is not needed", "A19", "record-invalid", {
      [SECRET]: (files[SECRET] ?? "").replace('"stripe"', '"str\\u0069pe"'),
    }),
    file("half a surrogate pair", "A19", "record-invalid", {
      [SECRET]: (files[SECRET] ?? "").replace('  "epoch"', '  "description": "\\ud800",\n  "epoch"'),
    }),
    file("a description that changes the direction of text", "A19", "record-invalid", {
      [SECRET]: forger.byOwner(SECRET, { description: "a\u202eb" }),
    }),
    file("a day that does not exist", "A19", "record-invalid", {
      [SECRET]: forger.byOwner(SECRET, { setAt: "2026-02-29T00:00:00.000Z" }),
    }),
    file("a merge that was not finished", "A19", "record-invalid", {
      [SECRET]: `<<<<<<< HEAD\n${files[SECRET]}=======\n${files[SECRET]}>>>>>>> theirs\n`,
    }),
    file("base64 with a line feed", "A19", "record-invalid", {
      [SECRET]: forger.byOwner(SECRET, { sealed: `${secret.sealed}\n` }),
    }),
    file("a recipient of the other suite", "A19", "record-invalid", {
      [AGENT]: forger.byOwner(AGENT, {
        recipient: other.files[AGENT] === undefined ? "" : JSON.parse(other.files[AGENT]).recipient,
      }),
    }),
    file("a signature that is none", "A19", "record-invalid", {
      [SECRET]: spelled({ ...secret, signatures: [] }),
    }),
    file("sixty-five signatures", "A19", "record-invalid", {
      [SECRET]: spelled({
        ...secret,
        signatures: Array.from({ length: 65 }, () => (secret.signatures as object[])[0]),
      }),
    }),
    file("the same signature twice", "A19", "record-signature", {
      [SECRET]: spelled({
        ...secret,
        signatures: [...(secret.signatures as object[]), ...(secret.signatures as object[])],
      }),
    }),
    file("what is no age file", "A19", "sealed-damaged", {
      [SECRET]: forger.byOwner(SECRET, { sealed: "AAAA" }),
    }),
    file("an age file that was cut", "A19", "sealed-damaged", {
      [SECRET]: forger.byOwner(SECRET, { sealed: changed(secret.sealed, (age) => age.subarray(0, -20)) }),
    }),
    file("an age file whose last byte was changed", "A19", "sealed-damaged", {
      [SECRET]: forger.byOwner(SECRET, {
        sealed: changed(secret.sealed, (age) =>
          Buffer.concat([age.subarray(0, -1), Buffer.of((age.at(-1) ?? 0) ^ 1)]),
        ),
      }),
    }),
    file("an age file with thousands of stanzas", "A19", "sealed-damaged", {
      [SECRET]: forger.byOwner(SECRET, { sealed: changed(secret.sealed, (age) => stuffed(age, 5000)) }),
    }),
    file("a vault of a format to come", "A19", "format-newer", {
      "vault.json": (files["vault.json"] ?? "").replace('"format": 1', '"format": 2'),
    }),
  ];
}
