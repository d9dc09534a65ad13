import { closeSync } from "node:fs";
import type { InheritedDescriptor } from "./inherited-descriptors.ts";
import { net } from "./late-modules.ts";
import type { Libc } from "./libc.ts";
import { openMemoryFile } from "./memory-file.ts";

// What the child has besides its three standard streams: the descriptors of whoever started us, under their own numbers,
// and those through which secrets are delivered, under numbers that are free.

const FIRST = 3;
/** A shell takes no longer number in a redirection. */
const LAST_DIGIT = 9;

export class ChildDescriptors {
  readonly #taken: ReadonlySet<number>;
  readonly #given = new Map<number, number>();
  readonly #ours = new Set<number>();
  readonly #feeds: { readonly to: number; readonly value: Buffer }[] = [];

  constructor(inherited: readonly InheritedDescriptor[]) {
    this.#taken = new Set(inherited.map(({ fd }) => fd));
    // Node hands the others on by itself.
    for (const { fd, isMarked } of inherited) if (isMarked) this.#given.set(fd, fd);
  }

  /** The child's number of each descriptor that it must be given → ours. */
  get given(): ReadonlyMap<number, number> {
    return this.#given;
  }

  /** Whether secrets are delivered through one. */
  get hasDeliveries(): boolean {
    return this.#ours.size > 0;
  }

  /** Kept free for the shell that leads a terminal's session; undefined where none is. */
  get shellDescriptor(): number | undefined {
    for (let fd = LAST_DIGIT; fd >= FIRST; fd--) if (!this.#taken.has(fd)) return fd;
    return undefined;
  }

  /** A file in memory that holds `value`. @returns the child's number of it. */
  async addFile(value: Uint8Array): Promise<number> {
    return this.#give(await openMemoryFile(value));
  }

  /** A pipe through which `value` comes, once. @returns the child's number of it. */
  addPipe(value: Uint8Array, libc: Libc): number {
    const { read, write } = libc.openPipe();
    this.#ours.add(write);
    this.#feeds.push({ to: write, value: Buffer.from(value) });
    return this.#give(read);
  }

  /** The child has them: ours are closed, and the pipes are filled as it reads. */
  started(): void {
    for (const { to, value } of this.#feeds.splice(0)) {
      this.#ours.delete(to);
      feed(to, value);
    }
    this.close();
  }

  /** Closes what is ours alone. Nothing is delivered any more. */
  close(): void {
    for (const { value } of this.#feeds.splice(0)) value.fill(0);
    for (const fd of this.#ours) closeSync(fd);
    this.#ours.clear();
  }

  #give(ours: number): number {
    let number = FIRST;
    while (this.#taken.has(number) || this.#given.has(number) || number === this.shellDescriptor) number++;
    this.#given.set(number, ours);
    this.#ours.add(ours);
    return number;
  }
}

/** Writes as much as the reader takes, when it takes it, and holds nothing up: neither us nor our end. */
function feed(to: number, value: Buffer): void {
  const { Socket } = net();
  const pipe = new Socket({ fd: to, readable: false, writable: true });
  // A reader that closes its end before all is read wants no more.
  pipe.on("error", () => {});
  pipe.on("close", () => value.fill(0));
  pipe.unref();
  pipe.end(value);
}
