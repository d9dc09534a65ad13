import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { planSet } from "../../src/admin/plans/set.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { Secret } from "../../src/vault/secret.ts";
import { change } from "../fixtures/owner.ts";
import { type Outcome, Program } from "../fixtures/program.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { onTerminal } from "../fixtures/terminal.ts";
import { git, gitInit } from "../fixtures/vault.ts";

const DAY_MS = 86_400_000;
const FIRST = "the-first-value-of-all";
const SECOND = "the-second-value-of-all";

const template = await Program.template(async (made) => {
  await made.must(["init", "--classic", "--name", "ada"]);
  for (const agent of ["crawler", "stays"]) await made.must(["add-agent", agent]);
  await made.set("web/ONE", FIRST);
  for (const agent of ["crawler", "stays"]) await made.must(["grant", agent, "web"]);
});

const said = ({ stdout, stderr }: Outcome) => stdout + stderr;

async function versionsOf(program: Program, cwd = program.repo): Promise<Record<string, unknown>[]> {
  return JSON.parse(await program.must(["history", "web/ONE", "--json"], { cwd })).versions;
}

describe("history and rollback", () => {
  it("follow a secret through merges and a moved vault, and leave no value anywhere (promise 10)", async () => {
    const program = template.copy();
    program.git("switch", "--quiet", "--create", "side");
    await program.set("web/ONE", SECOND);
    program.git("switch", "--quiet", "main");
    await program.set("db/ONE", "another-value");
    const numbers = (await versionsOf(program)).map(({ commit }) => commit);
    program.git("merge", "--quiet", "--no-ff", "--message", "merge", "side");
    const sub = join(program.repo, "sub");
    mkdirSync(sub);
    program.git("mv", ".vault", "sub/.vault");
    program.git("commit", "--quiet", "--message", "move the vault");
    const versions = await versionsOf(program, sub);
    expect(versions.map(({ what, current }) => [what, current])).toEqual([
      ["set", false],
      ["set", true],
    ]);
    expect(versions.map(({ commit }) => commit)).toEqual([...numbers, program.git("rev-parse", "side")]);
    expect(versions[0]).toMatchObject({
      number: 1,
      author: "Test Owner",
      owner: { name: "ada", former: false },
    });
    const back = await program.run(["rollback", "web/ONE", "--to", "1"], { cwd: sub });
    expect(back.stderr).toMatch(/rolled back web\/ONE to the value of version 1, commit [0-9a-f]+\n$/);
    expect(await program.must(["get", "web/ONE", "--agent", "stays"], { cwd: sub })).toBe(FIRST);
    expect(program.git("log", "-1", "--format=%s%b")).toBe("vault-run: roll back web/ONE");
    const table = await program.must(["history", "web/ONE"], { cwd: sub });
    expect(table.match(/\(current\)/g)).toHaveLength(2);
    expect(program.auditLines().at(-2)).toMatchObject({ action: "rollback", group: "web" });
    const kept = [
      said(back),
      table,
      readFileSync(program.auditLog, "utf8"),
      program.git("log", "-p", "--all"),
    ];
    for (const value of [FIRST, SECOND]) expect(kept.join("\n")).not.toContain(value);
  });

  it("are of the vault's own repository in a hook of another one, for which git names that", async () => {
    const program = template.copy();
    program.git("switch", "--quiet", "--create", "side");
    await program.set("web/ONE", SECOND);
    const other = tempFolder();
    gitInit(other);
    git(other, "commit", "--quiet", "--allow-empty", "--message", "first");
    const env = {
      GIT_DIR: join(other, ".git"),
      GIT_INDEX_FILE: join(other, ".git/index"),
      GIT_WORK_TREE: other,
    };
    const history = await program.must(["history", "web/ONE"]);
    expect(await program.must(["history", "web/ONE"], { env })).toBe(history);
    await program.must(["rollback", "web/ONE", "--to", "1"], { env });
    expect(program.git("log", "-1", "--format=%s")).toBe("vault-run: roll back web/ONE");
    // That another branch has a newer one is asked of git too.
    program.git("switch", "--quiet", "main");
    expect(await program.must(["get", "web/ONE"], { env })).toBe(FIRST);
  });

  it("do nothing where there is nothing to do, and say which versions there are", async () => {
    const program = template.copy();
    const before = program.snapshot();
    const same = await program.run(["rollback", "web/ONE", "--to", "1"]);
    expect([same.status, same.stderr]).toEqual([0, expect.stringContaining("nothing to do")]);
    expect((await program.run(["rollback", "web/ONE", "--to", "2"])).stderr).toContain("it has 1 to 1");
    expect((await program.run(["rollback", "web/ONE", "--to", "0"])).status).toBe(2);
    expect((await program.run(["rollback", "web/ONE"])).status).toBe(2);
    expect((await program.run(["history", "web/NONE"])).stderr).toContain("no secret of this name");
    expect(program.snapshot()).toBe(before);
  });

  it("show from what to what, and take no for an answer", async () => {
    const program = template.copy();
    await program.set("web/ONE", SECOND);
    const before = program.snapshot();
    const asked = await onTerminal(
      program,
      ["vault-run", "rollback", "web/ONE", "--to", "1"],
      [["[y/N] ", "n\n"]],
    );
    expect(asked.shown).toMatch(
      /roll web\/ONE back from the value of \S+ \S+ to the value of .*version 1 of 2, signed by ada/,
    );
    expect(asked.status).toBe(1);
    expect(program.snapshot()).toBe(before);
  });

  it("take a version that a former owner signed only from a person, or with --yes, and with the key of that time", async () => {
    const program = template.copy();
    await program.set("web/ONE", SECOND);
    const key = /the new key file: (\S+\.key)/.exec(
      (await program.run(["rekey", "--owner", "--yes"])).stderr,
    )?.[1];
    const own = join(program.home, ".config/vault-run", program.vaultId, "owner.key");
    renameSync(own, `${own}.old`);
    renameSync(key!, own);
    const before = program.snapshot();
    const args = ["rollback", "web/ONE", "--to", "1"];
    const unasked = await program.run(args);
    expect(unasked.stderr).toContain("version 1 of web/ONE was signed by ada, a former owner (key ");
    const sealed = await program.run([...args, "--yes"]);
    expect(sealed.stderr).toContain("name the key file you had then with --former-key-file");
    expect([unasked.status, sealed.status, program.snapshot()]).toEqual([1, 1, before]);
    await program.must([...args, "--yes", "--former-key-file", `${own}.old`]);
    expect(await program.must(["get", "web/ONE", "--agent", "stays"])).toBe(FIRST);
    expect((await program.run(["rotation"])).stdout).toMatch(/web\/ONE +owner ada/);
  });

  it("list what someone without a key put there as that, and refuse it", async () => {
    const program = template.copy();
    const path = join(program.repo, ".vault/groups/web/secrets/ONE.json");
    const good = readFileSync(path, "utf8");
    writeFileSync(path, good.replace('"deliver": "env"', '"deliver": "file"'));
    program.git("commit", "--quiet", "--all", "--message", "harmless", "--author", "Mallory <m@example.org>");
    writeFileSync(path, good);
    program.git("commit", "--quiet", "--all", "--message", "back");
    await program.set("web/ONE", SECOND);
    const before = program.snapshot();
    expect(await program.must(["history", "web/ONE"])).toMatch(/^2 .*not signed .*no owner.*Mallory/m);
    const { status, stderr } = await program.run(["rollback", "web/ONE", "--to", "2", "--yes"]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("no owner signed version 2 of web/ONE")]);
    expect(program.snapshot()).toBe(before);
  });
});

