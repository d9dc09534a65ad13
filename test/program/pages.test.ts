import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, inject, it } from "vitest";
import { crawlerTemplate } from "../fixtures/crawler.ts";
import { blocksOf, inlineCodeOf } from "../fixtures/pages.ts";
import { gitHubJobs, gitHubScripts } from "../fixtures/pipeline.ts";
import type { Program } from "../fixtures/program.ts";
import { runFile, writeInProject } from "../fixtures/project.ts";
import { follow } from "../fixtures/story.ts";
import { git } from "../fixtures/vault.ts";
import { readYaml } from "../fixtures/yaml.ts";
import { bech32Identity } from "../scan/samples.ts";

// What pages show, run as it stands there. test/docs.test.ts says which page is run by which test. What is in no block for
// a shell is held by that test alone, which has the program's parser read it: lines for cron, for ~/.bashrc, and in the text.

const template = await crawlerTemplate();

describe("docs/MCP.md", () => {
  it("works as it stands there", async () => {
    const [start = "", policy = "", other = "", ...more] = blocksOf("docs/MCP.md", "sh");
    expect(more).toEqual([]);
    const program = template.copy();
    for (const ref of ["github/TOKEN", "weather/KEY"]) await program.set(ref, "another-token");
    await program.must(["grant", "crawler", "github"]);
    // A server that reads its token from a variable, and sends it.
    const server = join(program.home, "bin/some-mcp-server");
    mkdirSync(join(program.home, "bin"));
    writeFileSync(server, `#!/bin/sh\nprintf '{"jsonrpc":"2.0","method":"m","params":["%s"]}\\n' "$TOKEN"\n`);
    chmodSync(server, 0o755);
    const env = { PATH: [join(program.home, "bin"), program.env.PATH].join(delimiter) };

    const config = await follow(program, [start], env);
    expect(config.status, config.stderr).toBe(0);
    const args = ["mcp", "--agent", "crawler", "--vault", program.repo];
    expect(JSON.parse(config.stdout)).toEqual({
      mcpServers: { "vault-run": { command: "vault-run", args } },
    });

    const allowed = await follow(program, [policy], env);
    expect(allowed.status, allowed.stderr).toBe(0);
    const { groups } = JSON.parse(await program.must(["status", "--json"]));
    expect(groups.map(({ name, policy }: { name: string; policy: unknown }) => [name, policy])).toEqual([
      [
        "github",
        {
          reveal: false,
          commands: [
            ["gh", "api"],
            ["gh", "pr", "list"],
          ],
          origins: [],
        },
      ],
      ["stripe", { reveal: false, commands: null, origins: ["https://api.stripe.com"] }],
      ["weather", { reveal: true, commands: null, origins: [] }],
    ]);

    const [{ mcpServers }] = blocksOf("docs/MCP.md", "json").map((block) => JSON.parse(block));
    const { command, args: words } = mcpServers.github;
    for (const line of [other, `${[command, ...words].join(" ")}\n`]) {
      const { stdout } = await follow(program, [line], env);
      expect(JSON.parse(stdout).params).toEqual(["[REDACTED:github/TOKEN]"]);
    }
  });
});

describe("docs/REDACTION.md", () => {
  it("works as it stands there, with a child of whom it speaks", async () => {
    const [block = "", ...more] = blocksOf("docs/REDACTION.md", "js");
    expect(more).toEqual([]);
    const child = `import { spawn } from "node:child_process";
      const child = spawn("sh", ["-c", 'printf "using %s\\n" "$API_KEY"']);\n`;
    const running = { env: { API_KEY: "a-value-of-the-key" } };
    const outcome = await runFile(writeInProject(child + block, "mjs"), template.copy(), running);
    expect(outcome).toMatchObject({
      status: 0,
      stdout: "using [REDACTED:stripe/API_KEY]\n",
      stderr: "stripe/API_KEY was in stdout (raw)\n",
    });
  });
});

