import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { beforeEach, describe, expect, it } from "vitest";
import { planSet } from "../../src/admin/plans/set.ts";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import { seal } from "../../src/age/seal.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { Secret } from "../../src/vault/secret.ts";
import { timestamp } from "../../src/vault/time.ts";
import { change } from "../fixtures/owner.ts";
import { Program } from "../fixtures/program.ts";
import { onTerminal } from "../fixtures/terminal.ts";

const VALUE = "sk_live_51Habcdefghij";
const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await made.must(["add-agent", "crawler"]);
  await made.set("stripe/API_KEY", VALUE);
  await made.set("stripe/MULTI", "it's\n two lines");
  await made.must(["grant", "crawler", "stripe"]);
});
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const put = (path: string, content: string | Buffer) => {
  mkdirSync(dirname(join(program.home, path)), { recursive: true });
  writeFileSync(join(program.home, path), content, { mode: 0o600 });
};

describe("import", () => {
  it("takes a .env file over, says what it skipped by name and that the file is still there", async () => {
    put(
      "repo/.env",
      `A=${VALUE}-a\nMY-VAR=${VALUE}-b\nPATH=${VALUE}-c\nEMPTY=\nTWICE=${VALUE}-d\nTWICE=${VALUE}-e\n`,
    );
    program.git("add", ".env");
    program.git("commit", "--quiet", "--message", "a mistake");
    const { status, stdout, stderr } = await program.run(["import", ".env", "--group", "app"]);
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("imported 2 secrets, commit ");
    for (const said of [
      "MY-VAR: no variable can have this name",
      "app/PATH: this variable makes programs load code; --unsafe-name takes it",
      "app/EMPTY: its value is empty",
      "set more than once, the last one counts: TWICE",
      `the file still holds the values in plain text: ${program.repo}/.env`,
      "git tracks it",
    ])
      expect(stderr).toContain(said);
    expect(stderr).not.toContain("51H");
    expect(await program.must(["get", "app/TWICE"])).toBe(`${VALUE}-e`);
    expect(readFileSync(join(program.repo, ".env"), "utf8")).toContain(VALUE);
    expect(program.git("log", "-1", "--format=%B")).not.toContain("51H");
  });

  it("says of which values it took only a part, and of which JSON only the last, by name", async () => {
    put("repo/.env", `A=${VALUE}#more\nB="${VALUE}"more\nC='${VALUE}#more'\nD=${VALUE} # more\n`);
    const { status, stderr } = await program.run(["import", ".env", "--group", "app"]);
    expect(status).toBe(0);
    expect(stderr).toContain(
      "read as node reads it, up to a # or a closing quote with more behind it: A B\n  where the rest",
    );
    expect(stderr).not.toContain("51H");
    expect(await program.must(["get", "app/A"])).toBe(VALUE);
    const json = `{"TWICE":"${VALUE}-a","ONCE":"${VALUE}","TWICE":"${VALUE}-b"}`;
    const read = await program.run(["import", "-", "--group", "json"], { input: json });
    expect(read.stderr).toContain("set more than once, the last one counts: TWICE\n");
    expect(await program.must(["get", "json/TWICE"])).toBe(`${VALUE}-b`);
  });

  it("reads standard input, and JSON by its look", async () => {
    await program.must(["import", "-", "--group", "app"], {
      input: '\ufeff{"A": "from-json", "PORT": 8080}',
    });
    expect(await program.must(["get", "app/PORT"])).toBe("8080");
    expect(JSON.parse(await program.must(["export", "app", "--format", "json"]))).toEqual({
      A: "from-json",
      PORT: "8080",
    });
  });

  it("of a file that is not what it seems changes nothing and repeats nothing of it", async () => {
    const before = program.snapshot();
    for (const input of [`KEY=-----BEGIN\n${VALUE}\n`, `{"A": "${VALUE}"`, Buffer.from([0xff, 0xfe])]) {
      const { status, stdout, stderr } = await program.run(["import", "-", "--group", "app"], {
        input: input as string,
      });
      expect(status).toBe(1);
      expect(stdout + stderr).not.toContain("51H");
    }
    const unnamed = await program.run(["import", "-", "--group", "app"], {
      input: `https://u:${VALUE}@h/?a=b\n`,
    });
    expect(unnamed.stderr).toContain("(a name that is not shown): no variable can have this name");
    expect(unnamed.stderr).not.toContain("51H");
    expect(program.snapshot()).toBe(before);
  });

  it("asks the terminal for nothing", async () => {
    const { shown, status } = await onTerminal(program, ["vault-run", "import", "-", "--group", "app"]);
    expect(status).toBe(2);
    expect(shown).toContain("standard input is the terminal, which would show what is typed");
  });
});

