/** Lines that are gone, and when the first of them was written, as far as it says. */
export interface Lost {
  readonly lines: number;
  readonly first: string | undefined;
}

/** Counts lines, and remembers when the first of them was written. */
export class LostLines implements Lost {
  lines = 0;
  first: string | undefined;

  add(line: Buffer): void {
    this.lines++;
    this.first ??= /"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)/.exec(line.toString("latin1"))?.[1];
  }
}
