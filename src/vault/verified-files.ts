import { randomBytes, timingSafeEqual } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { hkdf, hmac } from "../age/hkdf.ts";
import type { Identity } from "../age/identity.ts";
import { systemCode } from "../vault-error.ts";
import { digest } from "./fingerprint.ts";
import type { AgentName, VaultId } from "./names.ts";
import { type RecordPath, VAULT_PATH } from "./paths.ts";
import type { OwnerKeys, Pin } from "./pins.ts";
import { SCHEMA_EDITION } from "./schema.ts";
import { object, type Shaped, text, that } from "./shape.ts";
import type { TrustSource } from "./trust.ts";
import { makeFolder } from "./write-file.ts";

// Which files of a vault an agent has verified on this machine, byte for byte, so that a launch does not verify them again:
// for a launch from a vault that has not changed, that is most of the work besides opening.
//
// The list is worth as much as a verification, because it has a MAC under a key that only the agent's identity derives:
// whoever can write to the machine's state folder, or to the repo, or to both, cannot put a file on it. Whoever has the
// identity could, and has all that the agent may open. The MAC is also over what the verification rested on: which vault,
// whose word for its owners, and what the program took for a record. vault.json is on the list itself, and where that has
// changed nothing else on it counts: its owners may be others. Rollback, expiry and epochs are checked of every file anew.

const KEY_INFO = "vault-run/v1/verified";
const MAC_CHARACTERS = 44;
const DRAFT = /\.json\.[0-9a-f]{16}$/;

/** What was verified: the pin of the record in a file, and SHA-256 of the file's bytes, in hex. */
const entry = object({
  serial: that<number>(Number.isSafeInteger),
  digest: text(isDigest),
  file: text(isDigest),
});
type Entries = Readonly<Record<RecordPath, Shaped<typeof entry>>>;

/** What the verification rests on. */
export interface VerifiedBy {
  readonly vault: VaultId;
  readonly agent: AgentName;
  readonly identity: Identity;
  readonly sources: readonly TrustSource[];
  /** The owners that this machine has accepted; undefined where it knows none. */
  readonly pinned: OwnerKeys | undefined;
}

export class VerifiedFiles {
  readonly #path: string;
  readonly #key: Buffer;
  readonly #by: VerifiedBy;
  readonly #before: Entries;
  readonly #now: Record<RecordPath, Shaped<typeof entry>> = {};
  #isNews = false;

  /** @param stateFolder this vault's own folder below XDG_STATE_HOME; need not exist. */
  constructor(stateFolder: string, by: VerifiedBy) {
    this.#path = `${stateFolder}/verified/${by.agent}.json`;
    this.#key = hkdf(by.identity.secretBytes(), "", KEY_INFO);
    this.#by = by;
    this.#before = by.pinned === undefined ? {} : this.#read(by.pinned);
  }

  /** The pin of the record in these bytes, where they were verified before at this path. */
  find(path: RecordPath, bytes: Buffer): Pin | undefined {
    const before = Object.hasOwn(this.#before, path) ? this.#before[path] : undefined;
    if (entry.findMismatch(before) !== undefined || before?.file !== digest(bytes)) return undefined;
    // vault.json is looked for first.
    if (path !== VAULT_PATH && this.#now[VAULT_PATH] !== this.#before[VAULT_PATH]) return undefined;
    this.#now[path] = before;
    return before;
  }

  /** These bytes have been verified now. */
  add(path: RecordPath, bytes: Buffer, { serial, digest: record }: Pin): void {
    this.#now[path] = { serial, digest: record, file: digest(bytes) };
    this.#isNews = true;
  }

  /**
   * Remembers what was verified. Call only after everything checked out, with the owners as they are pinned now. It is no failure where
   * that cannot be written: the next launch verifies again.
   */
  save(owners: OwnerKeys): void {
    if (!this.#isNews) return;
    const isSameVault = this.#now[VAULT_PATH] === this.#before[VAULT_PATH];
    const text = JSON.stringify(isSameVault ? { ...this.#before, ...this.#now } : this.#now);
    const draft = `${this.#path}.${randomBytes(8).toString("hex")}`;
    try {
      makeFolder(dirname(this.#path));
      writeFileSync(draft, `${this.#macOf(text, owners).toString("base64")}\n${text}`, {
        mode: 0o600,
        flag: "wx",
      });
      renameSync(draft, this.#path);
      this.#removeDrafts();
    } catch {
      try {
        unlinkSync(draft);
      } catch {
        // It was never there.
      }
    }
  }

  /** Those of launches that were killed. One that is at work loses its own, and verifies again the next time. */
  #removeDrafts(): void {
    const folder = dirname(this.#path);
    for (const name of readdirSync(folder)) {
      if (name.startsWith(`${this.#by.agent}.json.`) && DRAFT.test(name)) unlinkSync(`${folder}/${name}`);
    }
  }

  #macOf(text: string, pinned: OwnerKeys): Buffer {
    const { vault, agent, sources } = this.#by;
    const known = sources.flatMap(({ keys: named, former = [] }) => [named, former]);
    const keys = [pinned.current, pinned.former, ...known].map((list) => list.toSorted());
    return hmac(this.#key, JSON.stringify([SCHEMA_EDITION, vault, agent, keys]), "\0", text);
  }

  /** Nothing where there is no such list, or none of this agent's that rests on the same. */
  #read(pinned: OwnerKeys): Entries {
    const content = findText(this.#path);
    if (content === undefined) return {};
    const text = content.slice(MAC_CHARACTERS + 1);
    const mac = Buffer.from(content.slice(0, MAC_CHARACTERS), "base64");
    const expected = this.#macOf(text, pinned);
    if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return {};
    // One that holds and is none another version has made, which took its own for the same.
    return Object(findJson(text)) as Entries;
  }
}

function isDigest(found: string): boolean {
  return /^[0-9a-f]{64}$/.test(found);
}

/** Undefined for what is no JSON. */
export function findJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function findText(path: string): string | undefined {
  return findBytes(path)?.toString("utf8");
}

/** Of a plain file: a pipe there must not hold anyone up. Undefined where it cannot be read. */
export function findBytes(path: string): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    return fstatSync(fd).isFile() ? readFileSync(fd) : undefined;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
