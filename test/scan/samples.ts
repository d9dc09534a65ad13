import { execFileSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bech32 } from "@scure/base";
import { Scanner } from "../../src/scan/scanner.ts";
import { tempFolder } from "../fixtures/temp.ts";

// Keys of every kind, made anew for each run: nothing that looks like one stands in this repository.

export const bech32Identity = (prefix: string, bytes = 32): string =>
  bech32.encode(prefix, bech32.toWords(randomBytes(bytes)), false).toUpperCase();

export interface KeySample {
  readonly name: string;
  readonly text: string;
}

export function keySamples(): KeySample[] {
  const { privateKey: rsa } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { privateKey: ec } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const { privateKey: ed } = generateKeyPairSync("ed25519");
  const pem = { format: "pem" } as const;
  return [
    { name: "PKCS#8", text: ed.export({ ...pem, type: "pkcs8" }).toString() },
    { name: "PKCS#1", text: rsa.export({ ...pem, type: "pkcs1" }).toString() },
    { name: "SEC1", text: ec.export({ ...pem, type: "sec1" }).toString() },
    {
      name: "encrypted PKCS#8",
      text: rsa.export({ ...pem, type: "pkcs8", cipher: "aes-256-cbc", passphrase: "x" }).toString(),
    },
    {
      name: "encrypted PKCS#1",
      text: rsa.export({ ...pem, type: "pkcs1", cipher: "aes-128-cbc", passphrase: "x" }).toString(),
    },
    { name: "OpenSSH", text: sshKey() },
    { name: "PGP", text: pgpLike() },
    { name: "PuTTY", text: puttyLike() },
    { name: "age", text: `# created: today\n${bech32Identity("age-secret-key-")}\n` },
    { name: "age, post-quantum", text: `${bech32Identity("age-secret-key-pq-")}\n` },
    { name: "age plugin", text: `${bech32Identity("age-plugin-yubikey-", 21)}\n` },
  ];
}

function sshKey(): string {
  const path = join(tempFolder(), "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
  return readFileSync(path, "utf8");
}

const wrapped = (bytes: number, width: number) =>
  (
    randomBytes(bytes)
      .toString("base64")
      .match(new RegExp(`.{1,${width}}`, "g")) ?? []
  ).join("\n");

function pgpLike(): string {
  const dashes = "-----";
  return `${dashes}BEGIN PGP PRIVATE KEY BLOCK${dashes}\nVersion: GnuPG v2\n\n${wrapped(600, 64)}\n=8xQN\n${dashes}END PGP PRIVATE KEY BLOCK${dashes}\n`;
}

function puttyLike(): string {
  return `PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: me\nPublic-Lines: 2\n${wrapped(83, 64)}\nPrivate-Lines: 1\n${wrapped(36, 64)}\nPrivate-MAC: ${randomBytes(32).toString("hex")}\n`;
}

/** The rules that find something in a content, in order. */
export async function rulesIn(content: string | Uint8Array, file = "file.txt"): Promise<string[]> {
  const findings = await new Scanner(undefined, new Map()).scan({ file, chunks: [Buffer.from(content)] });
  return findings.map(({ rule }) => rule);
}
