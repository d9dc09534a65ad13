// Edges (state, byte) → state in an open-addressing hash table. 0 stands for "no edge": no edge leads to the root.
export class EdgeTable {
  readonly #from: Int32Array;
  readonly #byte: Uint8Array;
  readonly #to: Int32Array;
  readonly #mask: number;

  constructor(capacity: number) {
    let slots = 4;
    while (slots < capacity * 2) slots *= 2;
    this.#from = new Int32Array(slots);
    this.#byte = new Uint8Array(slots);
    this.#to = new Int32Array(slots);
    this.#mask = slots - 1;
  }

  get(from: number, byte: number): number {
    return this.#to[this.#slot(from, byte)] as number;
  }

  set(from: number, byte: number, to: number): void {
    const slot = this.#slot(from, byte);
    this.#from[slot] = from;
    this.#byte[slot] = byte;
    this.#to[slot] = to;
  }

  #slot(from: number, byte: number): number {
    let slot = (Math.imul((from << 8) ^ byte, 0x9e3779b1) >>> 7) & this.#mask;
    while (this.#to[slot] !== 0 && (this.#from[slot] !== from || this.#byte[slot] !== byte)) {
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }
}
