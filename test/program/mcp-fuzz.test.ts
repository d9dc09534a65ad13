import { expect, it } from "vitest";
import { EvilClient } from "../fixtures/evil-client.ts";
import { Program } from "../fixtures/program.ts";
import { mutate, randomOf, withOtherValue } from "../fuzz/mutate.ts";
import { seedsOf } from "../fuzz/seeds.ts";
import { HIDDEN_VALUE } from "../fuzz/vault.ts";

// MCP_FRAMES says how many frames in place of 400, MCP_SEED from where.

const FRAMES = Number(process.env.MCP_FRAMES ?? 400);
const SEED = Number(process.env.MCP_SEED ?? 1);
const FIRST_ID = 100_000;
const MOST_AT_ONCE = 20;

/** Single requests: one for each tool, and the protocol's own. */
const requests = seedsOf("mcp-frames")
  .flatMap((frames) => frames.toString().split("\n"))
  .filter((line) => /"method":"(tools|ping|no\/such|server)/.test(line))
  .map((line) => Buffer.from(line));

/** Whether the protocol takes it for a request, with parameters that it leaves to who answers. */
function isRequest(frame: string, id: number): boolean {
  try {
    const { jsonrpc, method, params = {}, ...rest } = JSON.parse(frame);
    const isPlain = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
    return (
      jsonrpc === "2.0" &&
      rest.id === id &&
      typeof method === "string" &&
      !method.startsWith("notifications/") &&
      Object.keys(rest).length === 1 &&
      isPlain(params) &&
      !Object.hasOwn(params, "_meta")
    );
  } catch {
    return false;
  }
}

/** The requests among them that no line answers. */
function unanswered(asked: ReadonlyMap<number, string>, { bytes }: EvilClient): string[] {
  const lines = bytes
    .toString()
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"));
  const ids = new Set(lines.map((line) => (JSON.parse(line) as { id?: unknown }).id));
  return [...asked].filter(([id]) => !ids.has(id)).map(([, frame]) => frame);
}

it("a server answers every request among changed frames, ends by none of them and tells no value (A21)", async () => {
  const program = Program.empty();
  await program.must(["init", "--classic"]);
  await program.must(["add-agent", "crawler"]);
  await program.set("hidden/KEY", HIDDEN_VALUE);
  await program.set("shown/KEY", "a value that may be shown");
  for (const group of ["hidden", "shown"]) {
    await program.must(["grant", "crawler", group]);
    await program.must(["policy", group, "--allow-command", "true"]);
  }
  await program.must(["policy", "shown", "--reveal"]);
  const evil = new EvilClient(program, ["--rate", "1000"]);
  const random = randomOf(SEED);
  const asked = new Map<number, string>();
  for (let at = 0; at < FRAMES; at++) {
    const id = FIRST_ID + at;
    const seed = requests[random(requests.length)]!.toString().replace(/"id":[^,}]+/, `"id":${id}`);
    // A line break in it makes two frames, neither of which is the request any more.
    const frame =
      random(2) === 0
        ? withOtherValue(Buffer.from(seed), random)
        : mutate(Buffer.from(seed), requests, random);
    evil.write(frame);
    evil.write("\n");
    if (isRequest(frame.toString(), id)) asked.set(id, frame.toString());
    if (at % MOST_AT_ONCE === 0) expect(await evil.call("list_secrets", {})).toContain("hidden/KEY");
  }
  expect(asked.size).toBeGreaterThan(FRAMES / 20);
  await expect.poll(() => unanswered(asked, evil), { timeout: 30_000, interval: 200 }).toEqual([]);
  expect(await evil.call("get_secret", { name: "shown/KEY" })).toBe("a value that may be shown");
  await evil.end();
  expect(evil.bytes.includes(HIDDEN_VALUE)).toBe(false);
  expect(evil.bytes.toString()).not.toMatch(/defect in vault-run|\n {4}at /);
});
