import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VALUE } from "../fixtures/crawler.ts";
import { isPermissive } from "../fixtures/licences.ts";
import { blocksOf } from "../fixtures/pages.ts";
import { Program } from "../fixtures/program.ts";
import { type Built, buildPackage, makeEnvironment, pythonFolder, tools } from "../fixtures/python.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { keptTempFolder } from "../fixtures/temp-folder.ts";

const RUNS = 500;
const AT_ONCE = 4;
const folder = keptTempFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let built: Built;
let python = "";
const template = await Program.template(async (made) => {
  await made.must(["init"]);
  await made.must(["add-agent", "crawler"]);
  await made.set("stripe/API_KEY", VALUE);
  await made.must(["grant", "crawler", "stripe"]);
});
beforeAll(async () => {
  built = await buildPackage(join(folder, "dist"));
  python = await makeEnvironment(join(folder, "venv"), built.wheel, "pytest", "hypothesis");
}, 600_000);

/** Runs a script in a program's repository as its user. */
function runPython(program: Program, script: string, ...args: string[]) {
  const options = { cwd: program.repo, env: program.env, extendEnv: false, reject: false } as const;
  return execa(python, ["-c", script, ...args], options);
}

const GET = `
from vault_run import Vault
with Vault(agent="crawler") as vault:
    print(vault["stripe/API_KEY"].reveal())
`;

describe("the Python package", () => {
  it.each(["ruff check .", "ruff format --check .", "mypy"])("passes %s", async (line) => {
    const [tool = "", ...args] = line.split(" ");
    const options = { cwd: pythonFolder, all: true, reject: false } as const;
    const { all, exitCode } = await execa(join(tools, tool), args, options);
    expect(exitCode, all).toBe(0);
  });

  it("passes its own tests as it is installed", { timeout: 900_000 }, async () => {
    const args = ["-m", "pytest", "-q", "-p", "no:cacheprovider"];
    const { all, exitCode } = await execa(python, args, { cwd: pythonFolder, all: true, reject: false });
    expect(exitCode, all).toBe(0);
    expect(all).toMatch(/\d{3} passed in/);
  });

  it("installs offline from its wheel and from its source, typed, with one dependency", async () => {
    const fromSource = await makeEnvironment(join(tempFolder(), "venv"), built.sdist);
    const script = `
import importlib.metadata as metadata, pathlib, vault_run
assert "site-packages" in vault_run.__file__
assert pathlib.Path(vault_run.__file__).with_name("py.typed").exists()
print(metadata.version("vault-run"), metadata.requires("vault-run"))`;
    for (const each of [python, fromSource]) {
      const { stdout } = await execa(each, ["-c", script]);
      const { version } = JSON.parse(readFileSync(resolve(pythonFolder, "../package.json"), "utf8"));
      expect(stdout).toBe(`${version} ['cryptography>=50']`);
    }
  });

  it("brings nothing but packages that anyone may pass on", async () => {
    const environment = await makeEnvironment(join(tempFolder(), "venv"), built.wheel);
    const script = `
import importlib.metadata as metadata
for each in metadata.distributions():
    print(each.name + ": " + str(each.metadata["License-Expression"]))`;
    const { stdout } = await execa(environment, ["-c", script]);
    const brought = stdout.split("\n").filter((line) => !/^(pip|setuptools|vault-run): /.test(line));
    expect(brought.map((line) => line.split(": ")[0])).toEqual(
      expect.arrayContaining(["cffi", "cryptography", "pycparser"]),
    );
    expect(brought.filter((line) => !isPermissive(line.split(": ")[1] ?? ""))).toEqual([]);
  });

  it("tells a strict type checker what it gives", async () => {
    const program = join(tempFolder(), "program.py");
    writeFileSync(
      program,
      `from vault_run import AsyncVault, Secret, Vault, VaultError
from vault_run.redacting import RedactingFilter, Redactor, redacting_stream

async def read() -> str:
    async with AsyncVault(agent="a") as vault:
        secret: Secret = await vault.get("g/N")
        return secret.reveal()

def names(vault: Vault) -> list[str]:
    return [info.ref for info in vault.list() if info.expires_at is None]

def code(error: VaultError) -> str:
    return error.code

reveal_type(Vault(agent="a").env()["N"])
wrong: int = Vault(agent="a")["g/N"].reveal()
`,
    );
    const args = ["--strict", "--python-executable", python, "--cache-dir", "/dev/null", program];
    const { stdout } = await execa(join(tools, "mypy"), args, { reject: false, cwd: tempFolder() });
    const lines = stdout.split("\n").map((line) => line.replace(/^.*program.py:/, ""));
    expect(lines).toEqual([
      '15: note: Revealed type is "str"',
      '16: error: Incompatible types in assignment (expression has type "str", variable has type "int")  [assignment]',
      "Found 1 error in 1 file (checked 1 source file)",
    ]);
  });

  it("does what the README shows, word for word", async () => {
    const program = template.copy();
    for (const page of ["README.md", "python/README.md"]) {
      const [script = "", ...others] = blocksOf(page, "python");
      expect(others).toEqual([]);
      const { stdout, stderr, exitCode } = await runPython(program, script);
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toBe("using [REDACTED:stripe/API_KEY]");
      expect(stderr).toBe("WARNING:root:sending {'Authorization': 'Bearer [REDACTED:stripe/API_KEY]'}");
    }
  });

  it("lists, and says what is wrong in two lines", async () => {
    const program = template.copy();
    const options = { cwd: program.repo, env: program.env, extendEnv: false, reject: false } as const;
    const listed = await execa(python, ["-m", "vault_run", "list", "--agent", "crawler"], options);
    expect(listed.stdout).toContain("stripe/API_KEY  API_KEY   env");
    const refused = await execa(python, ["-m", "vault_run", "list", "--agent", "nobody"], options);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/^vault-run: no key for agent nobody: .*\n {2}put its key file there/);
  });
});

