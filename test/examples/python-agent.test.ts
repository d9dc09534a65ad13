import { rmSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { commandsOf } from "../fixtures/example.ts";
import { buildPackage, makeEnvironment, pythonFolder, tools } from "../fixtures/python.ts";
import { copyExample, follow, isIn } from "../fixtures/story.ts";
import { keptTempFolder } from "../fixtures/temp-folder.ts";

const folder = keptTempFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { wheel } = await buildPackage(join(folder, "dist"));
const python = await makeEnvironment(join(folder, "venv"), wheel);

const blocks = commandsOf("python-agent");
const [, startService = ""] = blocks;
const program = copyExample("python-agent");
const env = { PATH: [dirname(python), program.env.PATH].join(delimiter) };
const told = await follow(program, blocks, env);
const token = (await program.must(["get", "weather/WEATHER_TOKEN"])).trim();

describe("the agent in Python", () => {
  it("has its forecast, launched and by the package, as the README tells", () => {
    expect(told.status, told.stderr).toBe(0);
    const agent = told.stdout.split("\n").filter((line) => line.startsWith("agent: "));
    expect(agent).toEqual([
      "agent: sunny, 21 degrees",
      "agent: using [REDACTED:weather/WEATHER_TOKEN]",
      "agent: sunny, 21 degrees",
    ]);
    expect(told.stdout).toMatch(/weather\/WEATHER_TOKEN +WEATHER_TOKEN +env/);
    expect(told.stdout).toMatch(/launch +forecaster +\S+ +verified +python: weather\/WEATHER_TOKEN/);
    expect(told.stdout).toMatch(/sdk +forecaster +\S+ +verified +weather\/WEATHER_TOKEN/);
  });

  it("shows its token nowhere, though it prints and logs it", () => {
    expect(token).toMatch(/^[0-9a-f]{48}$/);
    expect(told.stderr).toContain("'Bearer [REDACTED:weather/WEATHER_TOKEN]'");
    expect(isIn(told, token)).toBe(false);
  });

  it("ends with 1 where the service does not know its token, and does not show it", async () => {
    const copy = program.copy();
    const rotate = "openssl rand -hex 24 | vault-run set weather/WEATHER_TOKEN\n";
    for (const agent of ["vault-run --agent forecaster -- python agent.py\n", "python agent_sdk.py\n"]) {
      const refused = await follow(copy, [startService, rotate, agent, "echo not reached\n"], env);
      expect(refused.status, refused.stderr).toBe(1);
      expect(refused.stderr).toMatch(/^agent: HTTP Error 401: Unauthorized$/m);
      expect(refused.stdout).not.toContain("not reached");
      const newer = (await copy.must(["get", "weather/WEATHER_TOKEN"])).trim();
      for (const value of [token, newer]) expect(isIn(refused, value)).toBe(false);
    }
  });

  it("has no token without its vault's leave", async () => {
    const copy = program.copy();
    await copy.must(["revoke", "forecaster", "weather"]);
    const launched = await follow(copy, ["vault-run --agent forecaster -- python agent.py\n"], env);
    expect([launched.status, launched.stdout]).toEqual([125, ""]);
    const opened = await follow(copy, ["python agent_sdk.py\n"], env);
    expect([opened.status, opened.stdout]).toEqual([1, ""]);
  });

  it("passes the package's own checks", async () => {
    const example = resolve(pythonFolder, "../examples/python-agent");
    // An example prints, calls the address that it is given, and has the package from elsewhere.
    const lint = ["check", "--no-cache", "--config", "pyproject.toml", "--ignore", "T201,S310,I001", example];
    const form = ["format", "--no-cache", "--config", "pyproject.toml", "--check", example];
    const types = [
      "--config-file",
      "pyproject.toml",
      "--cache-dir",
      "/dev/null",
      "--python-executable",
      python,
    ];
    for (const [tool = "", ...args] of [
      ["ruff", ...lint],
      ["ruff", ...form],
      ["mypy", ...types, example],
    ]) {
      const done = await execa(join(tools, tool), args, { cwd: pythonFolder, all: true, reject: false });
      expect(done.exitCode, done.all).toBe(0);
    }
  });
});
