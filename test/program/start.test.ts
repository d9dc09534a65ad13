import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, inject, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { tempFolder } from "../fixtures/temp.ts";

// What a launch reads of the program itself, and the code that V8 made of it.

const VALUE = "sk_live_51HabcdefghijKLMNOP";
const template = await Program.template(async (made) => {
  await made.must(["init"]);
  await made.must(["add-agent", "crawler"]);
  await made.set("stripe/API_KEY", VALUE);
  await made.must(["grant", "crawler", "stripe"]);
});
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const CODE = `code/${process.versions.v8}-${process.arch}`;
const PRINTING = ["--agent", "crawler", "--quiet", "--", "sh", "-c", 'echo "$API_KEY"'];

/** The files of the package that a launch opens, below `dist/`. */
async function opened(
  words: readonly string[],
  dist: string,
  env: Record<string, string>,
): Promise<string[]> {
  const trace = join(program.home, "opened");
  const strace = ["-f", "-e", "trace=openat", "-o", trace, "vault-run", ...words];
  await execa("strace", strace, { cwd: program.repo, env, extendEnv: false });
  const paths = [...readFileSync(trace, "latin1").matchAll(/openat\([^,]+, "([^"]+)"[^\n]* = \d+$/gm)];
  return paths.flatMap(([, path = ""]) => (path.startsWith(dist) ? [path.slice(dist.length + 1)] : []));
}

/** The package at a place of its own, where it may be spoiled, and the environment of someone who has it. */
function ownPackage(): { folder: string; env: Record<string, string> } {
  const folder = join(tempFolder(), "package");
  cpSync(inject("packageFolder"), folder, { recursive: true });
  const bin = tempFolder();
  symlinkSync(process.execPath, join(bin, "node"));
  symlinkSync(join(folder, "bin/vault-run"), join(bin, "vault-run"));
  return { folder, env: { ...program.env, PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` } };
}

describe("a launch", () => {
  it.each([
    ["is held", [], ["launch.cjs", `${CODE}/launch.cjs`, "hold.cjs", `${CODE}/hold.cjs`]],
    ["is handed over", ["--no-redact"], ["launch.cjs", `${CODE}/launch.cjs`]],
    ["is only looked at", ["--dry-run"], ["launch.cjs", `${CODE}/launch.cjs`]],
  ])("that %s reads these files of the program and no others", async (_, options, files) => {
    const { folder, env } = ownPackage();
    const words = ["--agent", "crawler", ...options, "--", "true"];
    expect(await opened(words, `${folder}/bin/../dist`, env)).toEqual(files);
  });

  it("reads no record but those granted", async () => {
    await program.must(["add-agent", "other"]);
    await program.set("mail/PASSWORD", "mail-password-value");
    await program.must(["grant", "other", "mail"]);
    const files = await opened(
      ["--agent", "crawler", "--", "true"],
      join(program.repo, ".vault"),
      program.env,
    );
    expect(new Set(files)).toEqual(
      new Set([
        "vault.json",
        "agents/crawler/agent.json",
        "agents/crawler/grants",
        "agents/crawler/grants/stripe.json",
        "groups/stripe/group.json",
        "groups/stripe/secrets",
        "groups/stripe/secrets/API_KEY.json",
      ]),
    );
  });
});

describe("the code that V8 made", () => {
  const launch = async (env: Record<string, string>) => {
    const { stdout } = await execa("vault-run", PRINTING, { cwd: program.repo, env, extendEnv: false });
    expect(stdout).toBe("[REDACTED:stripe/API_KEY]");
  };

  /** Of the launch, and of the server for models with what it is made of. */
  const expectCode = (folder: string) => {
    const files = readdirSync(folder);
    for (const name of [/^hold\.cjs$/, /^launch\.cjs$/, /^serve-.*\.cjs$/])
      expect(files.filter((file) => name.test(file))).toHaveLength(1);
    expect(files.length).toBeLessThan(12);
  };

  it("is there for the node that packed it, and holds nothing of what it was made with", () => {
    const folder = join(inject("packageFolder"), "dist", CODE);
    expectCode(folder);
    for (const file of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, file));
      for (const text of ["some value of some length", "AGE-SECRET-KEY-PQ-1", "SOME_NAME"]) {
        expect(bytes.includes(text), text).toBe(false);
        expect(bytes.includes(Buffer.from(text, "utf16le")), text).toBe(false);
      }
    }
  });

  it("is taken by the node that made it, every file", async () => {
    const { folder, env } = ownPackage();
    const script = `const { readFileSync } = require("node:fs");
      for (const name of process.argv.slice(1)) {
        const cachedData = readFileSync("${CODE}/" + name).subarray(64);
        const { cachedDataRejected } = new vm.Script(readFileSync(name, "latin1"), { cachedData });
        console.log(cachedDataRejected ? "refused" : "taken", name);
      }`;
    const names = readdirSync(join(folder, "dist", CODE));
    const { stdout } = await execa("node", ["--eval", script, ...names], {
      cwd: join(folder, "dist"),
      env,
      extendEnv: false,
    });
    expect(stdout.split("\n")).toEqual(names.map((name) => `taken ${name}`));
  });

  it("is not missed where it is not there, or is another's", async () => {
    const { folder, env } = ownPackage();
    const file = join(folder, "dist", CODE, "launch.cjs");
    const code = readFileSync(file);
    const flipped = Buffer.from(code);
    for (let i = 1000; i < flipped.length; i += 5000) flipped[i] = (flipped[i] ?? 0) ^ 0xff;
    for (const spoiled of [Buffer.alloc(0), Buffer.from("no code"), code.subarray(0, 9000), flipped]) {
      writeFileSync(file, spoiled);
      await launch(env);
    }
    rmSync(join(folder, "dist/code"), { recursive: true });
    await launch(env);
    expect(existsSync(join(folder, "dist/code"))).toBe(false);
  });

  it("is of one text: a package that was patched runs as it was patched", async () => {
    const { folder, env } = ownPackage();
    const file = join(folder, "dist/launch.cjs");
    const patched = readFileSync(file, "latin1").replaceAll("no agent is named", "NO AGENT IS NAMED");
    writeFileSync(file, patched, "latin1");
    const settings = { cwd: program.repo, env, extendEnv: false, reject: false } as const;
    const { stderr } = await execa("vault-run", ["--", "true"], settings);
    expect(stderr).toContain("NO AGENT IS NAMED");
  });

  it("is made for another node by the package's own script", async () => {
    const { folder, env } = ownPackage();
    rmSync(join(folder, "dist/code"), { recursive: true });
    await execa("npm", ["run", "--silent", "code-cache"], { cwd: folder, env, extendEnv: false });
    expectCode(join(folder, "dist", CODE));
    await launch(env);
  });

  it("says so and leaves nothing where the script has no git", async () => {
    const { folder } = ownPackage();
    rmSync(join(folder, "dist/code"), { recursive: true });
    const bin = tempFolder();
    const temp = tempFolder();
    mkdirSync(join(temp, "tmp"));
    symlinkSync(process.execPath, join(bin, "node"));
    const env = { PATH: bin, TMPDIR: join(temp, "tmp"), HOME: temp };
    const settings = { cwd: folder, env, extendEnv: false, reject: false };
    const failed = await execa(process.execPath, ["scripts/code-cache.cjs"], settings);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toBe("the code cache needs git, and there is none on the PATH");
    expect(existsSync(join(folder, "dist/code"))).toBe(false);
    expect(readdirSync(join(temp, "tmp"))).toEqual([]);
  });
});
