// Makes the code that V8 compiles of the launch's files, for the node that runs this: a launch then starts 8 ms earlier, and
// the server for models, whose SDK is large, in two thirds of the time. It launches a program from a vault of its own in a
// temporary folder, and serves a client there, so that all that these use is compiled, and keeps what V8 made. No value of a
// real vault is anywhere near.
//
// The same node makes the same bytes of the same dist/, so that the package can be built again and compared:
// 1. V8 runs as --predictable: no thread of its own, and a seed that is always the same. It takes such code like any other.
// 2. No timer of the program runs out, and its end collects no garbage, however slow the machine is: whether a function was compiled, or
//    lies where something else lay before (V8 keeps what stood in the gaps), would be chance, and what exposes the collector is
//    an option of V8's, under which it takes no code that was made without.
// 3. What was kept is read and kept once more, in a process that does nothing else: V8 numbers functions as it meets them.
// usage: npm run code-cache

const { execFileSync } = require("node:child_process");
const { hash } = require("node:crypto");
const {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} = require("node:fs");
const { tmpdir } = require("node:os");
const { basename, join, resolve } = require("node:path");
const vm = require("node:vm");

const BIN = resolve(__dirname, "../bin/vault-run");
const OF_LAUNCHES = ["launch.cjs", "hold.cjs"];
const MORE_THAN_ANY_RUN_MS = 3_600_000;
const dist = resolve(__dirname, "../dist");
const target = join(dist, "code", `${process.versions.v8}-${process.arch}`);
const draft = `${target}.new`;
const env = { PATH: process.env.PATH };
// This file again, in processes of their own, as "launch", "serve" and "settle".
const [, , part, folder] = process.argv;

if (part === undefined) makeAll();
else if (part === "settle") settle();
else keepCode();

function makeAll() {
  rmSync(target, { recursive: true, force: true });
  rmSync(draft, { recursive: true, force: true });
  const made = mkdtempSync(join(tmpdir(), "vault-run-code-"));
  const run = (file, args, input = "") =>
    execFileSync(file, args, { cwd: made, env: { ...env, HOME: made }, input, stdio: "pipe" });
  const again = (name, input) => run(process.execPath, ["--predictable", __filename, name, made], input);
  try {
    makeVault(run);
    mkdirSync(draft, { recursive: true });
    again("launch");
    again("serve", clientMessages());
    again("settle");
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (error.code !== "ENOENT") throw new Error(`${error.message.split("\n")[0]}\n${error.stderr}`);
    process.stderr.write("the code cache needs git, and there is none on the PATH\n");
    process.exitCode = 1;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function makeVault(run) {
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

/** The program as bin/vault-run starts it, in this process, with what it compiles kept. */
function keepCode() {
  const scripts = new Map();
  const { Script } = vm;
  vm.Script = class extends Script {
    constructor(text, options) {
      super(text, options);
      scripts.set(basename(options.filename), this);
    }
  };
  process.chdir(folder);
  process.env = { ...env, HOME: folder };
  // A launch that would become its program says this instead.
  process.execve = () => "its code is being made";
  process.cpuUsage = () => ({ user: 0, system: 0 });
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (act) => setTimeout(act, MORE_THAN_ANY_RUN_MS);
  process.on("exit", (status) => {
    if (status !== 0) return;
    const isOurs = (name) => OF_LAUNCHES.includes(name) === (part === "launch");
    for (const [name, script] of scripts)
      if (isOurs(name)) writeFileSync(join(draft, name), script.createCachedData());
  });
  if (part === "launch") launchTwice();
  else serveOnce();
}

function settle() {
  for (const name of readdirSync(draft).sort()) {
    const text = readFileSync(join(dist, name));
    const kept = readFileSync(join(draft, name));
    const script = new vm.Script(text.toString("latin1"), { filename: name, cachedData: kept });
    if (script.cachedDataRejected) throw new Error(`V8 does not take its code of ${name}`);
    const code = script.createCachedData();
    // As bin/vault-run looks for it.
    const digest = hash("sha256", hash("sha256", text) + hash("sha256", code));
    writeFileSync(join(draft, name), Buffer.concat([Buffer.from(digest), code]));
  }
}

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
