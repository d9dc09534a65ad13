import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { onTerminal as runOnTerminal, type Step } from "../fixtures/terminal.ts";
import { gitInit } from "../fixtures/vault.ts";

const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await made.must(["add-agent", "crawler"]);
  await made.set("stripe/API_KEY", "sk_live_value");
});
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const onTerminal = (command: readonly string[], steps?: readonly Step[], env?: Record<string, string>) =>
  runOnTerminal(program, command, steps, env);

describe("the hidden prompt", () => {
  it("takes a value that is never shown", async () => {
    const { shown, status } = await onTerminal(
      ["vault-run", "set", "mail/PASSWORD"],
      [["not shown", "hunter2secret\r"]],
    );
    expect(status).toBe(0);
    expect(shown).not.toContain("hunter2");
    expect(await program.must(["get", "mail/PASSWORD"])).toBe("hunter2secret");
  });

  it("lets typing be mended, by characters and not by bytes", async () => {
    await onTerminal(
      ["vault-run", "set", "mail/PASSWORD"],
      [["not shown", "wrong\u0015pässwördü\u007f\u007fd!\r"]],
    );
    expect(await program.must(["get", "mail/PASSWORD"])).toBe("pässwörd!");
  });

  it("takes a pasted key of several lines whole", async () => {
    const paste = "\x1b[200~-----BEGIN KEY-----\rline two\r-----END KEY-----\r\x1b[201~\r";
    const { shown, status } = await onTerminal(
      ["vault-run", "set", "deploy/KEY", "--as-file"],
      [["not shown", paste]],
    );
    expect(status).toBe(0);
    expect(shown).not.toContain("line two");
    expect(await program.must(["get", "deploy/KEY"])).toBe(
      "-----BEGIN KEY-----\nline two\n-----END KEY-----\n",
    );
  });

  it("refuses lines that a terminal without paste marks lets through, and leaves none to the shell", async () => {
    const script = "vault-run set deploy/KEY; cat > left; echo status-$?";
    const { shown } = await onTerminal(
      ["sh", "-c", script],
      [
        ["not shown", "line one\rline two\rline three\r"],
        ["more than one line", "\u0004"],
      ],
    );
    expect(shown).toContain("more than one line was pasted");
    expect(readFileSync(join(program.repo, "left"), "utf8")).toBe("");
  });

  it("is left with Ctrl-C, the terminal as it was and nothing changed", async () => {
    const before = program.snapshot();
    const { shown } = await onTerminal(
      ["sh", "-c", "stty -g > ~/a; vault-run set stripe/API_KEY; echo status-$?; stty -g > ~/b"],
      [["not shown", "half\u0003"]],
    );
    expect(shown).toContain("canceled");
    expect(shown).toContain("status-1");
    expect(readFileSync(join(program.home, "a"), "utf8")).toBe(readFileSync(join(program.home, "b"), "utf8"));
    expect(program.snapshot()).toBe(before);
  });
});

describe("a terminal at whose hidden prompt a signal ends the program", () => {
  it.each(["HUP", "TERM", "INT", "QUIT"])("is as it was, with SIG%s", async (signal) => {
    const before = program.snapshot();
    const match = "vault-run set stripe/API_KEY$";
    const { shown, modes } = await onTerminal(
      ["sh", "-c", "stty -g > ~/a; vault-run set stripe/API_KEY; echo status-$?; stty -g > ~/b"],
      [["not shown", "half", { kill: signal, match: `^\\S*node .*${match}` }]],
    );
    expect(shown).toContain(`status-${128 + constants.signals[`SIG${signal}` as NodeJS.Signals]}`);
    expect(readFileSync(join(program.home, "b"), "utf8")).toBe(readFileSync(join(program.home, "a"), "utf8"));
    expect(modes).toEqual({ echo: true, canonical: true, post: true });
    expect(shown.lastIndexOf("\x1b[?2004l")).toBeGreaterThan(shown.lastIndexOf("\x1b[?2004h"));
    expect(shown).not.toContain("half");
    expect(program.snapshot()).toBe(before);
  });
});

