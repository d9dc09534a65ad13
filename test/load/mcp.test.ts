import { beforeAll, describe, expect, it } from "vitest";
import { McpConnection } from "../fixtures/mcp.ts";
import { descriptorCount, memoryMb, processesOf } from "../fixtures/process-state.ts";
import { Program } from "../fixtures/program.ts";
import { SIZE } from "./size.ts";
import { readTotals } from "./totals.ts";

const NAMES = Array.from({ length: 20 }, (_, i) => `KEY_${i}`);

/**
 * What is free goes back to the system at once. Otherwise V8 lets its young generation grow to 128 MB by and by, and the C
 * library keeps what was given back to it: both look like a leak, and would hide one.
 */
const AT_ONCE = {
  NODE_OPTIONS: "--max-semi-space-size=1",
  MALLOC_MMAP_THRESHOLD_: "131072",
  MALLOC_ARENA_MAX: "2",
};

let program: Program;
beforeAll(async () => {
  program = Program.lasting();
  await program.must(["init"]);
  await program.must(["add-agent", "crawler"]);
  const env = NAMES.map((name) => `${name}=value-of-${name}`).join("\n");
  await program.must(["import", "-", "--group", "app"], { input: env });
  await program.must(["grant", "crawler", "app"]);
  await program.must(["policy", "app", "--reveal"]);
});

describe("a session of a model", () => {
  it(`keeps its memory, descriptors and processes over ${SIZE.calls} calls, and records each (promise 11)`, {
    timeout: 7_200_000,
  }, async () => {
    const mcp = await McpConnection.open(program, { args: ["--rate", "10000"], env: AT_ONCE });
    const warm = Math.floor(SIZE.calls / 5);
    await call(mcp, 0, warm);
    const early = stateOf(mcp.pid);
    await call(mcp, warm, SIZE.calls);
    const late = stateOf(mcp.pid);

    expect(late.descriptors).toBe(early.descriptors);
    expect(late.memory).toBeLessThan(early.memory + 30);
    expect(processesOf(program.home)).toEqual([mcp.pid]);
    const { actions, findings } = await readTotals(program);
    // One line a call, and one for what each program printed.
    expect((actions.mcp ?? 0) + (actions.denied ?? 0)).toBe(SIZE.calls);
    expect(actions.leak).toBe(SIZE.calls / 4);
    expect(findings).toEqual({});
  });
});

/** Calls each tool that needs no network in turn: two that read, one that is refused, one that starts a program. */
async function call(mcp: McpConnection, from: number, to: number): Promise<void> {
  for (let turn = from; turn < to; turn++) {
    const name = NAMES[turn % NAMES.length] ?? "";
    if (turn % 4 === 0) {
      const answer = await mcp.run(["printenv", name], [`app/${name}`]);
      expect(answer.text).toContain(`[REDACTED:app/${name}]`);
    } else if (turn % 4 === 1) {
      expect((await mcp.call("list_secrets")).isError).toBe(false);
    } else if (turn % 4 === 2) {
      expect((await mcp.call("get_secret", { name: `app/${name}` })).text).toContain(`value-of-${name}`);
    } else {
      expect((await mcp.call("get_secret", { name: "other/KEY" })).isError).toBe(true);
    }
  }
}

function stateOf(pid: number) {
  return { memory: memoryMb(pid) ?? 0, descriptors: descriptorCount(pid) };
}
