import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

// How long a client waits for the server: from its start to the answer to `tools/list`, beside a node that does nothing,
// turn by turn. usage: npm run bench:mcp

const TURNS = 31;
const BIN = resolve(import.meta.dirname, "../bin/vault-run");
const folder = mkdtempSync(join(tmpdir(), "vault-run-bench-"));
const env = { PATH: process.env.PATH ?? "", HOME: folder };

function makeVault(): void {
  execFileSync("git", ["init", "--quiet"], { cwd: folder, env });
  for (const verb of [
    ["init", "--no-commit"],
    ["add-agent", "bench", "--no-commit"],
    ["set", "group/NAME", "--no-commit"],
    ["grant", "bench", "group", "--no-commit"],
  ])
    execFileSync(process.execPath, [BIN, ...verb], {
      cwd: folder,
      env,
      input: "a value to be granted",
      stdio: "pipe",
    });
}

function bareNode(): Promise<number> {
  const start = performance.now();
  return new Promise((done) => {
    spawn(process.execPath, ["-e", "0"], { env }).on("exit", () => done(performance.now() - start));
  });
}

function firstList(): Promise<number> {
  const start = performance.now();
  const server = spawn(process.execPath, [BIN, "mcp", "--agent", "bench"], {
    cwd: folder,
    env,
    stdio: "pipe",
  });
  const send = (message: object) => server.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  send({
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1" } },
  });
  send({ method: "notifications/initialized" });
  send({ id: 2, method: "tools/list" });
  let said = "";
  return new Promise((done) => {
    server.stdout.on("data", (chunk) => {
      said += chunk;
      if (!said.includes('"id":2}')) return;
      const took = performance.now() - start;
      server.on("exit", () => done(took));
      server.stdin.end();
    });
  });
}

const median = (times: readonly number[]) => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

makeVault();
const [bare, server]: [number[], number[]] = [[], []];
for (let turn = 0; turn < TURNS; turn++) {
  bare.push(await bareNode());
  server.push(await firstList());
}
rmSync(folder, { recursive: true, force: true });
for (const [what, of] of [
  ["median", median],
  ["least", (times: readonly number[]) => Math.min(...times)],
] as const) {
  const [node, list] = [of(bare), of(server)];
  process.stdout.write(
    `${what}: node -e 0 ${node.toFixed(0)} ms, vault-run mcp to its list of tools ${list.toFixed(0)} ms, x ${(list / node).toFixed(2)}\n`,
  );
}
