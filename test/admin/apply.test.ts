import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { applyPlan, finishInterrupted, prepareScratch, type Target } from "../../src/admin/apply.ts";
import { readBasis } from "../../src/admin/basis.ts";
import { findJournal, writeJournal } from "../../src/admin/journal.ts";
import { planAddAgent } from "../../src/admin/plans/add-agent.ts";
import { planRevoke } from "../../src/admin/plans/revoke.ts";
import { Repository } from "../../src/git/repository.ts";
import { digest } from "../../src/vault/fingerprint.ts";
import { stateFolder } from "../../src/vault/machine.ts";
import { Pins } from "../../src/vault/pins.ts";
import { encodeRecord } from "../../src/vault/record.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { git, TestVault } from "../fixtures/vault.ts";

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
  const { plan } = await planRevoke(await vault.owner(), "crawler" as never, "stripe" as never, () => {});
  const writes = plan.writes.map(({ path, record }) => ({
    path,
    before: existsSync(join(vault.root, path)) ? readFileSync(join(vault.root, path), "utf8") : null,
    after: encodeRecord(record).toString("utf8"),
  }));
  return {
    root: ".vault",
    message: plan.message,
    branch: "refs/heads/main",
    commit: true,
    event: plan.event,
    token: "0".repeat(32),
    writes,
  };
}

