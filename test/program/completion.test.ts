import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { onTerminal } from "../fixtures/terminal.ts";

const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await made.must(["add-agent", "crawler"]);
  await made.set("stripe/API_KEY", "sk_live_51Habc");
  await made.must(["grant", "crawler", "stripe"]);
});

const FISH_PROMPT = "function fish_prompt; echo -n 'ready> '; end; stty rows 24 cols 80";
const SHELLS = [
  ["bash", ["bash", "--norc", "--noprofile", "-i"], 'eval "$(vault-run completion bash)"'],
  ["zsh", ["zsh", "-f", "-i"], 'eval "$(vault-run completion zsh)"'],
  ["fish", ["fish", "--no-config", "-i", "-C", FISH_PROMPT], "vault-run completion fish | source"],
] as const;

describe.each(SHELLS)("completion in %s", (_, shell, load) => {
  it("completes verbs, secrets, options, agents, files and the command behind --", async () => {
    const program = template.copy();
    writeFileSync(join(program.repo, "unique-file.txt"), "text of the unique file");
    const { shown, status, untyped } = await onTerminal(
      program,
      shell,
      [
        ["ready> ", `${load}\r`],
        ["ready> ", "vault-run ge\tstri\tAP\t\r"],
        ["sk_live_51Habc", "vault-run --ag\tcra\t--no-red\t-- cat uni\t\r"],
        ["text of the unique file", "vault-run set x/Y --fro\tuni\t\r"],
        ["set x/Y", "exit\r"],
      ],
      { PS1: "ready> ", HISTFILE: "" },
    );
    expect({ untyped, status }, shown).toEqual({ untyped: 0, status: 0 });
    expect(await program.must(["get", "x/Y"])).toBe("text of the unique file");
  });

  it("completes a path that is an option's value behind =", async () => {
    const program = template.copy();
    mkdirSync(join(program.repo, "unique-folder"), { recursive: true });
    writeFileSync(join(program.repo, "unique-folder/value=1.txt"), "text of the file");
    const { shown, status, untyped } = await onTerminal(
      program,
      shell,
      [
        ["ready> ", `${load}\r`],
        ["ready> ", "vault-run set x/Y --from-file=uni\tvalue=\t\r"],
        ["set x/Y", "vault-run list --vault=../re\t\r"],
        ["stripe", "exit\r"],
      ],
      { PS1: "ready> ", HISTFILE: "" },
    );
    expect({ untyped, status }, shown).toEqual({ untyped: 0, status: 0 });
    expect(await program.must(["get", "x/Y"])).toBe("text of the file");
  });

  it("evaluates nothing that was typed, and fails silently", async () => {
    const program = template.copy();
    const { shown, untyped } = await onTerminal(
      program,
      shell,
      [
        ["ready> ", `${load}\r`],
        ["ready> ", "vault-run get '$(touch evaluated)' \tx\t\u0015cd /; echo fir''st\r"],
        ["first", "vault-run get stri\t\u0015echo seco''nd\r"],
        ["second", "exit\r"],
      ],
      { PS1: "ready> ", HISTFILE: "" },
    );
    expect(untyped, shown).toBe(0);
    expect(existsSync(join(program.repo, "evaluated"))).toBe(false);
    expect(shown).not.toContain("no .vault");
  });
});

describe("completion", () => {
  it("answers without any key, and is refused for a shell it does not know", async () => {
    const program = template.copy();
    const words = "get\0stripe/\0";
    const { status, stdout, stderr } = await program.run(["completion", "bash", "--words"], {
      input: words,
      env: { HOME: join(program.home, "elsewhere") },
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "words\nstripe/API_KEY\n", stderr: "" });
    const unknown = await program.run(["completion", "zhs"]);
    expect(unknown.status).toBe(2);
    expect(unknown.stderr).toContain("did you mean vault-run completion zsh?");
  });
});
