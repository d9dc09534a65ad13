import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { git } from "../fixtures/vault.ts";

const root = resolve(import.meta.dirname, "../..");

describe("the README's story", () => {
  it("works as it stands there, word for word", async () => {
    const readme = readFileSync(resolve(root, "README.md"), "utf8");
    const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1]);
    expect(blocks).toHaveLength(4);
    const program = Program.empty();
    const shared = join(program.home, "shared.git");
    git(program.home, "init", "--quiet", "--bare", shared);
    const env = { ...program.env, SHARED_REPO: shared };
    const settings = { cwd: program.repo, env, extendEnv: false, all: true } as const;
    const { all } = await execa("bash", ["-e", "-o", "pipefail", "-c", blocks.join("\n")], settings);
    expect(all).toContain("using [REDACTED:stripe/API_KEY]\n0\n");
    expect(all).toContain("API_KEY   stripe/API_KEY  env");
    expect(all).toMatch(/stripe\/API_KEY +crawler/);
    expect(all).toContain("nothing to rotate");
    expect(all).toMatch(/launch +crawler +\S+ +verified +sh: stripe\/API_KEY/);
    expect(all).toMatch(/main is in step with origin: 0 commits came, \d+ went/);
    expect(all).toContain("nothing wrong");
    expect(all).not.toContain("sk_live_5");
  });
});

describe("the demo", () => {
  it("holds from beginning to end", async () => {
    const program = Program.empty();
    const { stdout, exitCode } = await execa(
      "node",
      ["node_modules/tsx/dist/cli.mjs", "examples/demo/demo.ts"],
      {
        cwd: root,
        env: program.env,
        extendEnv: false,
      },
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain("All of it held.");
    expect(stdout).not.toContain("✗");
  });
});