describe("a launcher and a Python program on one machine", () => {
  it("refuse what the other has seen newer", async () => {
    for (const newest of ["python", "launcher"]) {
      const program = template.copy();
      const old = program.git("rev-parse", "HEAD");
      await program.set("stripe/API_KEY", "newer-value-of-the-key");
      // The owner's machine has pinned it, too: this is another one.
      rmSync(join(program.home, ".local"), { recursive: true });
      const launch = () => program.run(["--agent", "crawler", "--no-redact", "--", "printenv", "API_KEY"]);
      const first = newest === "python" ? runPython(program, GET) : launch();
      expect((await first).stdout?.trim()).toBe("newer-value-of-the-key");
      program.git("checkout", "--quiet", old);
      const { stderr } = newest === "python" ? await launch() : await runPython(program, GET);
      expect(stderr).toContain("older than a record this machine has already seen");
    }
  });

  it("append to one audit log at once, and no line is lost or torn", { timeout: 600_000 }, async () => {
    const program = template.copy();
    const script = `
import time
from vault_run import Vault
with Vault(agent="crawler") as vault:
    for _ in range(${RUNS}):
        vault["stripe/API_KEY"]
        time.sleep(0.02)
`;
    const reading = runPython(program, script);
    let left = RUNS;
    const launching = Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await program.must(["--agent", "crawler", "--", "true"]);
    });
    await Promise.all([...launching, reading]);
    expect((await reading).exitCode, (await reading).stderr).toBe(0);
    const { stdout } = await program.run(["audit", "--json"]);
    const { lines }: { lines: { status: string; action: string }[] } = JSON.parse(stdout);
    expect(new Set(lines.map(({ status }) => status))).toEqual(new Set(["verified"]));
    for (const action of ["sdk", "launch"])
      expect(lines.filter((line) => line.action === action)).toHaveLength(RUNS);
  });
});
