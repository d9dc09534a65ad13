import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { finishInterrupted, prepareScratch, type Target } from "../../src/admin/apply.ts";
import { findJournal, writeJournal } from "../../src/admin/journal.ts";
import { planRevoke } from "../../src/admin/plans/revoke.ts";
import { Repository } from "../../src/git/repository.ts";
import { encodeRecord } from "../../src/vault/record.ts";
import { TestVault } from "../fixtures/vault.ts";

const template = await TestVault.template("classic", async (made) => {
  await made.addAgent("crawler");
  await made.addAgent("stays");
  for (const name of ["A", "B", "C"]) await made.set(`stripe/${name}`, `sk_live_${name}_value`);
  for (const agent of ["crawler", "stays"]) await made.grant(agent, "stripe");
});
let vault: TestVault;
let target: Target;
beforeEach(async () => {
  vault = template.copy();
  const repository = await Repository.find(vault.repo);
  target = { root: vault.root, repository, scratchFolder: prepareScratch(repository) };
});

const status = () => vault.git("status", "--porcelain", "--untracked-files=all");

/** The journal that a revoke writes before its first change. */
async function revokeJournal() {
  const { plan } = await planRevoke(vault.owner(), "crawler" as never, "stripe" as never, () => {});
  const writes = plan.writes.map(({ path, record }) => ({
    path,
    before: existsSync(join(vault.root, path)) ? readFileSync(join(vault.root, path), "utf8") : null,
    after: encodeRecord(record).toString("utf8"),
  }));
  return { root: vault.root, message: plan.message, commit: true, writes };
}

async function expectWhole(epoch: number): Promise<void> {
  expect(status()).toBe("");
  const { vault: verified } = vault.owner();
  expect(verified.group("stripe" as never).epoch).toBe(epoch);
  for (const name of ["A", "B", "C"])
    expect(await vault.readAs("stays", `stripe/${name}`)).toBe(`sk_live_${name}_value`);
}

describe("an operation that was killed (promise 8)", () => {
  it("before its journal was whole, had not begun", async () => {
    writeFileSync(join(target.scratchFolder, "journal.json.new"), '{"root":');
    expect(await finishInterrupted(target)).toBeUndefined();
    await expectWhole(1);
  });

  it("after any number of its files were in place, is finished by the next verb", async () => {
    const { writes } = await revokeJournal();
    for (let done = 0; done <= writes.length; done++) {
      vault = template.copy();
      const repository = await Repository.find(vault.repo);
      target = { root: vault.root, repository, scratchFolder: prepareScratch(repository) };
      const journal = await revokeJournal();
      writeJournal(target.scratchFolder, journal);
      for (const write of journal.writes.slice(0, done))
        writeFileSync(join(vault.root, write.path), write.after);
      await vault.set("mail/PASSWORD", "mail-password");
      await expectWhole(2);
      expect(vault.git("log", "--format=%s", "-2").split("\n")).toEqual([
        "vault-run: set mail/PASSWORD",
        journal.message,
      ]);
      expect(findJournal(target.scratchFolder)).toBeUndefined();
    }
  });

  it("after its commit, is only tidied up", async () => {
    const journal = await revokeJournal();
    writeJournal(target.scratchFolder, journal);
    for (const write of journal.writes) writeFileSync(join(vault.root, write.path), write.after);
    vault.git("commit", "--quiet", "--all", "--message", journal.message);
    const head = vault.git("rev-parse", "HEAD");
    expect(await finishInterrupted(target)).toBe(journal.message);
    expect(vault.git("rev-parse", "HEAD")).toBe(head);
  });

  it("is not finished over a file that was changed since", async () => {
    const journal = await revokeJournal();
    writeJournal(target.scratchFolder, journal);
    await vault.git("checkout", "--quiet", "-b", "elsewhere");
    const path = join(vault.root, "groups/stripe/secrets/A.json");
    writeFileSync(path, "someone's edit");
    await expect(finishInterrupted(target)).rejects.toMatchObject({ code: "interrupted" });
    expect(readFileSync(path, "utf8")).toBe("someone's edit");
    expect(findJournal(target.scratchFolder)).toBeDefined();
  });

  it("leaves a journal that names nothing outside the vault", () => {
    writeFileSync(
      join(target.scratchFolder, "journal.json"),
      JSON.stringify({
        root: "/",
        message: "",
        commit: false,
        writes: [{ path: "../../etc/passwd", before: null, after: "" }],
      }),
    );
    expect(() => findJournal(target.scratchFolder)).toThrow(/cannot be read/);
  });
});

describe("an operation that fails (promise 8)", () => {
  it("because a hook refuses the commit, leaves everything as it was", async () => {
    const hook = join(vault.repo, ".git/hooks/pre-commit");
    mkdirSync(join(vault.repo, ".git/hooks"), { recursive: true });
    writeFileSync(hook, "#!/bin/sh\necho 'not today' >&2\nexit 1\n");
    chmodSync(hook, 0o755);
    await expect(vault.revoke("crawler", "stripe")).rejects.toMatchObject({ code: "git-failed" });
    await expect(vault.set("new/SECRET", "new-secret-value")).rejects.toMatchObject({ code: "git-failed" });
    expect(existsSync(join(vault.root, "groups/new"))).toBe(false);
    await expectWhole(1);
    rmSync(hook);
    await vault.revoke("crawler", "stripe");
    await expectWhole(2);
  });

  it("leaves no draft and no lock behind", async () => {
    await vault.revoke("crawler", "stripe");
    expect(readdirSync(vault.root).sort()).toEqual(["agents", "groups", "vault.json"]);
    expect(readdirSync(target.scratchFolder)).toEqual([]);
  });
});
