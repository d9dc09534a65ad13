import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { onTerminal, type Step } from "../fixtures/terminal.ts";

// Each opening and each sealing takes half a second, by design.

const PASSPHRASE = "five random words it is";
const NEW = "another five random words";
const PROMPT = "passphrase of the owner key (not shown): ";

let plain = "";
const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await made.set("stripe/API_KEY", "sk_live_value");
  plain = readFileSync(ownerKey(made), "utf8");
  await made.must(["passphrase"], withPassphrase(made, PASSPHRASE));
});
let program: Program;
beforeEach(() => {
  program = template.copy();
});

function ownerKey(of: Program): string {
  const folder = join(of.home, ".config/vault-run");
  return join(folder, readdirSync(folder)[0] ?? "", "owner.key");
}

function withPassphrase(of: Program, passphrase: string) {
  const path = join(of.home, "passphrase");
  writeFileSync(path, `${passphrase}\n`, { mode: 0o600 });
  return { env: { VAULT_RUN_OWNER_PASSPHRASE_FILE: path } };
}

const type = (command: readonly string[], ...steps: Step[]) => onTerminal(program, command, steps);
const shownOf = ({ shown }: { shown: string }) =>
  shown.replaceAll("\x1b[?2004h", "").replaceAll("\x1b[?2004l", "");

/** Every byte that was written to the disk: the home with repo, journal, log, pins and keys, the objects of git inflated. */
async function everything(of: Program): Promise<string> {
  const script =
    "find . -type f ! -path './.npm/*' ! -name passphrase ! -name plain.key -exec cat {} +; cd repo; git cat-file --batch-all-objects --batch";
  const { stdout } = await execa("sh", ["-c", script], { cwd: of.home, encoding: "latin1", maxBuffer: 1e9 });
  return stdout;
}

