import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAgentName, parseGroupName, parseSecretName } from "../../src/vault/names.ts";
import { agentPath, grantPath, type RecordPath, secretPath, VAULT_PATH } from "../../src/vault/paths.ts";
import { decodeRecord, encodeRecord, MAX_RECORD_BYTES, signedBytes } from "../../src/vault/record.ts";
import { VaultError, type VaultErrorCode } from "../../src/vault-error.ts";

const path = secretPath(parseGroupName("stripe"), parseSecretName("API_KEY"));
const signature = {
  key: Buffer.alloc(32, 1).toString("base64"),
  alg: "ed25519",
  sig: Buffer.alloc(64, 2).toString("base64"),
};
const record = {
  type: "secret",
  vault: "0123456789abcdef0123456789abcdef",
  serial: 1_700_000_000_000,
  group: "stripe",
  name: "API_KEY",
  epoch: 1,
  valueId: "00112233445566778899aabbccddeeff",
  setAt: "2026-11-23T12:00:00.000Z",
  description: "the key · für alle",
  deliver: "env",
  exposedTo: [
    { agent: "crawler", key: "00112233445566778899aabbccddeeff", since: "2026-11-23T12:00:00.000Z" },
  ],
  sealed: "AAAA",
  signatures: [signature],
};
const good = encodeRecord(record as never);

function codeOf(bytes: Buffer, at: RecordPath = path): VaultErrorCode | undefined {
  try {
    decodeRecord(at, bytes);
    return undefined;
  } catch (error) {
    if (error instanceof VaultError) return error.code;
    throw error;
  }
}

const edited = (edit: (text: string) => string) => Buffer.from(edit(good.toString("utf8")));
const encoded = (change: object) => encodeRecord({ ...record, ...change } as never);

