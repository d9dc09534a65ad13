import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { commandsOf } from "../fixtures/example.ts";
import { copyExample, follow, isIn } from "../fixtures/story.ts";
import { keptTempFolder } from "../fixtures/temp-folder.ts";
import { onTerminal } from "../fixtures/terminal.ts";

const STAND_IN = resolve(import.meta.dirname, "../fixtures/coding-agent.js");
const bin = keptTempFolder();
afterAll(() => rmSync(bin, { recursive: true, force: true }));
/** Puts a shell script among the commands. */
function writeCommand(name: string, line: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`);
  chmodSync(join(bin, name), 0o755);
}
for (const name of ["claude", "codex"]) writeCommand(name, `exec node '${STAND_IN}' ${name}`);
writeCommand("gh", 'echo "$*: 7 open, asked with $GH_TOKEN"');

const [makeVault = "", configure = "", claude = "", codex = "", lookBack = ""] = commandsOf("coding-agents");
const program = copyExample("coding-agents");
const env = { PATH: [bin, program.env.PATH].join(delimiter) };
const made = await follow(program, [makeVault, configure], env);
const refs = {
  claude: "anthropic/ANTHROPIC_API_KEY",
  codex: "openai/OPENAI_API_KEY",
  model: "github/GH_TOKEN",
};
const values = await Promise.all(Object.values(refs).map((ref) => program.must(["get", ref])));

describe("coding agents in a terminal", () => {
  it.each([
    ["claude", claude],
    ["codex", codex],
  ] as const)("%s has a terminal and its own key, and shows no secret", async (name, line) => {
    expect(made.status, made.stderr).toBe(0);
    const copy = program.copy();
    // The server's configuration names the folder that it was made in.
    const at = (path: string) => readFileSync(path, "utf8").replaceAll(program.repo, copy.repo);
    for (const path of [join(copy.repo, ".mcp.json"), join(copy.home, ".codex/config.toml")])
      writeFileSync(path, at(path));
    const launch = ["bash", "-e", "-c", line];
    const { shown, status, untyped } = await onTerminal(copy, launch, [["ready> ", "hello\r"]], env);
    expect([status, untyped], shown).toEqual([0, 0]);
    const mask = `[REDACTED:${refs[name]}]`;
    const lines = shown.split("\r\n");
    expect(lines).toContain("terminal true");
    expect(lines).toContain(`key ${mask}`);
    expect(shown).toContain(`encoded ${mask}`);
    expect(shown).toMatch(/coloured \S*\[REDACTED:/);
    expect(lines).toContain(`others ${refs[name].split("/")[1]}`);
    expect(shown).toMatch(/model sees .*issue list: 7 open, asked with \[REDACTED:github\/GH_TOKEN\]/);
    expect(shown).toMatch(/model refused .*the owner binds github to other commands/);
    expect(lines).toContain("you said hello");
    for (const value of values) expect(isIn({ ...made, stdout: shown }, value.trim())).toBe(false);

    const back = await follow(copy, [lookBack]);
    expect(back.status, back.stderr).toBe(0);
    expect(back.stdout).toMatch(new RegExp(`launch +${name} .* ${name}: ${refs[name]}`));
    expect(back.stdout).toMatch(/mcp +model .*github\/GH_TOKEN/);
    expect(back.stdout).toMatch(new RegExp(`^${name} +${refs[name]} +terminal +base64 +1 `, "m"));
  });

  it("are told of the server as docs/MCP.md says", () => {
    const server = { command: "vault-run", args: ["mcp", "--agent", "model", "--vault", program.repo] };
    const config = JSON.parse(readFileSync(join(program.repo, ".mcp.json"), "utf8"));
    expect(config).toEqual({ mcpServers: { "vault-run": server } });
    const codexConfig = readFileSync(join(program.home, ".codex/config.toml"), "utf8");
    expect(codexConfig).toContain(`args = ${JSON.stringify(server.args)}\n`);
    expect(codexConfig.indexOf("model_provider")).toBeLessThan(codexConfig.indexOf("["));
  });
});
