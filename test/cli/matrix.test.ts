import { describe, expect, it } from "vitest";
import { layMatrix } from "../../src/cli/matrix.ts";

const groups = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ name: `group-number-${at + 1}`, secrets: at }));
const agents = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ name: `agent-${at + 1}`, groups: [`group-number-${at + 1}`] }));

const widest = ({ legend, blocks }: ReturnType<typeof layMatrix>) =>
  Math.max(...legend.map((line) => line.length), ...blocks.flat().map((row) => row.join("  ").length));

describe("the matrix", () => {
  it("has the groups' names across where they fit", () => {
    expect(layMatrix(agents(2), groups(2), 80)).toEqual({
      legend: [],
      blocks: [
        [
          ["AGENT", "group-number-1 (0)", "group-number-2 (1)"],
          ["agent-1", "yes", "-"],
          ["agent-2", "-", "yes"],
        ],
      ],
    });
    expect(layMatrix(agents(30), groups(12), Number.POSITIVE_INFINITY).blocks).toHaveLength(1);
  });

  it("numbers the groups where they do not, and repeats the heads for long lists", () => {
    const matrix = layMatrix(agents(30), groups(12), 80);
    expect(widest(matrix)).toBeLessThanOrEqual(80);
    expect(matrix.legend).toHaveLength(4);
    expect(matrix.blocks.map((block) => block.length)).toEqual([21, 11]);
    expect(matrix.blocks[1]?.[1]).toEqual(["agent-21", ...Array.from({ length: 12 }, () => " -")]);
    expect(matrix.blocks[0]?.[12]?.at(-1)).toBe(" x");
  });

  it.each([20, 40, 80, 120])("stays within %d columns, and has every agent and group once", (columns) => {
    const matrix = layMatrix(agents(7), groups(64), columns);
    const heads = matrix.blocks.flatMap(([head = []]) => head.slice(1));
    expect(heads.map(Number)).toEqual(Array.from({ length: 64 }, (_, at) => at + 1));
    expect(
      matrix.blocks
        .flatMap((block) => block.slice(1))
        .flat()
        .filter((cell) => cell.trim() === "x"),
    ).toHaveLength(7);
    expect(Math.max(...matrix.blocks.flat().map((row) => row.join("  ").length))).toBeLessThanOrEqual(
      columns,
    );
  });
});
