import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  rmSync,
  type Stats,
} from "node:fs";
import { dirname } from "node:path";
import { Identity } from "../age/identity.ts";
import { parseVerifyKey, type VerifyKey } from "../age/signing-key.ts";
import { diskError, systemCode, VaultError } from "../vault-error.ts";
import { digest } from "./fingerprint.ts";
import { type AgentName, GROUP_NAME, shellWord, VAULT_ID, type VaultId } from "./names.ts";
import type { OwnerKeys } from "./pins.ts";
import type { Timestamp } from "./time.ts";
import { makeFolder, syncFolder, writeFileDurably } from "./write-file.ts";

// A key file is an age identity file. Its comments pin what the repo may not say for itself: whose vault this is.

const MAX_KEY_FILE_BYTES = 64 * 1024;
const PIN = /^#\s*(agent|vault|owner|former-owner)\s*:\s*(\S+)$/;
const PINS = ["agent", "vault", "owner", "former-owner"];
const OURS = /^#\s*vault-run/i;
const HEADING = /^# vault-run (agent|owner) key:/;
const LABELLED = /^#\s*([!-9;<>-~]+)\s*[:=]/;
const ENDS_IN_KEY = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=$/;
const ARMORED = /^\s*-----BEGIN AGE ENCRYPTED FILE-----/;

/** What is said of a place where this process has made no file: a folder that it may not look into is one. */
const NOT_THERE = ["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EACCES"];

export interface KeyFile {
  readonly identity: Identity;
  /** The pins; absent where the file holds a bare key. */
  readonly agent?: AgentName;
  readonly vault?: VaultId;
  readonly owners: readonly VerifyKey[];
  /** Who was an owner when the file was written, and is one no more. */
  readonly formerOwners: readonly VerifyKey[];
}

export interface KeyFilePins {
  readonly agent?: AgentName;
  readonly vault: VaultId;
  readonly owners: OwnerKeys;
  readonly createdAt: Timestamp;
}

export function formatKeyFile(identity: Identity, pins: KeyFilePins): string {
  const lines = [
    `# vault-run ${pins.agent === undefined ? "owner" : "agent"} key: keep it secret, keep a backup, never commit it`,
    `# created: ${pins.createdAt}`,
    ...(pins.agent === undefined ? [] : [`# agent: ${pins.agent}`]),
    `# vault: ${pins.vault}`,
    ...pins.owners.current.map((owner) => `# owner: ${owner}`),
    ...pins.owners.former.map((owner) => `# former-owner: ${owner}`),
    identity.reveal(),
  ];
  return `${lines.join("\n")}\n`;
}

/** Parses a key file's text. `where` stands for it in messages; nothing of the text does. */
export function parseKeyFile(text: string, where: string): KeyFile {
  if (isArmored(text)) throw sealedKey(where);
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const identities = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const identity = identities.length === 1 ? Identity.parse(identities[0] ?? "") : undefined;
  if (identity === undefined)
    throw notAKey(where, "it must hold exactly one age identity line (AGE-SECRET-KEY-…)");
  const comments = lines.map((line) => PIN.exec(line)).filter((found) => found !== null);
  // A pin that is misspelled must not pass for a comment: the key would then be trusted with less than it says.
  const misspelt = lines.findIndex(isLikeAPin);
  if (misspelt !== -1) throw notAKey(where, `its line ${misspelt + 1} is nearly a pin, and none`);
  const of = (key: string) => comments.filter((found) => found[1] === key).map((found) => found[2] ?? "");
  const agents = of("agent");
  const vaults = of("vault");
  const owners = verifyKeys(of("owner"));
  const formerOwners = verifyKeys(of("former-owner"));
  if (agents.length > 1 || !agents.every((agent) => GROUP_NAME.test(agent)))
    throw notAKey(where, "its `# agent` line is not one agent's name");
  if (vaults.length > 1 || !vaults.every((vault) => VAULT_ID.test(vault)))
    throw notAKey(where, "its `# vault` line is not one vault's id");
  if (owners === undefined || formerOwners === undefined)
    throw notAKey(where, "an owner's line in it is not a verify key");
  return {
    identity,
    owners,
    formerOwners,
    ...(agents[0] === undefined ? {} : { agent: agents[0] as AgentName }),
    ...(vaults[0] === undefined ? {} : { vault: vaults[0] as VaultId }),
  };
}

/** Whether a comment may be meant for a pin: it says that it is ours, has nearly a pin's word, or ends in a verify key. */
function isLikeAPin(line: string): boolean {
  if (!line.startsWith("#") || PIN.test(line)) return false;
  if ((OURS.test(line) && !HEADING.test(line)) || ENDS_IN_KEY.test(line)) return true;
  const word = LABELLED.exec(line)?.[1]?.toLowerCase();
  return word !== undefined && PINS.some((pin) => isOneEditAway(word, pin));
}