describe("rotation", () => {
  it("says who could have read a value that was rolled back, and whether they did as far as this machine knows", async () => {
    const program = template.copy();
    await program.must(["get", "web/ONE", "--agent", "crawler"]);
    await program.must(["add-agent", "quiet"]);
    await program.must(["grant", "quiet", "web"]);
    await program.set("web/ONE", SECOND);
    await program.must(["revoke", "crawler", "web"]);
    await program.must(["remove-agent", "quiet"]);
    await program.set("web/ONE", "a-third-value");
    expect((await program.run(["rotation"])).status).toBe(0);
    await program.must(["rollback", "web/ONE", "--to", "1"]);
    expect((await program.run(["get", "web/ONE", "--agent", "crawler"])).status).toBe(1);
    const table = await program.run(["rotation"]);
    expect(table.status).toBe(1);
    expect(table.stdout).toMatch(/web\/ONE +crawler .* \d{4}-\d\d-\d\d\n/);
    expect(table.stdout).toMatch(/web\/ONE +quiet .* -\n/);
    expect(table.stderr).toContain(program.auditLog);
    const { rotate, logs } = JSON.parse((await program.run(["rotation", "--json"])).stdout);
    expect(rotate).toHaveLength(1);
    const readers: { agent: string; read: unknown }[] = rotate[0].readers;
    expect(Object.fromEntries(readers.map(({ agent, read }) => [agent, read]))).toEqual({
      crawler: { at: expect.any(String), host: expect.any(String), action: "get" },
      quiet: null,
    });
    expect(logs).toEqual([program.auditLog]);
    await program.set("web/ONE", "a-fourth-value");
    expect((await program.run(["rotation"])).status).toBe(0);
  });
});