describe("import of a vault of agent-vault", () => {
  /** Laid out as that program does (src/core/paths.rs, keys.rs, metadata.rs of its version 0.1). */
  async function makeOther(): Promise<void> {
    const owner = await generateIdentity("classic");
    const agent = await generateIdentity("classic");
    const recipients = [await recipientOf(owner), await recipientOf(agent)] as const;
    put(".agent-vault/owner.key", owner.reveal());
    put(".agent-vault/agents/ci.key", agent.reveal());
    put("repo/.agent-vault/owner.pub", recipients[0]);
    put("repo/.agent-vault/config.yaml", "version: 1\nencryption:\n  format: age\n");
    put(
      "repo/.agent-vault/manifest.yaml",
      "version: 1\nowners:\n- name: ada\n  public_key: owner.pub\nagents: []\n",
    );
    const add = async (
      path: string,
      value: string,
      to: readonly [(typeof recipients)[0], ...(typeof recipients)[0][]] = recipients,
    ) => {
      const folder = `repo/.agent-vault/secrets/${path}`;
      put(`${folder}.enc`, await seal(Buffer.from(value), to));
      put(
        `${folder}.meta`,
        `name: ${path}\ngroup: x\nexpires: 2099-01-31T00:00:00Z\nauthorized_agents: []\n`,
      );
    };
    await add("payments/api-key", `${VALUE}-api`);
    await add("payments/api_key", `${VALUE}-twin`);
    await add("mail/PASSWORD", `${VALUE}-mail`);
    await add("Mail/x", `${VALUE}-upper`);
    await add("mail/other", `${VALUE}-agents-only`, [recipients[1]]);
    put("repo/.agent-vault/secrets/mail/broken.enc", "not age");
    symlinkSync("/dev/zero", join(program.repo, ".agent-vault/secrets/mail/zero.enc"));
  }

  it("opens its values with its owner's key and keeps groups and expiries", async () => {
    await makeOther();
    const key = join(program.home, ".agent-vault/owner.key");
    const { status, stderr } = await program.run(["import", ".", "--key", key]);
    expect(stderr).toContain("new: mail/PASSWORD payments/API_KEY");
    expect(stderr).toContain("payments/api_key: another one is payments/API_KEY already");
    expect(stderr).toContain("Mail/X: no group can have this name");
    expect(stderr).toContain("mail/other: it is sealed to other keys than this one");
    expect(stderr).toContain("mail/broken: its age file is damaged");
    expect(stderr).not.toContain("zero");
    expect(stderr).not.toContain("51H");
    expect(status).toBe(1);
    expect(await program.must(["get", "payments/API_KEY"])).toBe(`${VALUE}-api`);
    expect(await program.must(["list", "mail"])).toContain("2099-01-31");
  });

  it("takes one group where one is named, and refuses without a key", async () => {
    await makeOther();
    const before = program.snapshot();
    const without = await program.run(["import", ".agent-vault"]);
    expect(without.status).toBe(2);
    expect(without.stderr).toContain("--key ~/.agent-vault/owner.key");
    expect(program.snapshot()).toBe(before);
    const key = join(program.home, ".agent-vault/owner.key");
    await program.run(["import", ".agent-vault", "--key", key, "--group", "payments"]);
    expect(await program.must(["list"])).not.toContain("mail/");
  });
});

