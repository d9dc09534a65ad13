import {
  createDecipheriv,
  createPrivateKey,
  decapsulate,
  diffieHellman,
  hash,
  type KeyObject,
  timingSafeEqual,
} from "node:crypto";
import { DamagedAgeFile } from "./damaged-age-file.ts";
import { hkdf, hmac } from "./hkdf.ts";
import { HYBRID_STANZA, hybridWrapKey, MLKEM_CIPHERTEXT_BYTES } from "./hybrid.ts";
import type { Identity } from "./identity.ts";
import { okpPrivateKey, okpPublicBytes, okpPublicKey } from "./okp-keys.ts";

// Opens age v1 files (C2SP, age.md) with the runtime's own cryptography: what age-encryption does too, in a twentieth of
// the time, which every launch waits for. The steps:
//   1. the header: version, stanzas and MAC, each in its one accepted spelling
//   2. the file key, out of the first stanza that is for this identity
//   3. the header's MAC, by a key that the file key derives
//   4. the payload: chunks in STREAM, the last one marked
// Native X25519 and mlkem768x25519 stanzas only; no passphrases, no armor, no plugins, no writing. What is not for the
// identity is an answer, undefined; what breaks a rule of the format is an error; plaintext that did not authenticate is
// never returned. Held to the format's published vectors and to age-encryption in test/age.

const VERSION_LINE = "age-encryption.org/v1";
const FILE_KEY_BYTES = 16;
/** Twice what the most owners take. Each stanza takes memory and a key agreement before anything has authenticated. */
export const MAX_HEADER_BYTES = 256 * 1024;
const MAC_BYTES = 32;
const TAG_BYTES = 16;
const PAYLOAD_NONCE_BYTES = 16;
const CHUNK_BYTES = 64 * 1024;
const BODY_COLUMNS = 64;

const X25519_BYTES = 32;
const X25519_INFO = "age-encryption.org/v1/X25519";
const MLKEM_SEED_BYTES = 64;

// DER header of an ML-KEM key (RFC 9935, the seed alone): the seed follows.
const MLKEM768_PRIVATE = Buffer.from("3054020100300b060960864801650304040204428040", "hex");

/** What an identity's stanzas are opened with. */
export type NativeKeys =
  | { readonly suite: "classic"; readonly x25519: X25519Key }
  | { readonly suite: "pq"; readonly x25519: X25519Key; readonly mlKem: KeyObject };

interface X25519Key {
  readonly privateKey: KeyObject;
  readonly publicBytes: Buffer;
}

interface Stanza {
  readonly type: string;
  readonly args: readonly string[];
  readonly body: Buffer;
}

interface Header {
  readonly stanzas: readonly Stanza[];
  /** What the MAC is over: everything up to and including its `---`. */
  readonly authenticated: Buffer;
  readonly mac: Buffer;
  /** The file from behind the header's last line. */
  readonly rest: Buffer;
}

/** The keys of an identity; undefined where this runtime has no ML-KEM (node before 24.7, OpenSSL before 3.5). */
export function findNativeKeys(identity: Identity): NativeKeys | undefined {
  if (identity.suite === "classic") return { suite: "classic", x25519: x25519Key(identity.secretBytes()) };
  if ((decapsulate as unknown) === undefined) return undefined;
  const seeds = hash("shake256", identity.secretBytes(), {
    outputLength: MLKEM_SEED_BYTES + X25519_BYTES,
    outputEncoding: "buffer",
  });
  const mlKem = findMlKemKey(seeds.subarray(0, MLKEM_SEED_BYTES));
  const x25519 = x25519Key(seeds.subarray(MLKEM_SEED_BYTES));
  seeds.fill(0);
  return mlKem === undefined ? undefined : { suite: "pq", x25519, mlKem };
}

/**
 * Decrypts a binary age file.
 *
 * @returns the plaintext, or undefined where no stanza is for these keys.
 * @throws {DamagedAgeFile} where the file is malformed or fails authentication.
 */
export function openNatively(file: Buffer, keys: NativeKeys): Buffer | undefined {
  const { stanzas, authenticated, mac, rest } = parseHeader(file);
  const fileKey = findFileKey(stanzas, keys);
  if (fileKey === undefined) return undefined;
  try {
    const macKey = hkdf(fileKey, "", "header");
    if (!timingSafeEqual(hmac(macKey, authenticated), mac)) throw damaged("its header was altered");
    if (rest.length < PAYLOAD_NONCE_BYTES) throw damaged("it ends within its nonce");
    const payloadKey = hkdf(fileKey, rest.subarray(0, PAYLOAD_NONCE_BYTES), "payload");
    return openPayload(payloadKey, rest.subarray(PAYLOAD_NONCE_BYTES));
  } finally {
    fileKey.fill(0);
  }
}

// 1. The header

function parseHeader(file: Buffer): Header {
  let end = 0;
  const nextLine = () => {
    const from = end;
    const to = file.indexOf("\n", from);
    if (to >= MAX_HEADER_BYTES) throw damaged("its header is too long");
    if (to === -1) throw damaged("it ends within its header");
    end = to + 1;
    return file.toString("latin1", from, to);
  };
  if (nextLine() !== VERSION_LINE) throw damaged("it is not of version 1");
  const stanzas: Stanza[] = [];
  for (;;) {
    const lineStart = end;
    const [mark, ...words] = nextLine().split(" ");
    if (mark === "---") {
      const [mac, ...others] = words.map(decodeBase64);
      if (mac?.length !== MAC_BYTES || others.length > 0) throw damaged("its MAC is malformed");
      const authenticated = file.subarray(0, lineStart + mark.length);
      return { stanzas, authenticated, mac, rest: file.subarray(end) };
    }
    const [type, ...args] = words;
    if (mark !== "->" || type === undefined || !words.every((word) => /^[!-~]+$/.test(word)))
      throw damaged("a stanza is malformed");
    stanzas.push({ type, args, body: readBody(nextLine) });
  }
}

