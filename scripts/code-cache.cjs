// Makes the code that V8 compiles of the launch's files, for the node that runs this: a launch then starts 8 ms earlier.
// It launches a program from a vault of its own in a temporary folder, so that all a launch uses is compiled, and keeps what
// V8 made. No value of a real vault is anywhere near.
// usage: npm run code-cache

const { execFileSync } = require("node:child_process");
const { hash } = require("node:crypto");
const { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { basename, join, resolve } = require("node:path");
const vm = require("node:vm");

const BIN = resolve(__dirname, "../bin/vault-run");
const OF_LAUNCHES = ["launch.cjs", "hold.cjs"];
const target = resolve(__dirname, "../dist/code", `${process.versions.v8}-${process.arch}`);

rmSync(target, { recursive: true, force: true });
const folder = mkdtempSync(join(tmpdir(), "vault-run-code-"));
const env = { PATH: process.env.PATH, HOME: folder };
const run = (file, args, input = "") => execFileSync(file, args, { cwd: folder, env, input, stdio: "pipe" });
try {
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
} catch (error) {
  rmSync(folder, { recursive: true, force: true });
  if (error.code !== "ENOENT") throw new Error(`${error.message.split("\n")[0]}\n${error.stderr}`);
  process.stderr.write("the code cache needs git, and there is none on the PATH\n");
  process.exit(1);
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
  rmSync(folder, { recursive: true, force: true });
  if (status !== 0) return;
  const draft = `${target}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  for (const name of OF_LAUNCHES) {
    const { script, text } = scripts.get(name);
    const code = script.createCachedData();
    // As bin/vault-run looks for it.
    const digest = hash("sha256", hash("sha256", text) + hash("sha256", code));
    writeFileSync(join(draft, name), Buffer.concat([Buffer.from(digest), code]));
  }
  renameSync(draft, target);
});
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