describe("a record's file", () => {
  it("is read back as it was written", () => {
    expect(decodeRecord(path, good)).toEqual(record);
    expect(good.toString("utf8")).toMatch(
      /^\{\n {2}"deliver": "env",\n {2}"description": "the key · für alle",\n[\s\S]*\n\}\n$/,
    );
  });

  it("is refused wherever one of its bytes is another (A10: what is parsed is what is verified)", () => {
    const accepted: number[] = [];
    for (let i = 0; i < good.length; i++) {
      for (const bit of [1, 2, 4, 0x20, 0x80]) {
        const changed = Buffer.from(good);
        changed[i] = (changed[i] ?? 0) ^ bit;
        // Some changes make another record: then the bytes that were signed differ.
        if (codeOf(changed) !== undefined) continue;
        if (signedBytes(decodeRecord(path, changed)).equals(signedBytes(record as never)) && !inSignatures(i))
          accepted.push(i);
      }
    }
    expect(accepted).toEqual([]);
  });

  it.each([
    ["a duplicate key", (text: string) => text.replace('"epoch": 1,', '"epoch": 2,\n  "epoch": 1,')],
    [
      "a duplicate key spelled with an escape",
      (text: string) => text.replace('"epoch": 1,', '"epoch": 1,\n  "\\u0065poch": 1,'),
    ],
    ["an unknown field", (text: string) => text.replace('"epoch": 1,', '"admin": true,\n  "epoch": 1,')],
    ["__proto__", (text: string) => text.replace('"epoch": 1,', '"__proto__": {"x": 1},\n  "epoch": 1,')],
    ["other spaces", (text: string) => text.replaceAll("\n  ", "\n\t")],
    ["no final newline", (text: string) => text.trimEnd()],
    ["a second newline", (text: string) => `${text}\n`],
    ["CRLF", (text: string) => text.replaceAll("\n", "\r\n")],
    ["a byte order mark", (text: string) => `\ufeff${text}`],
    ["another number's spelling", (text: string) => text.replace('"epoch": 1,', '"epoch": 1.0,')],
    ["a number in a string's place", (text: string) => text.replace('"epoch": 1,', '"epoch": "1",')],
    ["a negative epoch", (text: string) => text.replace('"epoch": 1,', '"epoch": -1,')],
    [
      "an epoch beyond safe integers",
      (text: string) => text.replace('"epoch": 1,', '"epoch": 9007199254740993,'),
    ],
    ["a missing field", (text: string) => text.replace('"epoch": 1,\n  ', "")],
    [
      "an unsorted key",
      (text: string) =>
        text
          .replace('  "deliver": "env",\n', "")
          .replace('  "epoch": 1,', '  "epoch": 1,\n  "deliver": "env",'),
    ],
    ["sloppy base64", (text: string) => text.replace('"AAAA"', '"AAA"')],
    ["empty ciphertext", (text: string) => text.replace('"AAAA"', '""')],
    ["git's conflict markers", (text: string) => `<<<<<<< ours\n${text}>>>>>>> theirs\n`],
    ["a null", () => "null\n"],
    ["an array", () => "[]\n"],
    ["nothing", () => ""],
  ])("is refused with %s", (_, edit) => {
    expect(codeOf(edited(edit))).toBe("record-invalid");
  });

  it.each([
    ["a control character in a description", { description: "a\u001b[31mb" }],
    ["a line break in a description", { description: "a\nb" }],
    ["a right-to-left override in a description", { description: "a\u202eb" }],
    ["a long description", { description: "x".repeat(1025) }],
    ["a name outside the grammar", { name: "../API_KEY" }],
    ["no signature", { signatures: [] }],
    ["another type", { type: "secrets" }],
    ["a type from the prototype", { type: "constructor" }],
    ["an unknown delivery", { deliver: "argv" }],
  ])("is refused with %s", (_, change) => {
    expect(codeOf(encoded(change))).toBe("record-invalid");
  });

  it("is refused with half a character in a description, which JSON can spell", () => {
    const half = edited((text) => text.replace("the key · für alle", "a\\ud800"));
    expect(codeOf(half)).toBe("record-invalid");
  });

  it("is refused at another place than its own (A4)", () => {
    expect(codeOf(good, secretPath(parseGroupName("stripe"), parseSecretName("TEST_KEY")))).toBe(
      "record-invalid",
    );
    expect(codeOf(good, secretPath(parseGroupName("prod"), parseSecretName("API_KEY")))).toBe(
      "record-invalid",
    );
    expect(codeOf(good, agentPath(parseAgentName("stripe")))).toBe("record-invalid");
    expect(codeOf(good, grantPath(parseAgentName("a"), parseGroupName("stripe")))).toBe("record-invalid");
    expect(codeOf(good, VAULT_PATH)).toBe("record-invalid");
  });

  it("is bounded in size, depth and number of values before anything is built from it (A19)", () => {
    expect(codeOf(Buffer.alloc(MAX_RECORD_BYTES + 1, "["))).toBe("record-invalid");
    expect(codeOf(Buffer.alloc(MAX_RECORD_BYTES, "["))).toBe("record-invalid");
    expect(codeOf(Buffer.alloc(MAX_RECORD_BYTES, "[],"))).toBe("record-invalid");
    expect(codeOf(Buffer.alloc(MAX_RECORD_BYTES, '"\\'))).toBe("record-invalid");
    expect(codeOf(Buffer.from([0xff, 0xfe]))).toBe("record-invalid");
  });

  it("is refused whatever the bytes, with one kind of error", () => {
    const refused = (bytes: Uint8Array | string) => codeOf(Buffer.from(bytes)) === "record-invalid";
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), refused));
    fc.assert(fc.property(fc.json(), refused));
  });

  it("of a higher format names the version that reads it", () => {
    const vault = Buffer.from(JSON.stringify({ format: 2, type: "vault", whatever: true }));
    expect(codeOf(vault, VAULT_PATH)).toBe("format-newer");
    expect(() => decodeRecord(VAULT_PATH, vault)).toThrow(/format 2/);
  });
});

/** The signatures are not among the signed bytes; whether they hold is another test's (trust, vault). */
function inSignatures(index: number): boolean {
  const text = good.toString("latin1");
  return index > text.indexOf('"signatures"') && index < text.indexOf('"type"');
}