describe("the passphrase on an owner's key", () => {
  it("is age's own: age opens the key to the same bytes, and what age sealed opens here", async () => {
    const key = ownerKey(program);
    const opened = await type(["sh", "-c", `age -d -o plain.key ${key}`], ["passphrase", `${PASSPHRASE}\r`]);
    expect(opened.status).toBe(0);
    expect(readFileSync(join(program.repo, "plain.key"), "utf8")).toBe(plain);
    const seal = `umask 077; age -p -a -o ${key} plain.key`;
    const sealed = await type(["sh", "-c", seal], ["passphrase", `${NEW}\r`], ["onfirm", `${NEW}\r`]);
    expect(sealed.status).toBe(0);
    expect(await program.must(["get", "stripe/API_KEY"], withPassphrase(program, NEW))).toBe("sk_live_value");
  });

  it("is asked for at a terminal, three times at most, and never shown", async () => {
    const right = await type(
      ["vault-run", "get", "stripe/API_KEY"],
      [PROMPT, "no\r"],
      [PROMPT, `${PASSPHRASE}\r`],
    );
    expect(shownOf(right)).toBe(`${PROMPT}\r\nwrong passphrase, again: ${PROMPT}\r\nsk_live_value\r\n`);
    expect(right).toMatchObject({ status: 0, modes: { echo: true, canonical: true } });
    const before = program.snapshot();
    const tries = [PROMPT, "wrong guess\r"] as const;
    const wrong = await type(["vault-run", "set", "a/B", "--from-file", "/dev/null"], tries, tries, tries);
    expect(wrong).toMatchObject({ status: 1, untyped: 0 });
    expect(wrong.shown).toContain("vault-run: wrong passphrase: ");
    expect(wrong.shown).not.toContain("guess");
    expect(program.snapshot()).toBe(before);
  });

  it("is asked for anew where the key is replaced, which without a terminal is not done", async () => {
    const before = program.snapshot();
    const refused = await program.run(["rekey", "--owner"], withPassphrase(program, PASSPHRASE));
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("there is no terminal to ask for the new passphrase");
    expect(program.snapshot()).toBe(before);
    expect(readdirSync(dirname(ownerKey(program)))).toEqual(["owner.key"]);
    const rekeyed = await type(
      ["vault-run", "rekey", "--owner"],
      [PROMPT, `${PASSPHRASE}\r`],
      ["every group a new key? [y/N] ", "y\r"],
      ["new passphrase of the owner key, at least 12 characters (not shown): ", `${NEW}\r`],
      ["the same again: ", `${NEW}\r`],
    );
    expect(rekeyed).toMatchObject({ status: 0, untyped: 0 });
    const [next = ""] = readdirSync(dirname(ownerKey(program))).filter((file) => file.startsWith("owner-"));
    expect(readFileSync(join(dirname(ownerKey(program)), next), "utf8")).toMatch(/^-----BEGIN AGE/);
    renameSync(join(dirname(ownerKey(program)), next), ownerKey(program));
    expect(await program.must(["get", "stripe/API_KEY"], withPassphrase(program, NEW))).toBe("sk_live_value");
  });

  it("is not asked for without a terminal, which is said with the next step", async () => {
    const before = program.snapshot();
    const { status, stdout, stderr } = await program.run(["set", "a/B"], { input: "value-of-b" });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(
      /^vault-run: the owner key has a passphrase, and there is no terminal to ask for it: \S+\n {2}run this at a terminal, or .* VAULT_RUN_OWNER_PASSPHRASE_FILE\n$/,
    );
    expect(program.snapshot()).toBe(before);
  });

  it("is changed and taken off, the key's text as it was and its file for its user alone", async () => {
    const key = ownerKey(program);
    const changed = await type(
      ["vault-run", "passphrase"],
      [PROMPT, `${PASSPHRASE}\r`],
      ["new passphrase of the owner key", `${NEW}\r`],
      ["the same again", `${NEW}\r`],
      ["has a new passphrase now"],
    );
    expect(changed).toMatchObject({ status: 0, untyped: 0 });
    expect(changed.shown).not.toContain("five");
    const old = await program.run(["passphrase", "--remove"], withPassphrase(program, PASSPHRASE));
    expect(old).toMatchObject({ status: 1, stdout: "" });
    expect(old.stderr).toContain("holds another passphrase");
    await program.must(["passphrase", "--remove"], withPassphrase(program, NEW));
    expect(readFileSync(key, "utf8")).toBe(plain);
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(await program.must(["get", "stripe/API_KEY"])).toBe("sk_live_value");
  });

  it("is refused where it is empty, short, or not the same twice, and nothing is changed", async () => {
    await program.must(["passphrase", "--remove"], withPassphrase(program, PASSPHRASE));
    const answer = (first: string, second: string) =>
      type(["vault-run", "passphrase"], ["owner key", `${first}\r`], ["again", `${second}\r`]);
    expect((await answer("", "")).shown).toContain("the passphrase is empty");
    expect((await answer("elf lettres", "elf lettres")).shown).toContain("fewer than 12 characters");
    expect((await answer("one long passphrase", "two long passphrase")).shown).toContain(
      "passphrases differ",
    );
    expect((await program.run(["passphrase"], withPassphrase(program, "short"))).stderr).toContain(
      "too short",
    );
    expect((await program.run(["passphrase"])).stderr).toContain("no terminal to ask for the new passphrase");
    expect(readFileSync(ownerKey(program), "utf8")).toBe(plain);
  });

  it("is there from the first byte with init --passphrase, and init without one makes nothing", async () => {
    const fresh = Program.empty();
    // There is a vault: nobody is to think of a passphrase for another one.
    const { shown } = await onTerminal(program, ["vault-run", "init", "--passphrase"]);
    expect(shown).toMatch(/^vault-run: there is a vault already/);
    const refused = await fresh.run(["init", "--passphrase"]);
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(readdirSync(fresh.repo)).toEqual([".git"]);
    await fresh.must(["init", "--classic", "--passphrase"], withPassphrase(fresh, PASSPHRASE));
    expect(readFileSync(ownerKey(fresh), "utf8")).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    expect(await everything(fresh)).not.toMatch(/AGE-SECRET-KEY/);
    await fresh.must(["list"], withPassphrase(fresh, PASSPHRASE));
  });

  it("leaves the old file or the new one where it is killed", async () => {
    const key = ownerKey(program);
    const sealed = readFileSync(key, "utf8");
    const options = { ...withPassphrase(program, PASSPHRASE), input: "" };
    const started = performance.now();
    await template.copy().must(["passphrase", "--remove"], options);
    const wholeMs = performance.now() - started;
    for (const share of [0.85, 0.9, 0.93, 0.96, 1]) {
      const victim = program.start(["passphrase", "--remove"], options);
      await new Promise((resolve) => setTimeout(resolve, wholeMs * share));
      victim.kill("SIGKILL");
      await victim;
      expect([sealed, plain]).toContain(readFileSync(key, "utf8"));
      writeFileSync(key, sealed);
    }
  });

  it("stands nowhere but in the terminal's and its owner's memory, nor does the identity (promises 1, 10)", async () => {
    const identity = /^AGE-SECRET-KEY-\S+$/m.exec(plain)?.[0] ?? "";
    const script =
      "vault-run set a/B --from-file value; vault-run add-agent crawler; vault-run grant crawler a --yes; vault-run status";
    writeFileSync(join(program.repo, "value"), "value-of-b");
    const answer = [PROMPT, `${PASSPHRASE}\r`] as const;
    const { shown, status } = await type(["sh", "-ec", script], answer, answer, answer, answer);
    expect(status).toBe(0);
    const { stdout, stderr } = await program.run(["list"], withPassphrase(program, "a wrong passphrase"));
    const launched = await program.run(
      ["--agent", "crawler", "--", "env"],
      withPassphrase(program, PASSPHRASE),
    );
    expect(launched).toMatchObject({ status: 0, stdout: expect.not.stringContaining("PASSPHRASE") });
    const all = [shown, stdout, stderr, launched.stdout, launched.stderr, await everything(program)].join();
    for (const secret of [PASSPHRASE, "a wrong passphrase", identity, identity.slice(20, 40)])
      expect(all.includes(secret)).toBe(false);
    expect(await everything(program)).toContain("vault-run: set a/B");
  });
});