/** Lines of 64 columns and a shorter one, possibly empty, that ends them. */
function readBody(nextLine: () => string): Buffer {
  const parts: Buffer[] = [];
  for (;;) {
    const line = nextLine();
    if (line.length > BODY_COLUMNS) throw damaged("a stanza's line is too long");
    parts.push(decodeBase64(line));
    if (line.length < BODY_COLUMNS) return Buffer.concat(parts);
  }
}

/** Without padding, in the one spelling that the bytes have. */
function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  const padding = (3 - (bytes.length % 3)) % 3;
  if (bytes.toString("base64") !== text + "=".repeat(padding)) throw damaged("its base64 is malformed");
  return bytes;
}

// 2. The file key

function findFileKey(stanzas: readonly Stanza[], keys: NativeKeys): Buffer | undefined {
  if (stanzas.length > 1 && stanzas.some(({ type }) => type === "scrypt"))
    throw damaged("a passphrase is not its only recipient");
  for (const stanza of stanzas) {
    const fileKey = keys.suite === "pq" ? unwrapHybrid(stanza, keys) : unwrapX25519(stanza, keys.x25519);
    if (fileKey !== undefined) return fileKey;
  }
  return undefined;
}

function unwrapX25519(stanza: Stanza, key: X25519Key): Buffer | undefined {
  if (stanza.type !== "X25519") return undefined;
  const share = requireShape(stanza, X25519_BYTES);
  const shared = sharedSecretOf(key, share);
  const wrapKey = hkdf(shared, Buffer.concat([share, key.publicBytes]), X25519_INFO);
  return decrypt(wrapKey, Buffer.alloc(12), stanza.body);
}

function unwrapHybrid(stanza: Stanza, keys: NativeKeys & { suite: "pq" }): Buffer | undefined {
  if (stanza.type !== HYBRID_STANZA) return undefined;
  const encapsulated = requireShape(stanza, MLKEM_CIPHERTEXT_BYTES + X25519_BYTES);
  const share = encapsulated.subarray(MLKEM_CIPHERTEXT_BYTES);
  // Another recipient's ciphertext decapsulates too, to a secret that opens nothing.
  const fromMlKem = decapsulate(keys.mlKem, encapsulated.subarray(0, MLKEM_CIPHERTEXT_BYTES));
  const fromX25519 = sharedSecretOf(keys.x25519, share);
  const recipient = keys.x25519.publicBytes;
  const { key, nonce } = hybridWrapKey({ fromMlKem, fromX25519, share, recipient });
  return decrypt(key, nonce, stanza.body);
}

/** One argument of so many bytes, and the body of an encrypted file key: checked before anything is decrypted. */
function requireShape({ args: [arg, ...others], body }: Stanza, argBytes: number): Buffer {
  const bytes = arg === undefined ? undefined : decodeBase64(arg);
  if (bytes?.length !== argBytes || others.length > 0 || body.length !== FILE_KEY_BYTES + TAG_BYTES)
    throw damaged("a recipient's stanza is malformed");
  return bytes;
}

function x25519Key(secret: Uint8Array): X25519Key {
  const privateKey = okpPrivateKey("X25519", secret);
  return { privateKey, publicBytes: okpPublicBytes(privateKey) };
}

function findMlKemKey(seed: Uint8Array): KeyObject | undefined {
  const key = Buffer.concat([MLKEM768_PRIVATE, seed]);
  try {
    return createPrivateKey({ key, format: "der", type: "pkcs8" });
  } catch {
    return undefined;
  } finally {
    key.fill(0);
  }
}

function sharedSecretOf({ privateKey }: X25519Key, share: Buffer): Buffer {
  const publicKey = okpPublicKey("X25519", share);
  try {
    return diffieHellman({ privateKey, publicKey });
  } catch (cause) {
    // OpenSSL refuses an all-zero secret, which a point of low order leads to (RFC 7748, section 6.1).
    throw damaged("a recipient's share is of low order", cause);
  }
}

// 4. The payload

function openPayload(key: Buffer, payload: Buffer): Buffer {
  const nonce = Buffer.alloc(12);
  const chunks: Buffer[] = [];
  for (let at = 0; ; at += CHUNK_BYTES + TAG_BYTES) {
    const sealed = payload.subarray(at, at + CHUNK_BYTES + TAG_BYTES);
    const isLast = at + sealed.length === payload.length;
    // An 11-byte counter, then the mark of the last chunk.
    nonce.writeUIntBE(chunks.length, 5, 6);
    nonce[11] = isLast ? 1 : 0;
    const chunk = decrypt(key, nonce, sealed);
    // The last one may be empty only where it is the only one.
    if (chunk === undefined || (chunk.length === 0 && at > 0)) {
      for (const opened of chunks) opened.fill(0);
      throw damaged("its payload was altered or cut");
    }
    if (isLast && at === 0) return chunk;
    chunks.push(chunk);
    if (isLast) break;
  }
  const whole = Buffer.concat(chunks);
  for (const chunk of chunks) chunk.fill(0);
  return whole;
}

// What the steps share

/** ChaCha20-Poly1305. Undefined where the bytes do not authenticate. */
function decrypt(key: Buffer, nonce: Buffer, sealed: Buffer): Buffer | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  const tagStart = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(tagStart));
  const plaintext = decipher.update(sealed.subarray(0, tagStart));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    return undefined;
  }
}

function damaged(why: string, cause?: unknown): DamagedAgeFile {
  return new DamagedAgeFile(`the age file is damaged: ${why}`, { cause });
}