describe("unset", () => {
  it("says whose access ended and could have read the value, as rotation does no more (promise 7)", async () => {
    const program = template.copy();
    await program.must(["revoke", "crawler", "web"]);
    const { stderr } = await program.run(["unset", "web/ONE"]);
    expect(stderr).toContain(
      "\n  crawler could have read it: end it at its source, for rotation lists no value that",
    );
    expect((await program.run(["rotation"])).stdout).toBe("");
    await program.set("web/ONE", SECOND);
    expect((await program.run(["unset", "web/ONE"])).stderr).not.toContain("could have read");
  });
});

describe("what expires", () => {
  it("is refused at launch from that moment on, and what an expired grant still opens is said", async () => {
    const program = template.copy();
    const launch = (agent: string) => program.run(["--agent", agent, "--", "touch", "started"]);
    const at = new Date(Date.now() + 4000).toISOString();
    await program.must(["grant", "crawler", "web", "--expires", at]);
    await program.set("web/TWO", "short-lived-value", "--expires", at);
    await new Promise((resolve) => setTimeout(resolve, Date.parse(at) - Date.now() + 10));
    for (const agent of ["crawler", "stays"]) {
      expect(await launch(agent)).toMatchObject({ status: 125, stderr: expect.stringContaining("expired") });
    }
    expect(program.git("status", "--porcelain")).toBe("");
    const rotation = await program.run(["rotation"]);
    expect(rotation.status).toBe(1);
    expect(rotation.stdout).toMatch(/web\/ONE +crawler .* grant expired on \d{4}/);
    expect(rotation.stderr).toContain("vault-run revoke crawler web");
    expect((await program.run(["status"])).stderr).toContain("vault-run revoke crawler web");
    await program.must(["revoke", "crawler", "web"]);
    for (const name of ["ONE", "TWO"]) await program.set(`web/${name}`, `new-value-of-${name}`);
    expect((await program.run(["rotation"])).status).toBe(0);
  });

  it("is listed 30 days ahead, and told in words 7 days ahead", async () => {
    const program = template.copy();
    await program.set("web/SOON", "soon-over", "--expires", "73h");
    await program.set("web/LATER", "later-over", "--expires", "20d");
    await program.set("web/FAR", "far-over", "--expires", "40d");
    await program.must(["grant", "crawler", "web", "--expires", "24h"]);
    const { stdout, stderr } = await program.run(["status"]);
    expect(stdout).toMatch(/web\/SOON[\s\S]*web\/LATER/);
    expect(stdout).not.toContain("web/FAR");
    expect(stderr).toBe(
      [
        "vault-run: web for crawler expires in 23 hours",
        "  vault-run grant crawler web --expires WHEN",
        "vault-run: web/SOON expires in 3 days",
        "  vault-run set web/SOON --expires WHEN",
        "",
      ].join("\n"),
    );
  });
});

describe("list --stale", () => {
  it("lists the values that are older than that, by when they were set", async () => {
    const program = template.copy();
    const old = Date.now() - 100 * DAY_MS;
    await change(
      program,
      async (session) => {
        const value = new Secret("web/OLD", Buffer.from("an-old-value"));
        return (
          await planSet(session, parseSecretRef("web/OLD"), value, { unsafeName: false })
        ).plan.writes.slice();
      },
      () => old,
    );
    const stale = async (age: string) =>
      JSON.parse(await program.must(["list", "--stale", age, "--json"])).secrets.map(
        ({ name }: { name: string }) => name,
      );
    expect([await stale("90d"), await stale("101d")]).toEqual([["OLD"], []]);
    expect(await program.must(["list", "--stale", "14w"])).toContain("web/OLD");
    expect((await program.run(["list", "--stale", "15w"])).stderr).toContain("no value is older than 15w");
    for (const bad of ["90", "-1d", "2027-01-01", "1.5d"])
      expect((await program.run(["list", `--stale=${bad}`])).status).toBe(2);
  });
});
