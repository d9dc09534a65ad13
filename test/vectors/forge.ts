import { generateIdentity } from "../../src/age/generate.ts";
import type { Recipient } from "../../src/age/identity.ts";
import { seal } from "../../src/age/seal.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { canonicalText, inOrder } from "../../src/vault/canonical.ts";
import { parseKeyFile } from "../../src/vault/key-file.ts";
import { signedBytes } from "../../src/vault/record.ts";
import type { Vectors } from "./vectors.ts";

// What someone with push rights, or with an owner's key, can put into a vault. Nothing here is checked: that is what the
// readers are to do.

type Fields = Record<string, unknown>;
type Files = Vectors["files"];

export class Forger {
  readonly #files: Files;
  readonly #owner: SigningKey;
  readonly #stranger: SigningKey;

  constructor(files: Files, ownerKey: string, strangerKey: string) {
    this.#files = files;
    this.#owner = SigningKey.derive(parseKeyFile(ownerKey, "owner").identity);
    this.#stranger = SigningKey.derive(parseKeyFile(strangerKey, "stranger").identity);
  }

  read(path: string): Fields {
    return JSON.parse(this.#files[path] ?? "");
  }

  /** With the signature that it has: whoever can push can write that. */
  edited(path: string, changes: Fields): string {
    return spelled({ ...this.read(path), ...changes });
  }

  byStranger(path: string, changes: Fields): string {
    return signed({ ...this.read(path), ...changes }, this.#stranger);
  }

  /** As an owner would who breaks a rule. */
  byOwner(path: string, changes: Fields): string {
    return signed({ ...this.read(path), ...changes }, this.#owner);
  }

  get strangerVerifyKey(): string {
    return this.#stranger.verifyKey;
  }
}

export function spelled(record: Fields): string {
  return `${JSON.stringify(inOrder(record), null, 2)}\n`;
}

export function signed(record: Fields, key: SigningKey): string {
  const { signatures: _, ...unsigned } = record;
  const sig = key.sign(signedBytes(unsigned as never));
  return spelled({ ...record, signatures: [{ key: key.verifyKey, alg: "ed25519", sig }] });
}

/** An age file of this payload, in base64. */
export async function sealed(payload: Fields, recipient: unknown): Promise<string> {
  return (await seal(Buffer.from(canonicalText(payload).padEnd(512)), [recipient as Recipient])).toString(
    "base64",
  );
}

/** The same age file with something of it changed. */
export function changed(base64: unknown, change: (file: Buffer) => Buffer): string {
  return change(Buffer.from(String(base64), "base64")).toString("base64");
}

/** An age file with so many stanzas before its own that are for nobody. */
export function stuffed(file: Buffer, stanzas: number): Buffer {
  const start = file.indexOf("\n") + 1;
  const stanza = "-> nobody\n\n";
  return Buffer.concat([file.subarray(0, start), Buffer.from(stanza.repeat(stanzas)), file.subarray(start)]);
}

export async function bareKey(suite: "pq" | "classic"): Promise<string> {
  return `${(await generateIdentity(suite)).reveal()}\n`;
}

export function withoutPins(keyFile: string): string {
  return `${keyFile
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .join("\n")}\n`;
}

export function verifyKeyIn(keyFile = ""): string {
  return SigningKey.derive(parseKeyFile(keyFile, "a key").identity).verifyKey;
}

export function signatureBy(keyFile: string | undefined, record: Fields): Fields {
  const { signatures: _, ...unsigned } = record;
  const key = SigningKey.derive(parseKeyFile(keyFile ?? "", "a key").identity);
  return { key: key.verifyKey, alg: "ed25519", sig: key.sign(signedBytes(unsigned as never)) };
}