describe("the jobs of docs/CLI.md", () => {
  const [check = "", scan = "", masked = "", ...more] = blocksOf("docs/CLI.md", "yaml");
  /** A repository whose branch is to be merged into main, and a store that knows the owner's key. */
  async function pullRequest(): Promise<{ program: Program; store: Record<string, string> }> {
    const program = template.copy();
    git(program.home, "init", "--quiet", "--bare", "--initial-branch=main", join(program.home, "origin.git"));
    program.git("remote", "add", "origin", "../origin.git");
    program.git("push", "--quiet", "--set-upstream", "origin", "main");
    const [{ verifyKey }] = JSON.parse(await program.must(["owners", "--json"])).owners;
    // As npx finds it where it is installed.
    symlinkSync(join(inject("projectFolder"), "node_modules"), join(program.repo, "node_modules"));
    return { program, store: { VAULT_RUN_OWNER: verifyKey } };
  }

  async function runJob(block: string, program: Program, store: Record<string, string>) {
    const path = join(program.home, "job.yml");
    writeFileSync(path, block);
    const [job] = Object.values(gitHubJobs(path));
    const [script, ...others] = gitHubScripts(job!, store);
    expect(others).toEqual([]);
    return follow(program, [script!.text.replace("${{ github.base_ref }}", "main")], script!.env);
  }

  it("are all that are run here", () => {
    expect(more).toEqual([]);
  });

  it("pass a change of an owner's, and refuse one of nobody's", async () => {
    const { program, store } = await pullRequest();
    await program.set("stripe/API_KEY", "a-new-value");
    expect(await runJob(check, program, store)).toMatchObject({ status: 0 });
    expect(await runJob(scan, program, store)).toMatchObject({ status: 0 });
    program.git("rm", "--quiet", ".vault/groups/stripe/secrets/API_KEY.json");
    program.git("commit", "--quiet", "--message", "gone");
    const { status, stdout } = await runJob(check, program, store);
    expect([status, stdout]).toEqual([1, expect.stringContaining("record-missing")]);
  });

  it("find a key in a commit, and say where in SARIF", async () => {
    const { program, store } = await pullRequest();
    writeFileSync(join(program.repo, "notes"), `${bech32Identity("AGE-SECRET-KEY-")}\n`);
    program.git("add", "notes");
    program.git("commit", "--quiet", "--message", "notes");
    const { status } = await runJob(scan, program, store);
    const found = await follow(program, [
      "jq -r '.runs[0].results[].locations[0].physicalLocation.artifactLocation.uri' scan.sarif\n",
    ]);
    expect([status, found.stdout]).toEqual([1, "notes\n"]);
  });

  it("mask the values of an export before it", async () => {
    const program = template.copy();
    const path = join(program.home, "steps.yml");
    writeFileSync(path, masked);
    const [[{ run }]] = readYaml(path) as [[{ run: string }]];
    await program.set("app/TOKEN", "token-of-the-app");
    const file = join(program.home, "github-env");
    const { status, stdout } = await follow(program, [run], { GITHUB_ENV: file });
    expect([status, stdout]).toEqual([0, "::add-mask::token-of-the-app\n"]);
    expect((await follow(program, [`cat ${file}\n`])).stdout).toMatch(
      /^TOKEN<<(\S+)\ntoken-of-the-app\n\1\n$/,
    );
  });
});

describe("commands in the text", () => {
  /** A command line as a page has it. */
  const lineOf = (page: string, pattern: RegExp) =>
    `${inlineCodeOf(page).find((code) => pattern.test(code))}\n`;

  /** With a program among the commands that prints what `line` does. */
  function withProgram(program: Program, name: string, line: string): Record<string, string> {
    const folder = join(program.home, "bin");
    mkdirSync(folder);
    writeFileSync(join(folder, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
    return { PATH: [folder, program.env.PATH].join(delimiter) };
  }

  it("of docs/CLI.md have a passphrase come through a pipe", async () => {
    const program = template.copy();
    const env = withProgram(program, "pass", "echo a long passphrase");
    const file = join(program.home, "passphrase");
    writeFileSync(file, "a long passphrase", { mode: 0o600 });
    await program.must(["passphrase"], { env: { VAULT_RUN_OWNER_PASSPHRASE_FILE: file } });
    const { status, stdout, stderr } = await follow(program, [lineOf("docs/CLI.md", /<\(pass /)], env);
    expect([status, stdout], stderr).toEqual([0, expect.stringContaining("stripe/API_KEY")]);
  });

  it("of docs/CLI.md have audit read what went to the journal", async () => {
    const program = template.copy();
    const made = await follow(program, [
      "vault-run --agent crawler --audit-to fd:3 -- true 3>> ../journal; mkdir seen\n",
    ]);
    expect(made.status, made.stderr).toBe(0);
    const env = withProgram(program, "journalctl", 'cat "$HOME/journal"');
    const lines = [/^journalctl .*>/, /^VAULT_RUN_AUDIT_DIR=seen /].map((pattern) =>
      lineOf("docs/CLI.md", pattern),
    );
    const { status, stdout, stderr } = await follow(program, lines, env);
    expect([status, stdout], stderr).toEqual([
      0,
      expect.stringMatching(/launch +crawler .* verified +true: stripe\/API_KEY/),
    ]);
  });

  it("of docs/FORMAT.md open what is sealed without vault-run", async () => {
    const program = template.copy();
    const line = lineOf("docs/FORMAT.md", /^jq .*age -d/);
    const filled = line
      .replace("FILE", ".vault/groups/stripe/group.json")
      .replace("KEY", join("~/.config/vault-run", program.vaultId, "owner.key"));
    const { status, stdout, stderr } = await follow(program, [filled]);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ type: "group", vault: program.vaultId });
  });
});