/** Whether the words are the same but for one character, or for the order of two that stand together. */
function isOneEditAway(one: string, other: string): boolean {
  let start = 0;
  while (start < one.length && one[start] === other[start]) start++;
  let end = 0;
  while (end < Math.min(one.length, other.length) - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  const [a, b] = [one.slice(start, one.length - end), other.slice(start, other.length - end)];
  return (a.length <= 1 && b.length <= 1) || (a.length === 2 && a === `${b[1]}${b[0]}`);
}

/** Undefined where one is none. */
function verifyKeys(texts: readonly string[]): VerifyKey[] | undefined {
  const keys = texts.map(parseVerifyKey).filter((key) => key !== undefined);
  return keys.length === texts.length ? keys : undefined;
}

/** Whether a key file's text is sealed: an age file in armor. */
export function isArmored(text: string): boolean {
  return ARMORED.test(text);
}

/** Reads a key file; refuses one that others could read. */
export function readKeyFile(path: string): KeyFile {
  return parseKeyFile(keyText(readPrivateFile(path, AGENT_KEY), path), path);
}

/** Reads the key file among systemd's credentials. */
export function readCredential(path: string): KeyFile {
  return parseKeyFile(keyText(readPrivateFile(path, { ...AGENT_KEY, isCredential: true }), path), path);
}

/** A key file's text, of its bytes: what is no UTF-8 is not read as something near it. */
export function keyText(bytes: Buffer, where: string): string {
  if (!isUtf8(bytes)) throw notAKey(where, "it is not UTF-8 text");
  return bytes.toString();
}

/** Whether anything stands at the path, a link to nowhere too: what is wrong with it is for the reader to report. */
export function keyFileExists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return systemCode(error) !== "ENOTDIR";
  }
}

/**
 * Creates a key file, mode 0600, whole or not at all; an existing one is never touched.
 *
 * @param token random: ends the name it is written under first.
 */
export function createKeyFile(path: string, text: string, token = randomBytes(16).toString("hex")): void {
  const draft = keyDraft(path, token);
  try {
    makeFolder(dirname(path));
    writeFileDurably(draft, Buffer.from(text), "wx", 0o600);
    linkSync(draft, path);
    rmSync(draft);
    syncFolder(dirname(path));
  } catch (error) {
    removeKeyDraft(path, token);
    if (systemCode(error) === "EEXIST") {
      throw new VaultError(
        "exists",
        `a file is there already and is left alone: ${path}`,
        "name another place with --out, or move that file away",
      );
    }
    throw diskError(error, "write the key file", path);
  }
}

/** Whether the file holds exactly the text of this digest. */
export function holdsKeyText(path: string, textDigest: string): boolean {
  try {
    return lstatSync(path).isFile() && digest(readFileSync(path)) === textDigest;
  } catch (error) {
    if (NOT_THERE.includes(systemCode(error) ?? "")) return false;
    throw diskError(error, "read the key file", path);
  }
}

/** Removes what `createKeyFile` was killed in, where the place is one that a file can be in at all. */
export function removeKeyDraft(path: string, token: string): void {
  const draft = keyDraft(path, token);
  try {
    rmSync(draft, { force: true });
  } catch (error) {
    if (isThere(draft)) throw error;
  }
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (NOT_THERE.includes(systemCode(error) ?? "")) return false;
    throw error;
  }
}

function keyDraft(path: string, token: string): string {
  return `${path}.${token}`;
}

interface PrivateFile {
  readonly code: "key-file" | "passphrase";
  readonly what: string;
  /** The next step where it cannot be read. */
  readonly hint: string;
  readonly maxBytes?: number;
  /** systemd's own file, which it gives to the service's user by an access list. */
  readonly isCredential?: true;
}

const AGENT_KEY: PrivateFile = {
  code: "key-file",
  what: "key file",
  hint: "name the agent's key file with --key-file, or ask the owner for one",
};

/** A file's bytes; refuses one that others could read. */
export function readPrivateFile(path: string, kind: PrivateFile): Buffer {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    const code = systemCode(error) ?? "error";
    throw new VaultError(kind.code, `cannot read the ${kind.what} (${code}): ${path}`, kind.hint, {
      cause: error,
    });
  }
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory())
      throw new VaultError(kind.code, `not a ${kind.what}, it is a folder: ${path}`, kind.hint);
    if (isOpenToOthers(stat, kind)) {
      throw new VaultError(
        kind.code,
        `others can read this ${kind.what} (mode ${(stat.mode & 0o777).toString(8)}): ${path}`,
        `make it yours alone: chmod 600 ${shellWord(path)}`,
      );
    }
    if (stat.size > (kind.maxBytes ?? MAX_KEY_FILE_BYTES)) {
      throw new VaultError(kind.code, `not a ${kind.what}, it is no such file: ${path}`, kind.hint);
    }
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function sealedKey(where: string): VaultError {
  return new VaultError(
    "key-file",
    `an agent's key file cannot have a passphrase, since nobody is there to type it: ${where}`,
    "take it off with age -d, or ask the owner for the key file",
  );
}

function notAKey(where: string, why: string): VaultError {
  return new VaultError(
    "key-file",
    `not a key file, ${why}: ${where}`,
    "use the file that vault-run init or vault-run add-agent wrote",
  );
}

/**
 * Whether anybody but its user may read it. The file of a credential stays root's, with an access list for the service's user;
 * what looks like the group's right to read (0440) is then that list's mask.
 */
function isOpenToOthers({ mode, uid, gid }: Stats, kind: PrivateFile): boolean {
  const others = mode & 0o077;
  return others !== 0 && !(kind.isCredential && others === 0o040 && uid === 0 && gid === 0);
}