async function expectWhole(epoch: number): Promise<void> {
  expect(status()).toBe("");
  const { vault: verified } = await vault.owner();
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
    expect((await finishInterrupted(target))?.message).toBe(journal.message);
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

  it("is finished on the branch it was begun on, and on no other", async () => {
    const journal = await revokeJournal();
    writeJournal(target.scratchFolder, journal);
    const [first] = journal.writes;
    writeFileSync(join(vault.root, first!.path), first!.after);
    vault.git("switch", "--quiet", "--create", "elsewhere");
    const head = vault.git("rev-parse", "HEAD");
    await expect(vault.set("mail/PASSWORD", "mail-password")).rejects.toMatchObject({
      code: "interrupted",
      hint: expect.stringContaining("git switch main"),
    });
    expect(vault.git("rev-parse", "HEAD")).toBe(head);
    vault.git("switch", "--quiet", "main");
    await vault.set("mail/PASSWORD", "mail-password");
    await expectWhole(2);
  });

  it("leaves a journal that names no folder outside the work tree", async () => {
    writeJournal(target.scratchFolder, { ...(await revokeJournal()), root: "../elsewhere/.vault" });
    expect(() => findJournal(target.scratchFolder)).toThrow(/cannot be read/);
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

describe("a change that is made and cannot be pinned", () => {
  const state = () => stateFolder(vault.machine, vault.id);
  const pinned = () => new Pins(state()).find("groups/stripe/group.json" as never)?.serial ?? 0;
  const serial = () => JSON.parse(readFileSync(join(vault.root, "groups/stripe/group.json"), "utf8")).serial;

  /** Revokes while no pin of a group can be written. */
  async function revokeUnpinned(): Promise<void> {
    const [groups, away] = [join(state(), "pins/groups"), join(state(), "away")];
    renameSync(groups, away);
    writeFileSync(groups, "");
    await expect(vault.revoke("crawler", "stripe")).rejects.toMatchObject({
      code: "interrupted",
      message: expect.stringContaining("the change is made, but it is not pinned on this machine yet"),
    });
    rmSync(groups);
    renameSync(away, groups);
  }

  it("keeps its journal, and is pinned by the next verb, also where the files have moved on (A5, promise 6)", async () => {
    await revokeUnpinned();
    await expectWhole(2);
    const revoked = serial();
    expect(pinned()).toBeLessThan(revoked);
    vault.git("reset", "--quiet", "--hard", "HEAD~1");
    await expect(vault.set("stripe/A", "to whom it was taken from")).rejects.toMatchObject({
      code: "record-rollback",
    });
    expect(pinned()).toBe(revoked);
    expect(findJournal(target.scratchFolder)).toBeUndefined();
  });

  it("has one line in the audit log, and lowers no pin that came meanwhile", async () => {
    await revokeUnpinned();
    const path = join(state(), "pins/groups/stripe.json");
    const file = JSON.parse(readFileSync(path, "utf8"));
    file.records["groups/stripe/group.json"].serial = serial() + 1000;
    writeFileSync(path, JSON.stringify(file));
    await vault.set("mail/PASSWORD", "mail-password");
    expect(pinned()).toBe(serial() + 1000);
    const lines = readFileSync(join(state(), "audit.jsonl"), "utf8").split("\n");
    expect(lines.filter((line) => line.includes('"action":"revoke"'))).toHaveLength(1);
  });

  it("is believed its journal by nobody where no owner signed what it says", async () => {
    await revokeUnpinned();
    const journal = findJournal(target.scratchFolder);
    const writes = journal?.writes.map((write) => ({
      ...write,
      after: write.after.replace(/"serial": ?\d+/, '"serial": 99999999999999'),
    }));
    writeJournal(target.scratchFolder, { ...journal, writes } as never);
    await expect(vault.set("mail/PASSWORD", "x")).rejects.toMatchObject({ code: "interrupted" });
    expect(pinned()).toBeLessThan(serial());
  });
});

describe("an operation whose git is still at work when the next verb comes (A15)", () => {
  it("is never taken back under it: the verb refuses until it is through", async () => {
    const journal = await revokeJournal();
    writeJournal(target.scratchFolder, journal);
    for (const write of journal.writes) writeFileSync(join(vault.root, write.path), write.after);
    writeFileSync(join(vault.repo, ".git/index.lock"), "");
    await expect(vault.set("stripe/NEW", "sk_live_new_value")).rejects.toMatchObject({ code: "interrupted" });
    expect(findJournal(target.scratchFolder)).toBeDefined();
    expect((await vault.owner()).vault.group("stripe" as never).epoch).toBe(2);
    rmSync(join(vault.repo, ".git/index.lock"));
    await vault.set("stripe/NEW", "sk_live_new_value");
    await expectWhole(2);
    await expect(vault.readAs("crawler", "stripe/NEW")).rejects.toMatchObject({ code: "not-granted" });
  });

  it("is recorded in the audit log once it is finished", async () => {
    writeJournal(target.scratchFolder, await revokeJournal());
    await vault.set("mail/PASSWORD", "mail-password");
    const log = readFileSync(
      join(vault.machine.home, ".local/state/vault-run", vault.id, "audit.jsonl"),
      "utf8",
    );
    const actions = log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).action);
    expect(actions.slice(-2)).toEqual(["revoke", "set"]);
  });
});

describe("a change that git overtakes", () => {
  /** A colleague's new value, in a commit that this clone has not pulled yet. */
  async function colleaguesCommit(): Promise<string> {
    const before = vault.git("rev-parse", "HEAD");
    await vault.withoutPins().set("stripe/A", "sk_live_new_value");
    const theirs = vault.git("rev-parse", "HEAD");
    vault.git("reset", "--quiet", "--hard", before);
    return theirs;
  }

  async function expectRefused(overtake: () => void): Promise<void> {
    const revoked = vault.change(async (session) => {
      const { plan } = await planRevoke(session, "crawler" as never, "stripe" as never, () => {});
      overtake();
      return plan;
    });
    await expect(revoked).rejects.toMatchObject({
      code: "git-not-ready",
      hint: expect.stringContaining("run it again"),
    });
    expect(readdirSync(target.scratchFolder)).toEqual([]);
  }

  it("by a pull, while it is planned or asked about, is refused and takes nothing back (promise 8)", async () => {
    const theirs = await colleaguesCommit();
    await expectRefused(() => vault.git("merge", "--quiet", "--ff-only", theirs));
    expect(vault.git("rev-parse", "HEAD")).toBe(theirs);
    expect(status()).toBe("");
    await vault.revoke("crawler", "stripe");
    expect(await vault.readAs("stays", "stripe/A")).toBe("sk_live_new_value");
  });

  it("by a checkout of the files alone, or of another branch, is refused", async () => {
    const theirs = await colleaguesCommit();
    await expectRefused(() => vault.git("checkout", "--quiet", theirs, "--", ".vault"));
    expect(status()).toContain("M  .vault/groups/stripe/secrets/A.json");
    vault.git("reset", "--quiet", "--hard");
    await expectRefused(() => vault.git("switch", "--quiet", "--create", "other"));
    expect(vault.git("rev-parse", "main")).toBe(vault.git("rev-parse", "other"));
  });

  it("by a file that was not there when its folder was read, is refused", async () => {
    const path = join(vault.root, "groups/stripe/secrets/D.json");
    await expectRefused(() => writeFileSync(path, "a colleague's"));
    expect(readFileSync(path, "utf8")).toBe("a colleague's");
  });

  it("while its drafts are written, is taken back and leaves what came", async () => {
    const basis = await readBasis(target);
    const { plan } = await planRevoke(await vault.owner(), "crawler" as never, "stripe" as never, () => {});
    const path = join(vault.root, plan.writes.at(-1)?.path ?? "");
    const theirs = await colleaguesCommit();
    const wrote = () => writeFileSync(path, theirs);
    await expect(applyPlan(plan, { ...target, wrote }, true, basis)).rejects.toThrow(/changed meanwhile/);
    expect(readFileSync(path, "utf8")).toBe(theirs);
    vault.git("checkout", "--quiet", "--", path);
    await expectWhole(1);
  });
});

describe("what stands in place of a change that may yet be taken back", () => {
  const pinned = () =>
    new Pins(stateFolder(vault.machine, vault.id)).find("groups/stripe/group.json" as never);

  async function begin() {
    const journal = await revokeJournal();
    writeJournal(target.scratchFolder, journal);
    for (const write of journal.writes) writeFileSync(join(vault.root, write.path), write.after);
  }

  function takeBack(): void {
    vault.git("checkout", "--quiet", "--", ".vault");
    rmSync(join(target.scratchFolder, "journal.json"));
  }

  it("is pinned by no reader, so that it locks nobody out (promise 8)", async () => {
    const before = pinned();
    await begin();
    expect(await vault.readAs("stays", "stripe/A")).toBe("sk_live_A_value");
    const { vault: seen } = await vault.owner();
    seen.readAll();
    await seen.pin({ pid: 1, host: "test-host", doing: "check" });
    expect(pinned()).toEqual(before);
    takeBack();
    await expectWhole(1);
    await vault.revoke("crawler", "stripe");
    await expectWhole(2);
  });

  it("is not pinned either by who read it and pins once it was taken back", async () => {
    const before = pinned();
    await begin();
    const { vault: seen } = await vault.owner();
    seen.readAll();
    takeBack();
    await seen.pin({ pid: 1, host: "test-host", doing: "check" });
    expect(pinned()).toEqual(before);
    await expectWhole(1);
  });

  it("is pinned once it is committed", async () => {
    const elsewhere = vault.withoutPins();
    await vault.revoke("crawler", "stripe");
    expect(await elsewhere.readAs("stays", "stripe/A")).toBe("sk_live_A_value");
    const pins = new Pins(stateFolder(elsewhere.machine, vault.id));
    expect(pins.find("groups/stripe/group.json" as never)).toEqual(pinned());
  });
});

describe("a write", () => {
  it("goes through no link that a repo writer laid, and past no folder it replaced (A13)", async () => {
    const outside = join(tempFolder(), "precious");
    writeFileSync(outside, "precious");
    for (let index = 0; index < 4; index++) {
      symlinkSync(outside, join(vault.root, `.draft-${index}`));
      mkdirSync(join(vault.root, `.draft-${"0".repeat(32)}-${index}`), { recursive: true });
    }
    await vault.set("stripe/NEW", "sk_live_new_value");
    rmSync(join(vault.root, ".gitattributes"));
    symlinkSync(outside, join(vault.root, ".gitattributes"));
    await expect(vault.set("stripe/NEW", "sk_live_newer_value")).rejects.toThrow();
    rmSync(join(vault.root, ".gitattributes"));
    symlinkSync(tempFolder(), join(vault.root, "groups/mail"));
    await expect(vault.set("mail/PASSWORD", "mail-password")).rejects.toMatchObject({
      code: "record-invalid",
    });
    expect(readFileSync(outside, "utf8")).toBe("precious");
  });

  it("refuses a folder where a file should be", async () => {
    rmSync(join(vault.root, ".gitattributes"));
    mkdirSync(join(vault.root, ".gitattributes"));
    await expect(vault.set("stripe/NEW", "sk_live_new_value")).rejects.toMatchObject({
      code: "record-invalid",
    });
  });

  it("refuses a file where a folder should be, and leaves nothing half done", async () => {
    rmSync(join(vault.root, "agents"), { recursive: true });
    writeFileSync(join(vault.root, "agents"), "");
    await expect(vault.addAgent("second")).rejects.toMatchObject({ code: "record-invalid" });
    expect(existsSync(join(vault.root, "../.git/vault-run/journal.json"))).toBe(false);
    expect(readdirSync(vault.root).filter((name) => name.startsWith(".draft"))).toEqual([]);
  });
});

describe("a key file that belongs to a change", () => {
  const addAgent = (path: string) =>
    vault.change(async (session) => {
      const { plan, keyFile } = await planAddAgent(session, "second" as never, undefined);
      return { ...plan, keyFile: { path, text: keyFile } };
    });

  it("is there after it, gone where it was taken back, and stays where it will be finished", async () => {
    const folder = tempFolder();
    const hook = join(vault.repo, ".git/hooks/pre-commit");
    mkdirSync(join(vault.repo, ".git/hooks"), { recursive: true });
    writeFileSync(hook, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    await expect(addAgent(join(folder, "taken-back.key"))).rejects.toMatchObject({ code: "git-failed" });
    expect(existsSync(join(folder, "taken-back.key"))).toBe(false);
    rmSync(hook);
    await addAgent(join(folder, "kept.key"));
    expect(readFileSync(join(folder, "kept.key"), "utf8")).toContain("# agent: second");
  });
});

describe("an operation with a key file, that was killed", () => {
  async function journalWithKey(folder: string) {
    const journal = await revokeJournal();
    const text = "# a key file\n";
    const path = join(folder, "new.key");
    return { text, path, journal: { ...journal, keyFile: { path, digest: digest(Buffer.from(text)) } } };
  }

  it("before the key was in place, had not begun: nothing of it is left", async () => {
    const folder = tempFolder();
    const { journal, path } = await journalWithKey(folder);
    writeFileSync(`${path}.${journal.token}`, "# half a key");
    writeJournal(target.scratchFolder, journal);
    expect(await finishInterrupted(target)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
    expect(findJournal(target.scratchFolder)).toBeUndefined();
    await expectWhole(1);
  });

  it("before the key was in place, leaves a file alone that someone else put there", async () => {
    const { journal, path } = await journalWithKey(tempFolder());
    writeFileSync(path, "another's");
    writeJournal(target.scratchFolder, journal);
    expect(await finishInterrupted(target)).toBeUndefined();
    expect(readFileSync(path, "utf8")).toBe("another's");
    await expectWhole(1);
  });

  it("after the key was in place, is finished with it", async () => {
    const folder = tempFolder();
    const { journal, path, text } = await journalWithKey(folder);
    for (const name of [path, `${path}.${journal.token}`]) writeFileSync(name, text);
    writeJournal(target.scratchFolder, journal);
    await vault.set("mail/PASSWORD", "mail-password");
    expect(readdirSync(folder)).toEqual(["new.key"]);
    await expectWhole(2);
  });

  it("is finished where the key was moved away and its files were begun", async () => {
    const { journal } = await journalWithKey(tempFolder());
    writeJournal(target.scratchFolder, journal);
    const [first] = journal.writes;
    writeFileSync(join(vault.root, first?.path ?? ""), first?.after ?? "");
    await vault.set("mail/PASSWORD", "mail-password");
    await expectWhole(2);
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

  it("because a hook writes records anew, as formatters do, leaves everything as it was", async () => {
    const hook = join(vault.repo, ".git/hooks/pre-commit");
    mkdirSync(join(vault.repo, ".git/hooks"), { recursive: true });
    const format =
      "for f in $(git diff --cached --name-only); do tr -d ' ' < $f > x; cat x > $f; git add $f; done; rm x";
    writeFileSync(hook, `#!/bin/sh\n${format}\n`, { mode: 0o755 });
    await expect(vault.revoke("crawler", "stripe")).rejects.toMatchObject({ code: "git-failed" });
    await expect(vault.set("new/SECRET", "new-secret-value")).rejects.toMatchObject({ code: "git-failed" });
    expect(existsSync(join(vault.root, "groups/new"))).toBe(false);
    expect(git(vault.repo, "status", "--porcelain")).toBe("");
    await expectWhole(1);
    rmSync(hook);
    await vault.revoke("crawler", "stripe");
    await expectWhole(2);
  });

  it("leaves no draft and no lock behind", async () => {
    await vault.revoke("crawler", "stripe");
    expect(readdirSync(vault.root).sort()).toEqual([".gitattributes", "agents", "groups", "vault.json"]);
    expect(readdirSync(target.scratchFolder)).toEqual([]);
  });
});
