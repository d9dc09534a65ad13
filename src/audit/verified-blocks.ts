import { timingSafeEqual } from "node:crypto";
import { dirname } from "node:path";
import { hkdf, hmac } from "../age/hkdf.ts";
import type { Identity } from "../age/identity.ts";
import type { VaultId } from "../vault/names.ts";
import { dictionary, list, object, type Shaped, that } from "../vault/shape.ts";
import { findBytes, findJson } from "../vault/verified-files.ts";
import { makeFolder, writeFileAtomic } from "../vault/write-file.ts";
import { VaultError } from "../vault-error.ts";
import { BlockTable } from "./block-table.ts";
import type { LineShape } from "./finding.ts";

// Which blocks of logs were verified on this machine, and what stands in them, so that the next reading need not verify,
// hash and parse each of their lines again: it hashes a block as a whole, and looks up the rest here.
//
// The list is worth as much as a verification, because it has a MAC under a key that only the reader's identity derives. It
// says what stays true for all time, of bytes by their digest: that each line is one, in its one spelling, that the key which
// it names signed it, and what it says. Who that key is, and what it may say, is asked anew.

const KEY_INFO = "vault-run/v1/verified-log";
const MAC_BYTES = 32;
const LINE_FEED = 0x0a;
/** To be raised with every change of what passes for a line, and of this list: what was verified before is then verified again. */
const EDITION = 2;
/** Of lines that are not as short as no honest one, a block has fewer. */
const MAX_LINES = 1000;
/** How many different things lines may say. A line that says anything else is parsed each time. */
const MAX_SHAPES = 20_000;
/** Of a line, a secret and a leak. A line may hold more than it must: nothing of that comes along. */
const SHAPE_FIELDS = [
  ...["vault", "action", "key", "host", "uid", "agent", "group", "reason", "secrets", "leaks"],
  ...["name", "valueId"],
  ...["secret", "stream", "encoding", "count"],
];

const head = object({
  /** What lines say; null where no line says it any more. */
  shapes: list(
    that<LineShape | null>((shape) => typeof shape === "object"),
    0,
  ),
  /** By digest, how many bytes the table of each block has, which follow in this order. */
  blocks: dictionary(
    () => true,
    that<number>((length) => Number.isSafeInteger(length) && Number(length) >= 0),
  ),
});
type Head = Shaped<typeof head>;

export class VerifiedBlocks {
  readonly #path: string;
  readonly #vault: VaultId;
  readonly #key: Buffer;
  readonly #shapes: (LineShape | null)[] = [];
  readonly #free: number[] = [];
  readonly #shapeNumbers = new Map<string, number>();
  readonly #before = new Map<string, Buffer>();
  readonly #now = new Map<string, Buffer>();
  #isNews = false;

  /** @param path need not exist. */
  constructor(path: string, vault: VaultId, identity: Identity) {
    this.#path = path;
    this.#vault = vault;
    this.#key = hkdf(identity.secretBytes(), "", KEY_INFO);
    this.#read();
  }

  /** What stands in the block, where it was verified before. */
  find(block: string): BlockTable | undefined {
    const bytes = this.#before.get(block);
    const table = bytes === undefined ? undefined : BlockTable.read(bytes);
    const isKnown = (shape: number) => (this.#shapes[shape] ?? null) !== null;
    if (bytes === undefined || table?.usedShapes().every(isKnown) !== true) return undefined;
    this.#now.set(block, bytes);
    return table;
  }

  shapeOf(number: number): LineShape {
    const shape = this.#shapes[number];
    if (shape === undefined || shape === null) throw new TypeError("a shape of no line");
    return shape;
  }

  /** The number under which it is remembered what a line says; undefined where that is too much. */
  numberOf(line: LineShape): number | undefined {
    const text = JSON.stringify(line, SHAPE_FIELDS);
    const known = this.#shapeNumbers.get(text);
    if (known !== undefined) return known;
    const number = this.#free.pop() ?? this.#shapes.length;
    if (number >= MAX_SHAPES) return undefined;
    this.#shapes[number] = JSON.parse(text);
    this.#shapeNumbers.set(text, number);
    return number;
  }

  /** The block has been verified now. */
  add(block: string, table: BlockTable): void {
    if (table.lines > MAX_LINES) return;
    this.#now.set(block, table.bytes());
    this.#isNews = true;
  }

  /**
   * Remembers the blocks of this reading, and no others. It is no failure where that cannot be written: the next reading
   * verifies again.
   */
  save(): void {
    if (!this.#isNews) return;
    const used = new Set<number>();
    for (const bytes of this.#now.values())
      for (const shape of BlockTable.read(bytes)?.usedShapes() ?? []) used.add(shape);
    const now: Head = {
      shapes: this.#shapes.map((shape, number) => (used.has(number) ? shape : null)),
      blocks: Object.fromEntries([...this.#now].map(([block, bytes]) => [block, bytes.length])),
    };
    const parts = [Buffer.from(`${JSON.stringify(now)}\n`), ...this.#now.values()];
    try {
      makeFolder(dirname(this.#path));
      writeFileAtomic(this.#path, Buffer.concat([this.#macOf(...parts), ...parts]), 0o600);
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
    }
  }

  #macOf(...parts: Buffer[]): Buffer {
    return hmac(this.#key, JSON.stringify([EDITION, this.#vault]), "\0", ...parts);
  }

  #read(): void {
    const content = findBytes(this.#path);
    if (content === undefined || content.length < MAC_BYTES) return;
    const rest = content.subarray(MAC_BYTES);
    if (!timingSafeEqual(content.subarray(0, MAC_BYTES), this.#macOf(rest))) return;
    let at = rest.indexOf(LINE_FEED) + 1;
    const found = findJson(rest.toString("utf8", 0, at));
    // One that holds and is none another version has made, which took its own for the same.
    if (head.findMismatch(found) !== undefined) return;
    const { shapes, blocks } = found as Head;
    for (const [number, shape] of shapes.entries()) {
      this.#shapes.push(shape);
      if (shape === null) this.#free.push(number);
      else this.#shapeNumbers.set(JSON.stringify(shape, SHAPE_FIELDS), number);
    }
    for (const [block, length] of Object.entries(blocks)) {
      this.#before.set(block, rest.subarray(at, at + length));
      at += length;
    }
  }
}