describe("export", () => {
  it("prints what node, a shell and import read back", async () => {
    const dotenv = await program.must(["export", "stripe", "--format", "dotenv"]);
    expect({ ...parseEnv(dotenv) }).toEqual({ API_KEY: VALUE, MULTI: "it's\n two lines" });
    await program.must(["import", "-", "--group", "copy"], { input: dotenv });
    expect(await program.must(["export", "copy", "--format", "dotenv"])).toBe(dotenv);
    expect(await program.must(["export", "stripe", "--format", "shell"])).toContain(
      `export API_KEY='${VALUE}'\n`,
    );
  });

  it("is recorded as one pull before anything is printed, by owner and by agent", async () => {
    await program.must(["export", "stripe", "--format", "json"]);
    await program.must(["export", "stripe", "--format", "json", "--agent", "crawler"]);
    const pulls = program.auditLines().filter((line) => line.action === "get");
    expect(pulls.map((line) => line.agent)).toEqual([undefined, "crawler"]);
    for (const { secrets } of pulls) expect(secrets).toMatchObject([{ name: "API_KEY" }, { name: "MULTI" }]);
  });

  it("prints nothing where a value has expired, unless that is allowed", async () => {
    await change(program, async (session) => {
      const options = { unsafeName: false, expiresAt: timestamp(Date.now() - 1000) };
      const value = new Secret("stripe/OLD", Buffer.from("old-value"));
      return [...(await planSet(session, parseSecretRef("stripe/OLD"), value, options)).plan.writes];
    });
    for (const who of [[], ["--agent", "crawler"]]) {
      const refused = await program.run(["export", "stripe", "--format", "json", ...who]);
      expect(refused).toMatchObject({ status: 1, stdout: "" });
      expect(refused.stderr).toContain("the value of stripe/OLD expired on");
      const allowed = await program.must(["export", "stripe", "--format", "json", "--allow-expired", ...who]);
      expect(JSON.parse(allowed)).toMatchObject({ OLD: "old-value" });
    }
  });

  it("prints nothing where a value has no form or was not granted", async () => {
    await program.set("stripe/BYTES", new Uint8Array([0xff, 0]), "--as-file");
    const bytes = await program.run(["export", "stripe", "--format", "json"]);
    expect(bytes).toMatchObject({ status: 1, stdout: "" });
    expect(bytes.stderr).toContain("stripe/BYTES");
    await program.must(["unset", "stripe/BYTES"]);
    await program.must(["revoke", "crawler", "stripe"]);
    const denied = await program.run(["export", "stripe", "--format", "json", "--agent", "crawler"]);
    expect(denied).toMatchObject({ status: 1, stdout: "" });
    expect(program.auditLines().at(-1)).toMatchObject({ action: "denied", agent: "crawler" });
    const unasked = await program.run(["export", "stripe"]);
    expect(unasked).toMatchObject({ status: 2, stdout: "" });
  });

  it("warns where its output is a terminal", async () => {
    const { shown } = await onTerminal(program, ["vault-run", "export", "stripe", "--format", "shell"]);
    expect(shown).toContain("these are values: they stay in this terminal's scrollback");
  });

  it("uses the variable that a launch would set, and refuses where two want one", async () => {
    await program.set("stripe/OTHER", "other-value", "--env", "RENAMED");
    expect(JSON.parse(await program.must(["export", "stripe", "--format", "json"]))).toMatchObject({
      RENAMED: "other-value",
    });
    await program.set("stripe/THIRD", "third-value", "--env", "RENAMED");
    const { status, stdout, stderr } = await program.run(["export", "stripe", "--format", "json"]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("both want the variable RENAMED");
  });
});
