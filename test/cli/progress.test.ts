import { describe, expect, it } from "vitest";
import { progressLine, readingOf } from "../../src/cli/progress.ts";

function watched(showsProgress = true) {
  let nowMs = 0;
  const lines: string[] = [];
  const console = {
    showsProgress,
    progress: (line: string) => lines.push(line),
    clearProgress: () => lines.push("cleared"),
  };
  const advance = progressLine(console, () => nowMs, "sealing stripe again");
  /** Works at one pace: every piece takes so long. */
  const work = (from: number, to: number, total: number, msEach: number) => {
    for (let done = from; done <= to; done++) {
      advance(done, total);
      nowMs += msEach;
    }
  };
  return { lines, work };
}

describe("progress", () => {
  it("says how much is done, how fast, and how long the rest takes", () => {
    const { lines, work } = watched();
    work(1, 1200, 5000, 1.25);
    expect(lines[0]).toBe("sealing stripe again 1/5000 (0 %)");
    expect(lines.at(-1)).toMatch(/^sealing stripe again 1\d\d\d\/5000 \(2\d %\), 800\/s, 5 s left$/);
  });

  it("counts slow work in tenths, and long work in minutes", () => {
    const { lines, work } = watched();
    work(1, 3, 1000, 500);
    expect(lines.at(-1)).toBe("sealing stripe again 3/1000 (0 %), 2.0/s, 9 min left");
  });

  it("is updated ten times a second at most", () => {
    const { lines, work } = watched();
    work(1, 1000, 5000, 1);
    expect(lines).toHaveLength(10);
  });

  it("is gone at the end, and begins anew with the next work", () => {
    const { lines, work } = watched();
    work(1, 50, 50, 100);
    expect(lines.at(-1)).toBe("cleared");
    work(1, 2, 50, 100);
    expect(lines.at(-1)).toBe("sealing stripe again 2/50 (4 %)");
  });

  it("is not shown for what is done at once, nor where there is no terminal", () => {
    const short = watched();
    short.work(1, 19, 19, 500);
    expect(short.lines).toEqual([]);
    const piped = watched(false);
    piped.work(1, 50, 100, 500);
    expect(piped.lines).toEqual([]);
  });
});

describe("the progress of a reading", () => {
  it("says how many lines were read, not at once and ten times a second at most", () => {
    let nowMs = 0;
    const lines: string[] = [];
    const reading = readingOf({ progress: (line) => lines.push(line) }, () => nowMs);
    for (let read = 1000; read <= 30_000; read += 1000) {
      reading(read);
      nowMs += 10;
    }
    expect(lines).toEqual(["reading the audit logs, 11000 lines", "reading the audit logs, 21000 lines"]);
  });
});
