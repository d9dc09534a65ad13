// Makes the code that V8 compiles of the launch's files, for the node that runs this: a launch then starts 8 ms earlier, and
// the server for models, whose SDK is large, in two thirds of the time. It launches a program from a vault of its own in a
// temporary folder, and serves a client there, so that all that these use is compiled, and keeps what V8 made. No value of a
// real vault is anywhere near.
// usage: npm run code-cache

const { execFileSync } = require("node:child_process");
const { hash } = require("node:crypto");
const { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { basename, join, resolve } = require("node:path");
const { setFlagsFromString } = require("node:v8");
const vm = require("node:vm");

const BIN = resolve(__dirname, "../bin/vault-run");
const OF_LAUNCHES = ["launch.cjs", "hold.cjs"];
const target = resolve(__dirname, "../dist/code", `${process.versions.v8}-${process.arch}`);
const draft = `${target}.new`;
// This file again, in a process of its own, for the server.
const [, , served] = process.argv;

if (served === undefined) {
  rmSync(target, { recursive: true, force: true });
  rmSync(draft, { recursive: true, force: true });
}
const folder = served ?? mkdtempSync(join(tmpdir(), "vault-run-code-"));
const env = { PATH: process.env.PATH, HOME: folder };
const run = (file, args, input = "") => execFileSync(file, args, { cwd: folder, env, input, stdio: "pipe" });
if (served === undefined) prepareVault();

function prepareVault() {
  try {
    makeVault();
    mkdirSync(draft, { recursive: true });
    run(process.execPath, [__filename, folder], clientMessages());
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
    if (error.code !== "ENOENT") throw new Error(`${error.message.split("\n")[0]}\n${error.stderr}`);
    process.stderr.write("the code cache needs git, and there is none on the PATH\n");
    process.exit(1);
  }
}

function makeVault() {
  run("git", ["init", "--quiet"]);
  for (const [verb, input] of [
    [["init", "--no-commit"]],
    [["add-agent", "warm", "--no-commit"]],
    [["set", "group/SOME_NAME", "--no-commit"], "some value of some length"],
    [["set", "group/OTHER_NAME", "--no-commit"], "another value of some length"],
    [["grant", "warm", "group", "--no-commit"]],
    // What the first launch does, and no other, is left to be compiled then.
    [["--agent", "warm", "--", "true"]],
  ]) {
    run(process.execPath, [BIN, ...verb], input);
  }
}

/** What a client says until it has the list of tools, in both revisions' words, and one call. */
function clientMessages() {
  const initialize = {
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "warm", version: "1" } },
  };
  const messages = [
    initialize,
    { method: "notifications/initialized" },
    { id: 2, method: "tools/list" },
    { id: 3, method: "tools/call", params: { name: "list_secrets", arguments: {} } },
  ];
  return messages.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`).join("");
}

// The program as bin/vault-run starts it, in this process, with what it compiles kept.
const scripts = new Map();
const { Script } = vm;
vm.Script = class extends Script {
  constructor(text, options) {
    super(text, options);
    scripts.set(basename(options.filename), { script: this, text });
  }
};
process.chdir(folder);
process.env = env;
// A launch that would become its program says this instead.
process.execve = () => "its code is being made";

process.on("exit", (status) => {
  if (served === undefined) rmSync(folder, { recursive: true, force: true });
  if (status !== 0) return;
  // The end of a process that took long sets this (src/cli/end-process.ts), and V8 takes no code of other flags than its own.
  setFlagsFromString("--no-expose-gc");
  const isOurs = (name) => OF_LAUNCHES.includes(name) === (served === undefined);
  for (const [name, { script, text }] of scripts) {
    if (!isOurs(name)) continue;
    const code = script.createCachedData();
    // As bin/vault-run looks for it.
    const digest = hash("sha256", hash("sha256", text) + hash("sha256", code));
    writeFileSync(join(draft, name), Buffer.concat([Buffer.from(digest), code]));
  }
  if (served === undefined) renameSync(draft, target);
});
if (served !== undefined) serveOnce();
else launchTwice();

function serveOnce() {
  process.argv = [process.execPath, BIN, "mcp", "--agent", "warm"];
  require(BIN);
}

function launchTwice() {
  process.argv = [process.execPath, BIN, "--agent", "warm", "--no-redact", "--", "true"];
  const exit = process.exit;
  process.exit = () => {
    process.exit = exit;
    process.argv = [
      process.execPath,
      BIN,
      "--agent",
      "warm",
      "--quiet",
      "--",
      "echo",
      "some output: some value of some length",
    ];
    delete require.cache[BIN];
    require(BIN);
  };
  require(BIN);
}
