// The main job, on real parts: a git repository, an HTTP service that demands a bearer token, an agent that calls it and
// carelessly logs the token. Every step says what it shows and checks that it did; the first that did not ends the demo
// with status 1. Everything happens in a temporary folder that is removed at the end.

import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { execa } from "execa";

const VAULT_RUN = resolve(import.meta.dirname, "../../bin/vault-run");
const AGENT = resolve(import.meta.dirname, "agent.js");
const folder = mkdtempSync(join(tmpdir(), "vault-run-demo-"));
const repo = join(folder, "project");
const env = {
  ...process.env,
  HOME: folder,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
  NO_COLOR: "1",
};
const tokens = {
  first: `wx_${randomBytes(12).toString("hex")}`,
  second: `wx_${randomBytes(12).toString("hex")}`,
};

class DemoFailure extends Error {}

interface Outcome {
  readonly status: number | undefined;
  readonly output: string;
}

async function run(
  command: string,
  args: readonly string[],
  input = "",
  extra: Record<string, string> = {},
): Promise<Outcome> {
  const shown = command === VAULT_RUN ? "vault-run" : command;
  console.log(`\n  $ ${shown} ${args.map((arg) => arg.replace(AGENT, "agent.js")).join(" ")}`);
  const result = await execa(command, args, {
    cwd: repo,
    env: { ...env, ...extra },
    input,
    all: true,
    reject: false,
  });
  const output = result.all ?? "";
  for (const line of output.split("\n").filter(Boolean)) console.log(`    ${line}`);
  return { status: result.exitCode, output };
}

const vaultRun = (args: readonly string[], input = "", extra: Record<string, string> = {}) =>
  run(VAULT_RUN, args, input, extra);

function step(title: string): void {
  console.log(`\n\n== ${title}`);
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new DemoFailure(what);
  console.log(`  ✓ ${what}`);
}

async function must(
  args: readonly string[],
  input = "",
  extra: Record<string, string> = {},
): Promise<string> {
  const { status, output } = await vaultRun(args, input, extra);
  if (status !== 0) throw new DemoFailure(`vault-run ${args[0]} ended with ${status}`);
  return output;
}

async function story(service: Server): Promise<void> {
  const weather = { WEATHER_URL: `http://127.0.0.1:${(service.address() as AddressInfo).port}/` };
  const launch = ["--agent", "crawler", "--", "node", AGENT];

  step("An owner makes a vault in an ordinary git repo, and an agent with a key of its own");
  mkdirSync(repo);
  await run("git", ["init", "--quiet", "--initial-branch=main"]);
  await run("git", ["config", "user.name", "Demo Owner"]);
  await run("git", ["config", "user.email", "owner@example.org"]);
  await must(["init"]);
  await must(["add-agent", "crawler"]);
  await must(["add-agent", "intern"]);

  step("A token goes in through standard input, never through an argument; the crawler is granted its group");
  await must(["set", "weather/WEATHER_TOKEN", "--description", "the weather service"], tokens.first);
  await must(["grant", "crawler", "weather"]);

  step("The agent runs with the token, calls the service, and logs the token: the log shows a mask");
  const first = await vaultRun(launch, "", weather);
  check(first.status === 0 && first.output.includes("200 sunny"), "the service accepted the call");
  check(!first.output.includes(tokens.first), "the token is nowhere in the output");
  check(
    first.output.includes("[REDACTED:weather/WEATHER_TOKEN]"),
    "a mask that names the secret stands in its place",
  );

  step("The repo holds only ciphertext and signed records");
  await run("git", ["log", "--oneline"]);
  const { stdout: everything } = await execa("git", ["cat-file", "--batch-all-objects", "--batch"], {
    cwd: repo,
  });
  check(!everything.includes(tokens.first), "no object of the repository holds the token");
  check(!everything.includes("AGE-SECRET-KEY"), "no object of the repository holds a key");

  step("Another agent, with a valid key of its own, is refused before anything starts");
  const intern = await vaultRun(
    ["--agent", "intern", "--group", "weather", "--", "node", AGENT],
    "",
    weather,
  );
  check(intern.status === 125, "status 125: nothing was started");

  step("The crawler is revoked. Someone has kept an old clone and the old key");
  const clone = join(folder, "old-clone");
  cpSync(repo, clone, { recursive: true });
  const revoked = await must(["revoke", "crawler", "weather"]);
  check(
    revoked.includes("weather/WEATHER_TOKEN"),
    "the value that the old clone still opens is on the rotation list",
  );
  await must(["set", "weather/WEATHER_TOKEN"], tokens.second);
  const [vault] = readdirSync(join(folder, ".config/vault-run"));
  const key = join(folder, ".config/vault-run", vault ?? "", "agents/crawler.key");
  const stranger = { HOME: join(folder, "stranger"), VAULT_RUN_KEY_FILE: key };
  mkdirSync(stranger.HOME);
  const old = await vaultRun(["get", "weather/WEATHER_TOKEN", "--vault", clone], "", stranger);
  check(
    old.output === tokens.first,
    "as said: the old clone opens the old value, which is why it had to be rotated",
  );
  const now = await vaultRun(["get", "weather/WEATHER_TOKEN"], "", stranger);
  check(now.status === 1 && !now.output.includes(tokens.second), "the old key does not open the new value");
  const rotation = await vaultRun(["rotation"]);
  check(rotation.status === 0, "with its new value the secret is off the rotation list");

  step("Who pulled what");
  const audit = await must(["audit"]);
  check(
    /launch\s+crawler\s+\S+\s+verified\s+node: weather\/WEATHER_TOKEN/.test(audit),
    "the launch is there, with who and what",
  );
  check(/denied\s+intern/.test(audit), "so is the refusal");
  check(/leak\s+crawler/.test(audit), "and that the agent tried to print the token");
}

/** A service that answers who holds the first token. */
async function startService(): Promise<Server> {
  const service = createServer((request, response) => {
    const known = request.headers.authorization === `Bearer ${tokens.first}`;
    response.writeHead(known ? 200 : 401).end(known ? "sunny, 21 degrees" : "who are you?");
  });
  await new Promise<void>((done) => service.listen(0, "127.0.0.1", done));
  return service;
}

const service = await startService();
try {
  const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8"));
  console.log(`vault-run ${version}: the main job in a minute, in ${folder}`);
  await story(service);
  console.log("\n\nAll of it held. The README goes on from here.");
} catch (error) {
  if (!(error instanceof DemoFailure)) throw error;
  console.error(`\n  ✗ ${error.message}`);
  process.exitCode = 1;
} finally {
  service.close();
  rmSync(folder, { recursive: true, force: true });
}
