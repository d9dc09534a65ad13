import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa, execaSync } from "execa";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { onTerminal } from "../fixtures/terminal.ts";

// The one file for machines without node: on a PATH that has nothing but it and a few programs of the system.

const ROOT = resolve(import.meta.dirname, "../..");
const VALUE = "sk_live_51Habc/def+ghij";

let program: Program;
let env: Record<string, string>;
beforeAll(async () => {
  program = Program.lasting();
  const bin = join(program.home, "bin");
  const tmp = join(program.home, "tmp");
  mkdirSync(bin);
  mkdirSync(tmp);
  env = { PATH: bin, TMPDIR: tmp };
  await execa(inject("nodes")["26"], ["scripts/executable.ts", join(bin, "vault-run")], { cwd: ROOT });
  for (const name of ["cat", "git", "printenv", "sh", "test", "timeout"])
    symlinkSync(execaSync("sh", ["-c", `command -v ${name}`]).stdout, join(bin, name));
  await program.must(["init"], { env });
  await program.must(["add-agent", "crawler"], { env });
  await program.must(["set", "app/KEY"], { env, input: VALUE });
  await program.must(["grant", "crawler", "app"], { env });
}, 120_000);

const launch = (...args: string[]) => program.run(["--agent", "crawler", ...args], { env });

describe("the executable", () => {
  it("is one file that needs no node, and says its version", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(await program.run(["--version"], { env })).toMatchObject({ status: 0, stdout: `${version}\n` });
    expect(readdirSync(join(program.home, "bin"))).not.toContain("node");
  });

  it("launches, redacts and hands over as the package does", async () => {
    expect(await launch("--", "printenv", "KEY")).toMatchObject({
      status: 0,
      stdout: "[REDACTED:app/KEY]\n",
    });
    expect(await launch("--file", "F=app/KEY", "--", "sh", "-c", 'cat "$F"; exit 7')).toMatchObject({
      status: 7,
      stdout: "[REDACTED:app/KEY]",
    });
    expect((await launch("--no-redact", "--", "printenv", "KEY")).stdout).toBe(`${VALUE}\n`);
    expect(await launch("--", "missing-program")).toMatchObject({ status: 127 });
  });

  it("makes the system's calls that node lacks, and leaves no file of theirs", async () => {
    expect(await launch("--pipe", "P=app/KEY", "--", "sh", "-c", 'cat "$P"')).toMatchObject({
      status: 0,
      stdout: "[REDACTED:app/KEY]",
    });
    const command = [join(env.PATH ?? "", "vault-run"), "--agent", "crawler", "--", "sh", "-c"];
    const run = await onTerminal(program, [...command, "test -t 1 && echo a terminal"], [], {
      TMPDIR: env.TMPDIR ?? "",
    });
    expect(run.shown).toContain("a terminal");
    expect(readdirSync(join(program.home, "tmp"))).toEqual([]);
  });

  it("loads nothing that NODE_OPTIONS asks for", async () => {
    const evil = { ...env, NODE_OPTIONS: "--require /nowhere/evil.js" };
    const outcome = await program.run(["--agent", "crawler", "--", "printenv", "NODE_OPTIONS"], {
      env: evil,
    });
    expect(outcome).toMatchObject({ status: 0, stdout: "--require /nowhere/evil.js\n" });
  });

  it("has all verbs but the one for the keychain, which says why", async () => {
    expect((await program.run(["check"], { env })).status).toBe(0);
    expect((await program.run(["scan", "."], { env })).status).toBe(0);
    expect((await program.run(["audit", "--totals"], { env })).stdout).toContain("app/KEY");
    const report = join(program.home, "report.html");
    expect((await program.run(["report", "--html", report], { env })).status).toBe(0);
    expect(readFileSync(report, "utf8")).toContain("<!doctype html>");
    const keychain = await program.run(["keychain"], { env });
    expect(keychain.status).toBe(1);
    expect(keychain.stderr).toContain("the optional package @napi-rs/keyring is not installed");
  });
});
