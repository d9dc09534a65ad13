import { beforeAll, describe, expect, it } from "vitest";
import { McpConnection } from "../fixtures/mcp.ts";
import { descriptorCount, memoryMb, processesOf } from "../fixtures/process-state.ts";
import { Program } from "../fixtures/program.ts";
import { SIZE } from "./size.ts";
import { readTotals } from "./totals.ts";

const NAMES = Array.from({ length: 20 }, (_, i) => `KEY_${i}`);

/** What leaks grows from part to part; what V8 and the C library keep in hand takes a step of up to 50 MB, in some parts. */
const PARTS = 5;
/** In the small form the server is still warming up. */
const STEADY_MB = SIZE.isAll ? 3 : 8;
const MAX_MB = 200;

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
    const part = SIZE.calls / PARTS;
    const states: ReturnType<typeof stateOf>[] = [];
    for (let done = 0; done < SIZE.calls; done += part) {
      await call(mcp, done, done + part);
      states.push(stateOf(mcp.pid));
    }

    expect(new Set(states.map(({ descriptors }) => descriptors)).size).toBe(1);
    const growth = states.slice(1).map(({ memory }, at) => memory - (states[at]?.memory ?? 0));
    expect(Math.min(...growth), `${growth}`).toBeLessThan(STEADY_MB);
    expect(Math.max(...states.map(({ memory }) => memory))).toBeLessThan(MAX_MB);
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
