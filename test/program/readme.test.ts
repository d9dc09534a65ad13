import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, inject, it } from "vitest";
import { crawlerTemplate } from "../fixtures/crawler.ts";
import { blocksOf, ROOT } from "../fixtures/pages.ts";
import { Program } from "../fixtures/program.ts";
import { MAJORS, runFile, writeInProject } from "../fixtures/project.ts";
import { git } from "../fixtures/vault.ts";

const template = await crawlerTemplate();

describe("the README's story", () => {
  it("works as it stands there, word for word", async () => {
    const blocks = blocksOf("README.md", "sh");
    expect(blocks).toHaveLength(5);
    const program = Program.empty();
    const shared = join(program.home, "shared.git");
    git(program.home, "init", "--quiet", "--bare", shared);
    const env = { ...program.env, SHARED_REPO: shared };
    const settings = { cwd: program.repo, env, extendEnv: false, all: true } as const;
    const { all } = await execa("bash", ["-e", "-o", "pipefail", "-c", blocks.join("\n")], settings);
    expect(all.match(/using \[REDACTED:stripe\/API_KEY\]\n/g)).toHaveLength(2);
    expect(all).toContain("using [REDACTED:stripe/API_KEY]\n0\n");
    expect(all).toContain("API_KEY   stripe/API_KEY  env");
    expect(all).toMatch(/stripe\/API_KEY +crawler/);
    expect(all).toContain("nothing to rotate");
    expect(all).toMatch(/launch +crawler +\S+ +verified +sh: stripe\/API_KEY/);
    expect(all).toMatch(/main is in step with origin: 0 commits came, \d+ went/);
    expect(all).toContain("every git commit is looked through");
    expect(all).toMatch(/nothing found; looked through \d+ contents/);
    expect(all).toContain("nothing wrong");
    expect(all).not.toContain("sk_live_5");
  });
});

describe("what the documentation shows of programs", () => {
  it.each(MAJORS)("works as it stands in the README, on node %s", async (major) => {
    const blocks = blocksOf("README.md", "js").filter((block) => /from "vault-run"/.test(block));
    expect(blocks).toHaveLength(1);
    const program = template.copy();
    const path = writeInProject(blocks[0] ?? "", "mjs");
    const { status, stdout, stderr } = await runFile(path, program, {
      node: inject("nodes")[major],
      env: { VAULT_RUN_AGENT: "other" },
    });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toBe("using [REDACTED:stripe/API_KEY]\nusing [REDACTED:stripe/API_KEY]\n");
  });

  it("works as it stands in docs/SDK.md", async () => {
    const blocks = blocksOf("docs/SDK.md", "js");
    expect(blocks).toHaveLength(3);
    const program = template.copy();
    const outputs: string[] = [];
    for (const block of blocks) {
      const { status, stdout, stderr } = await runFile(writeInProject(block, "mjs"), program);
      expect([status, stderr]).toEqual([0, ""]);
      outputs.push(stdout);
    }
    expect(outputs[0]).toBe("stripe/API_KEY API_KEY null\nkey: [REDACTED:stripe/API_KEY]\n");
    expect(outputs[1]).toBe("0 using [REDACTED:stripe/API_KEY]\n 1\n");
    expect(outputs[2]).toMatch(/^new value [0-9a-f]{7,}\nvault-run: revoke stripe from crawler \[/);
    expect(outputs.join()).not.toContain("sk_live");
  });
});

describe("the demo", () => {
  it("holds from beginning to end", async () => {
    const program = Program.empty();
    const { stdout, exitCode } = await execa(
      "node",
      ["node_modules/tsx/dist/cli.mjs", "examples/demo/demo.ts"],
      {
        cwd: ROOT,
        env: program.env,
        extendEnv: false,
      },
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain("All of it held.");
    expect(stdout).not.toContain("✗");
  });
});
