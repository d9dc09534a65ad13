import { timingSafeEqual } from "node:crypto";
import { dirname } from "node:path";
import { hkdf, hmac } from "../age/hkdf.ts";
import type { Identity } from "../age/identity.ts";
import type { VaultId } from "../vault/names.ts";
import { findText } from "../vault/verified-files.ts";
import { makeFolder, writeFileAtomic } from "../vault/write-file.ts";
import { VaultError } from "../vault-error.ts";

// Which blocks of logs were verified on this machine, so that the next reading does not verify each of their signatures
// again, which would take a minute for a million lines.
//
// The list is worth as much as a verification, because it has a MAC under a key that only the reader's identity derives. It
// says what stays true for all time, of bytes by their digest: that each line is one, in its one spelling, and that the key
// which it names signed it. Who that key is, and what it may say, is asked anew.

const KEY_INFO = "vault-run/v1/verified-log";
const MAC_CHARACTERS = 44;
/** To be raised with every change of what passes for a line: what was verified before is then verified again. */
const EDITION = 1;
/** A block with more lines that do not hold is not worth remembering. */
const MAX_OTHERS = 500;

/** By a block's digest, the places of the lines in it that this is not said of. */
type Entries = Readonly<Record<string, readonly number[]>>;

export class VerifiedBlocks {
  readonly #path: string;
  readonly #vault: VaultId;
  readonly #key: Buffer;
  readonly #before: Entries;
  readonly #now: Record<string, readonly number[]> = {};
  #isNews = false;

  /** @param path need not exist. */
  constructor(path: string, vault: VaultId, identity: Identity) {
    this.#path = path;
    this.#vault = vault;
    this.#key = hkdf(identity.secretBytes(), "", KEY_INFO);
    this.#before = this.#read();
  }

  /** The places of the lines that do not hold, where the block was verified before. */
  find(block: string): ReadonlySet<number> | undefined {
    const others = Object.hasOwn(this.#before, block) ? this.#before[block] : undefined;
    if (others === undefined) return undefined;
    this.#now[block] = others;
    return new Set(others);
  }

  /** The block has been verified now, but for the lines in these places. */
  add(block: string, others: readonly number[]): void {
    if (others.length > MAX_OTHERS || this.#now[block]?.length === others.length) return;
    this.#now[block] = others;
    this.#isNews = true;
  }

  /**
   * Remembers the blocks of this reading, and no others. It is no failure where that cannot be written: the next reading
   * verifies again.
   */
  save(): void {
    if (!this.#isNews) return;
    const text = JSON.stringify(this.#now);
    try {
      makeFolder(dirname(this.#path));
      writeFileAtomic(this.#path, Buffer.from(`${this.#macOf(text).toString("base64")}\n${text}`), 0o600);
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
    }
  }

  #macOf(text: string): Buffer {
    return hmac(this.#key, JSON.stringify([EDITION, this.#vault]), "\0", text);
  }

  #read(): Entries {
    const content = findText(this.#path);
    if (content === undefined) return {};
    const text = content.slice(MAC_CHARACTERS + 1);
    const mac = Buffer.from(content.slice(0, MAC_CHARACTERS), "base64");
    const expected = this.#macOf(text);
    if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return {};
    return JSON.parse(text) as Entries;
  }
}