describe("a confirmation", () => {
  it("shows a path without what would drive the terminal", async () => {
    const configured = join(program.home, ".config/vault-run");
    const key = join(program.home, "a\u009b31m\u202eb.key");
    renameSync(join(configured, readdirSync(configured)[0] ?? "", "owner.key"), key);
    const command = ["vault-run", "keychain", "--owner-key-file", key];
    const { shown, status } = await onTerminal(command, [["[y/N]", "n\r"]]);
    expect(status).toBe(1);
    expect(shown).toContain("a\\u009b31m\\u202eb.key? [y/N]");
    expect(shown).not.toMatch(/[\u009b\u202e]/);
  });

  it("shows whom it is about and does nothing without a yes", async () => {
    const before = program.snapshot();
    const no = await onTerminal(["vault-run", "grant", "crawler", "stripe"], [["[y/N]", "\r"]]);
    expect(no.shown).toMatch(/let crawler \(key [0-9a-f]{16}\) open 1 secret of stripe\? \[y\/N\]/);
    expect(no.status).toBe(1);
    expect(program.snapshot()).toBe(before);
    const remove = await onTerminal(["vault-run", "remove-agent", "crawler"], [["[y/N]", "n\r"]]);
    expect(remove.shown).toMatch(
      /remove agent crawler \(key [0-9a-f]{16}\), and give new keys to no group\?/,
    );
    expect(program.snapshot()).toBe(before);
    const yes = await onTerminal(["vault-run", "grant", "crawler", "stripe"], [["[y/N]", "y\r"]]);
    expect(yes.status).toBe(0);
    expect(yes.shown).toContain("granted stripe to crawler");
  });

  it("takes Ctrl-D for a no, and says so on a line of its own", async () => {
    const before = program.snapshot();
    const { shown, status } = await onTerminal(
      ["vault-run", "grant", "crawler", "stripe"],
      [["[y/N]", "\u0004"]],
    );
    expect(shown).toMatch(/\[y\/N\] \r?\nvault-run: canceled/);
    expect(status).toBe(1);
    expect(program.snapshot()).toBe(before);
  });

  it("says until when a grant held so far, and is not asked for what is so already", async () => {
    await program.must(["grant", "crawler", "stripe"]);
    const before = program.snapshot();
    const { stderr } = await program.run(["grant", "crawler", "stripe"]);
    expect(stderr).toBe("vault-run: nothing to do: stripe is granted to crawler already\n");
    expect(program.snapshot()).toBe(before);
    const limited = await onTerminal(
      ["vault-run", "grant", "crawler", "stripe", "--expires", "2099-01-31"],
      [["[y/N]", "y\r"]],
    );
    expect(limited.shown).toContain("of stripe until 2099-01-31 00:00 UTC; so far without an end? [y/N]");
    expect(limited.status).toBe(0);
  });

  it("is not asked with --yes, nor without a terminal", async () => {
    const { status, shown } = await onTerminal(["vault-run", "grant", "crawler", "stripe", "--yes"]);
    expect(status).toBe(0);
    expect(shown).not.toContain("[y/N]");
    await program.must(["revoke", "crawler", "stripe"]);
  });
});

describe("resolve", () => {
  it("asks which of two values stays, and chooses none where neither is named", async () => {
    program.git("switch", "--quiet", "--create", "side");
    await program.set("stripe/API_KEY", "set-on-the-side");
    program.git("switch", "--quiet", "-");
    await program.set("stripe/API_KEY", "set-later-here");
    expect(() => program.git("merge", "--quiet", "side")).toThrow();
    const before = program.snapshot();
    const none = await onTerminal(["vault-run", "resolve"], [["[1/2]", "\r"]]);
    expect(none.shown).toMatch(/which value stays\?\s+1: the newer, set .* UTC\s+2: the older, set .* UTC/);
    expect(none.status).toBe(1);
    expect(program.snapshot()).toBe(before);
    const older = await onTerminal(
      ["vault-run", "resolve"],
      [
        ["[1/2]", "2\r"],
        ["[y/N]", "y\r"],
      ],
    );
    expect(older.shown).toContain("the older value, set");
    expect(older.status).toBe(0);
    program.git("commit", "--quiet", "--no-edit");
    expect(await program.must(["get", "stripe/API_KEY"])).toBe("set-on-the-side");
  });
});

describe("a new key file", () => {
  it("in the repo is said to be no matter for a commit, unless git ignores it", async () => {
    const warning = "it lies in a git repo and is not ignored there: never commit it";
    const said = async (...args: string[]) => (await program.run(args)).stderr;
    expect(await said("add-agent", "one", "--out", "one.key")).toContain(warning);
    expect(await said("add-agent", "two", "--out", join(program.home, "two.key"))).not.toContain(warning);
    writeFileSync(join(program.repo, ".gitignore"), "*.key\n");
    expect(await said("restore", "one", "--out", "three.key")).not.toContain(warning);
  });

  it("of an owner's is looked at where it lies, wherever the vault is", async () => {
    const warning = "it lies in a git repo and is not ignored there: never commit it";
    const elsewhere = join(program.home, "elsewhere");
    mkdirSync(elsewhere);
    gitInit(elsewhere);
    const options = { env: { VAULT_RUN_VAULT: elsewhere } };
    const { status, stderr } = await program.run(
      ["init", "--owner-key-file", join(elsewhere, "owner.key")],
      options,
    );
    expect([status, stderr]).toEqual([0, expect.stringContaining(warning)]);
    expect(stderr).toMatch(/owner key: .*\n {2}it lies/);
  });
});

describe("a terminal", () => {
  it("gets colour, unless NO_COLOR says otherwise; a pipe gets none", async () => {
    expect((await onTerminal(["vault-run", "list"])).shown).toContain("\x1b[1m");
    expect((await onTerminal(["vault-run", "list"], [], { NO_COLOR: "1" })).shown).not.toContain("\x1b[");
    expect(await program.must(["list"])).not.toContain("\x1b[");
  });

  it("gets no control characters from a record or a path", async () => {
    const odd = join(program.home, "odd\u001b[31mname");
    writeFileSync(odd, "text", { mode: 0o600 });
    const { stderr } = await program.run(["status", "--owner-key-file", odd]);
    expect(stderr).toContain("odd\\u001b[31mname");
    expect(stderr).not.toContain("\u001b");
  });

  it("gives Ctrl-C to the child once, and its status is ours", async () => {
    await program.must(["grant", "crawler", "stripe"]);
    const child = "trap 'echo got-int >> ints; exit 9' INT; echo ready; while :; do sleep 0.1; done";
    const { status } = await onTerminal(
      ["vault-run", "--agent", "crawler", "--", "sh", "-c", child],
      [["ready", "\u0003"]],
    );
    expect(status).toBe(9);
    expect(readFileSync(join(program.repo, "ints"), "utf8")).toBe("got-int\n");
  });
});
