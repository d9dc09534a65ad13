import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { FULL_BYTES } from "../../src/admin/sharing/log-files.ts";
import { pushAuditLog } from "../../src/admin/sharing/push.ts";
import { pushedLogs } from "../../src/admin/sharing/pushed-logs.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { AuditLog } from "../../src/audit/log.ts";
import { findWriterRef } from "../../src/audit/writer.ts";
import { keyFingerprint } from "../../src/vault/fingerprint.ts";
import { takeLock } from "../../src/vault/lock.ts";
import { bareRemote, Host, refLines, sharedVault } from "../fixtures/hosts.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { codeOf, git } from "../fixtures/vault.ts";

const template = await sharedVault();
const ownerSession = await template.owner();
const OWNER = keyFingerprint(ownerSession.signingKey.verifyKey);
const keyOf = (agent: string) =>
  keyFingerprint(ownerSession.vault.agents().find(({ name }) => name === agent)!.verifyKey);
const [crawler, mailer] = [keyOf("crawler"), keyOf("mailer")];
const refOf = (agent: string, host: string) => findWriterRef({ key: keyOf(agent), host })!;
const refsOf = (repository: string) =>
  git(repository, "for-each-ref", "--format=%(refname)", "refs/vault-run/audit/");
const codes = ({ refused }: { refused: readonly { code: string }[] }) => refused.map(({ code }) => code);
const added = ({ logs }: { logs: readonly { lines: number }[] }) => logs.map(({ lines }) => lines);

/** All that is the user's in a repository. */
function usersOwn(host: Host): string {
  const { repo } = host;
  return [
    git(repo, "for-each-ref", "refs/heads", "refs/tags", "refs/remotes"),
    git(repo, "status", "--porcelain", "--untracked-files=all"),
    git(repo, "ls-files", "--stage"),
    git(repo, "rev-parse", "HEAD"),
    readFileSync(join(repo, ".git/config"), "utf8"),
    readFileSync(join(repo, ".git/index"), "latin1"),
  ].join("\n---\n");
}

describe("pushing the log", () => {
  it("puts each writer's lines into a ref of its own, byte for byte and in order", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    await host.pull("crawler", 3);
    await host.pull("mailer", 2);
    await host.pull("crawler");
    const before = usersOwn(host);
    const pushed = await host.push();
    expect(codes(pushed)).toEqual([]);
    expect(refLines(remote, refOf("crawler", "web-1"))).toEqual(host.lines(crawler));
    expect(refLines(remote, refOf("mailer", "web-1"))).toEqual(host.lines(mailer));
    // The owner made the vault on a machine of another name, whose log this one has.
    expect(refLines(remote, findWriterRef({ key: OWNER, host: "test-host" })!)).toEqual(
      host.lines(OWNER, "test-host"),
    );
    expect(usersOwn(host)).toBe(before);
    expect(git(remote, "for-each-ref", "refs/heads", "refs/tags")).toBe("");
  });

  it("goes on one at a time, also from several work trees of one repository", async () => {
    const host = new Host(template, "web-1", bareRemote());
    await host.pull("crawler");
    const tree = join(tempFolder(), "tree");
    host.git("worktree", "add", "--quiet", "--detach", tree);
    const held = await takeLock(
      join(host.repo, ".git/vault-run/lock-audit"),
      { ...host.machine, doing: "audit push" },
      { waitMs: 0 },
    );
    const notes: string[] = [];
    const options = { root: join(tree, ".vault"), remote: undefined, doing: "audit push" };
    const pushed = await pushAuditLog({ ...host.machine, cwd: tree }, options, (note) => {
      notes.push(note);
      held?.release();
    });
    expect(notes).toEqual([expect.stringContaining("waiting for another vault-run: audit push")]);
    expect(codes(pushed)).toEqual([]);
  });

  it("adds what is new in one more commit, and makes none where nothing is", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    const ref = refOf("crawler", "web-1");
    await host.pull("crawler", 2);
    await host.push();
    const first = git(remote, "rev-parse", ref);
    expect((await host.push()).logs).toEqual([]);
    expect(git(remote, "rev-parse", ref)).toBe(first);
    await host.pull("crawler", 3);
    expect((await host.push()).logs).toEqual([{ who: "crawler on web-1", lines: 3, again: 0 }]);
    expect(git(remote, "rev-parse", `${ref}~1`)).toBe(first);
    expect(git(remote, "log", "-1", "--format=%an <%ae> %cn <%ce>", ref)).toBe(
      "vault-run <vault-run> vault-run <vault-run>",
    );
    expect(refLines(remote, ref)).toEqual(host.lines(crawler));
  });

  it("needs no key, and holds no value", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    await host.pull("crawler", 2);
    rmSync(join(host.machine.home, ".config"), { recursive: true });
    expect(codes(await host.push())).toEqual([]);
    const all = git(remote, "log", "--patch", "--all", "--format=%B%an%ae");
    expect(all).toContain("web");
    expect(all).not.toContain("value-of-ONE");
  });

  it("keeps here what does not verify, and says how much", async () => {
    const remote = bareRemote();
    const [host, other] = [new Host(template, "web-1", remote), new Host(template, "web-2", remote)];
    await host.pull("crawler", 2);
    const [line = ""] = host.lines(crawler);
    appendFileSync(host.log, `${line.replace('"uid":', '"uid":1')}\n`);
    appendFileSync(host.log, `${line.slice(0, 50)}\n`);
    appendFileSync(host.log, `${line}\n`);
    appendFileSync(host.log, `${line.replace(keyOf("crawler"), "0".repeat(32))}\n`);
    await host.pull("crawler");
    await other.pull("mailer");
    const pushed = await host.push();
    expect(codes(pushed)).toEqual([]);
    expect([...pushed.kept].sort()).toEqual([
      ["bad-signature", 1],
      ["torn", 1],
      ["unknown-key", 1],
    ]);
    const lines = host.lines(crawler);
    expect(refLines(remote, refOf("crawler", "web-1"))).toEqual([lines[0], lines[1], lines.at(-1)]);
  });

  it("passes over a line of 10 MB that anyone who writes to the log can put there", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    await host.pull("crawler");
    const [first] = host.lines(crawler);
    const much = "a".repeat(10_000_000);
    appendFileSync(host.log, `{"host":"${much}\n{"host":"${much}","id":"","key":"${crawler}"}\n`);
    // It begins the next file, for this one is full.
    await host.pull("crawler");
    const pushed = await host.push();
    expect(codes(pushed)).toEqual([]);
    expect([...pushed.kept]).toEqual([["torn", 2]]);
    expect(refLines(remote, refOf("crawler", "web-1"))).toEqual([first, ...host.lines(crawler)]);
  });

  it("goes on in the next file where one is full, and leaves the full ones as they are", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    const ref = refOf("crawler", "web-1");
    await fill(host, 1800);
    await host.push();
    expect(git(remote, "ls-tree", "--name-only", ref)).toBe("000000.jsonl");
    await fill(host, 1800);
    await host.push();
    await fill(host, 1800);
    await host.push();
    const sizes = git(remote, "ls-tree", "--long", ref)
      .split("\n")
      .map((row) => Number(/(\d+)\t/.exec(row)?.[1]));
    expect(sizes.length).toBeGreaterThan(1);
    for (const size of sizes.slice(0, -1)) {
      expect(size).toBeGreaterThanOrEqual(1024 * 1024);
      expect(size).toBeLessThan(1024 * 1024 + 2000);
    }
    expect(git(remote, "rev-parse", `${ref}:000000.jsonl`)).toBe(
      git(remote, "rev-parse", `${ref}~1:000000.jsonl`),
    );
    expect(refLines(remote, ref)).toEqual(host.lines(crawler));
    const owner = new Host(template, "laptop", remote);
    expect((await owner.fetch()).findings).toEqual([]);
    expect(refLines(owner.repo, ref)).toEqual(host.lines(crawler));
  });

  it("takes along the lines of a writer who begins while the log is pushed, and none that name them before", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    await host.pull("crawler");
    const before = readFileSync(host.log);
    await host.pull("mailer");
    await host.pull("crawler");
    const late = join(tempFolder(), "late");
    writeFileSync(late, readFileSync(host.log).subarray(before.length));
    writeFileSync(host.log, before);
    // Git runs it to ask what the remote has: after the log was looked through for its writers.
    const asked = join(host.repo, ".git/asked");
    writeFileSync(
      asked,
      `#!/bin/sh\n[ -e ${late} ] && cat ${late} >> ${host.log} && rm ${late}\nexec git-upload-pack "$@"\n`,
    );
    chmodSync(asked, 0o755);
    host.git("config", "remote.origin.uploadpack", asked);
    const pushed = await host.push();
    expect(codes(pushed)).toEqual([]);
    expect(pushed.logs).toContainEqual({ who: "crawler on web-1", lines: 2, again: 0 });
    expect(pushed.logs).toContainEqual({ who: "mailer on web-1", lines: 1, again: 0 });
    const [first, second] = host.lines(crawler);
    expect(refLines(remote, `${refOf("crawler", "web-1")}~1`)).toEqual([first]);
    expect(refLines(remote, refOf("crawler", "web-1"))).toEqual([first, second]);
    expect(refLines(remote, refOf("mailer", "web-1"))).toEqual(host.lines(mailer));
  });

  it("takes along a line that came late into a segment that was closed", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    await host.pull("crawler", 2);
    renameSync(host.log, join(dirname(host.log), "audit.1.jsonl"));
    await host.pull("crawler");
    await host.push();
    const moved = readFileSync(host.log, "utf8");
    await host.pull("crawler");
    const late = readFileSync(host.log, "utf8").slice(moved.length);
    appendFileSync(join(dirname(host.log), "audit.1.jsonl"), late);
    writeFileSync(host.log, moved);
    expect(added(await host.push())).toEqual([1]);
    expect(refLines(remote, refOf("crawler", "web-1")).at(-1)).toBe(late.trimEnd());
  });
});

/** Many lines of the agent, without the work of so many reads. */
async function fill(host: Host, count: number): Promise<void> {
  const key = SigningKey.derive((await host.vault.agent("crawler", host.machine)).identity);
  const log = new AuditLog(host.machine, host.vault.id, "0".repeat(40));
  const secrets = [{ group: "web", name: "ONE", valueId: "0".repeat(32) }];
  for (let i = 0; i < count; i++) await log.append({ action: "get", agent: "crawler", secrets }, key);
}

describe("a log that is not what it was", () => {
  const edits: [string, (lines: string[]) => string[]][] = [
    ["edited", ([first = "", ...rest]) => [first.replace('"uid":', '"uid":1'), ...rest]],
    ["without a line", (lines) => lines.toSpliced(1, 1)],
    ["cut off", (lines) => lines.slice(0, -1)],
    ["emptied", () => []],
  ];
  it.each(edits)("is refused when it is pushed again: %s", async (_, edit) => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    const ref = refOf("crawler", "web-1");
    rmSync(host.log);
    await host.pull("crawler", 3);
    await host.push();
    const before = git(remote, "rev-parse", ref);
    const lines = readFileSync(host.log, "utf8").trimEnd().split("\n");
    writeFileSync(
      host.log,
      edit(lines)
        .map((line) => `${line}\n`)
        .join(""),
    );
    await host.pull("crawler");
    const pushed = await host.push();
    expect(codes(pushed)).toEqual(["audit-rewritten"]);
    expect(pushed.refused[0]!.message).toContain("the log here is not what was pushed of crawler on web-1: ");
    expect(git(remote, "rev-parse", ref)).toBe(before);
  });

  it("does not keep the logs of other writers back", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    await host.pull("crawler", 2);
    await host.push();
    writeFileSync(
      host.log,
      `${readFileSync(host.log, "utf8").trimEnd().split("\n").slice(0, -1).join("\n")}\n`,
    );
    await host.pull("mailer");
    const pushed = await host.push();
    expect(codes(pushed)).toEqual(["audit-rewritten"]);
    expect(refLines(remote, refOf("mailer", "web-1"))).toEqual(host.lines(mailer));
  });

  it("is told from another machine of the same name and key", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    await host.pull("crawler", 2);
    await host.push();
    const twin = host.snapshot();
    await twin.pull("crawler");
    await twin.push();
    await host.pull("crawler");
    const pushed = await host.push();
    expect(pushed.refused[0]!.message).toContain("another machine pushes as crawler on web-1");
    const anew = new Host(template, "web-1", remote);
    rmSync(anew.log);
    await anew.pull("crawler");
    const unsure = await anew.push();
    expect(unsure.refused[0]!.message).toContain("the log here lacks what origin has of crawler on web-1: ");
    expect(refLines(remote, refOf("crawler", "web-1"))).toEqual(twin.lines(crawler));
  });

  it("is not suspected for lines that others put into its ref, whoever signed them elsewhere", async () => {
    const remote = bareRemote();
    const [host, other] = [new Host(template, "web-1", remote), new Host(template, "web-2", remote)];
    const ref = refOf("crawler", "web-1");
    await other.pull("crawler");
    await host.pull("crawler", 2);
    await host.push();
    const clone = tempFolder();
    git(clone, "clone", "--quiet", remote, ".");
    git(clone, "fetch", "--quiet", "origin", `${ref}:${ref}`);
    const [line = ""] = host.lines(crawler);
    const junk = [other.lines(crawler)[0], line.replace('"uid":', '"uid":1'), `{"vault":"${host.vault.id}"}`];
    commit(clone, ref, ref, (text) => `${text}${junk.join("\n")}\n`);
    await host.pull("crawler");
    expect(codes(await host.push())).toEqual([]);
    const lines = host.lines(crawler);
    expect(refLines(remote, ref)).toEqual([lines[0], lines[1], ...junk, lines[2]]);
  });

  it("is pushed though others put copies of its lines into another's ref", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    const ref = refOf("crawler", "web-1");
    await host.pull("crawler");
    await host.push();
    await host.pull("mailer", 2);
    const clone = tempFolder();
    git(clone, "clone", "--quiet", remote, ".");
    git(clone, "fetch", "--quiet", "origin", `${ref}:${ref}`);
    commit(clone, ref, ref, (text) => `${text}${host.lines(mailer).join("\n")}\n`);
    expect((await host.push()).logs).toEqual([{ who: "mailer on web-1", lines: 2, again: 0 }]);
    expect(refLines(remote, refOf("mailer", "web-1"))).toEqual(host.lines(mailer));
    expect((await host.push()).logs).toEqual([]);
  });

  it("is not suspected for a copied line of another host", async () => {
    const remote = bareRemote();
    const [host, other] = [new Host(template, "web-1", remote), new Host(template, "web-2", remote)];
    await other.pull("crawler", 3);
    await other.push();
    appendFileSync(host.log, `${other.lines(crawler)[1]}\n`);
    await host.pull("mailer");
    expect(codes(await host.push())).toEqual([]);
  });
});

describe("fetching logs", () => {
  it("brings those of every host, which anyone then reads without git's remote", async () => {
    const remote = bareRemote();
    const hosts = ["web-1", "web-2", "Büro 3"].map((name) => new Host(template, name, remote));
    for (const [i, host] of hosts.entries()) {
      await host.pull("crawler", i + 1);
      await host.pull("mailer", 2);
      await host.push();
    }
    const owner = new Host(template, "laptop", remote);
    const before = usersOwn(owner);
    const fetched = await owner.fetch();
    expect(fetched.findings).toEqual([]);
    expect(fetched.came.map(({ who }) => who)).toContain("crawler on Büro 3");
    expect(usersOwn(owner)).toBe(before);
    const sources = await pushedLogs(owner.vault.root);
    for (const host of hosts)
      for (const agent of ["crawler", "mailer"]) {
        const source = sources.find(({ key, host: of }) => of === host.machine.host && key === keyOf(agent))!;
        const lines: string[] = [];
        for await (const chunk of source.chunks()) lines.push(...chunk.toString().trimEnd().split("\n"));
        expect(lines).toEqual(host.lines(keyOf(agent)));
      }
    expect((await owner.fetch()).came).toEqual([]);
  });

  const attacks: [string, string, (clone: string, ref: string) => void][] = [
    [
      "rewritten",
      "was rewritten at origin: 1 line, of",
      (clone, ref) => {
        commit(clone, ref, `${ref}~1`, (text) => text.replace(/\n[^\n]+\n$/, '\n{"else":1}\n'));
      },
    ],
    [
      "shortened",
      "was cut off at origin: 1 line, of",
      (clone, ref) => {
        git(clone, "push", "--quiet", "--force", "origin", `${ref}~1:${ref}`);
      },
    ],
    [
      "removed",
      "was cut off at origin: 3 lines, the first of",
      (clone, ref) => {
        git(clone, "push", "--quiet", "origin", `:${ref}`);
      },
    ],
    [
      "continued by a commit that drops a line",
      "does anything but add lines",
      (clone, ref) => {
        commit(clone, ref, ref, (text) => text.replace(/^[^\n]+\n/, ""));
      },
    ],
    [
      "continued by a commit that adds another file",
      "does anything but add lines",
      (clone, ref) => {
        commit(clone, ref, ref, (text) => text, "README");
      },
    ],
    [
      "continued by a commit that adds a line to a full file",
      "does anything but add lines",
      (clone, ref) => {
        commit(clone, ref, ref, (text) => `${text}${"x".repeat(FULL_BYTES)}\n{}\n`);
      },
    ],
    [
      "continued by a commit that leaves a file out",
      "does anything but add lines",
      (clone, ref) => {
        commit(clone, ref, ref, (text) => text, "000000.jsonl", "120000");
      },
    ],
    [
      "continued by a merge",
      "does anything but add lines",
      (clone, ref) => {
        const made = commitTree(clone, `${ref}^{tree}`, ref, `${ref}~1`);
        git(clone, "push", "--quiet", "--force", "origin", `${made}:${ref}`);
      },
    ],
    [
      "replaced by something that is no commit",
      "does anything but add lines",
      (clone, ref) =>
        git(
          clone,
          "push",
          "--quiet",
          "--force",
          "origin",
          `${git(clone, "rev-parse", `${ref}:000000.jsonl`)}:${ref}`,
        ),
    ],
  ];
  it.each(attacks)("keeps what was there of a log that was %s, and says so", async (_, says, attack) => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    const ref = refOf("crawler", "web-1");
    await host.pull("crawler", 2);
    await host.push();
    await host.pull("crawler");
    await host.push();
    const owner = new Host(template, "laptop", remote);
    await owner.fetch();
    const clone = tempFolder();
    git(clone, "clone", "--quiet", remote, ".");
    git(clone, "fetch", "--quiet", "origin", `${ref}:${ref}`);
    attack(clone, ref);
    const before = git(owner.repo, "rev-parse", ref);
    for (let time = 0; time < 2; time++) {
      const { findings } = await owner.fetch();
      expect(findings.map(({ code }) => code)).toEqual(["audit-rewritten"]);
      expect(findings[0]!.message).toContain(says);
      expect(git(owner.repo, "rev-parse", ref)).toBe(before);
    }
    expect(refLines(owner.repo, ref)).toEqual(host.lines(crawler));
    // What was cut off is put back by whoever wrote it; over anything else nobody pushes.
    await host.pull("crawler");
    const pushed = await host.push();
    const mends = says.includes("cut off");
    expect(codes(pushed)).toEqual(mends ? [] : ["audit-rewritten"]);
    if (!mends) {
      // As the message says.
      owner.git("push", "--quiet", "--force", "origin", ref);
      expect(codes(await host.push())).toEqual([]);
      expect(refLines(remote, ref)).toEqual(host.lines(crawler));
      expect((await owner.fetch()).findings).toEqual([]);
      return;
    }
    expect(refLines(remote, ref)).toEqual(host.lines(crawler));
    expect(pushed.logs).toMatchObject(
      says.includes("1 line") ? [{ lines: 2, again: 1 }] : [{ lines: 4, again: 0 }],
    );
  });

  it("takes what fills a file, and not what goes on in it then", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    const ref = refOf("crawler", "web-1");
    await host.pull("crawler");
    await host.push();
    const clone = tempFolder();
    git(clone, "clone", "--quiet", remote, ".");
    git(clone, "fetch", "--quiet", "origin", `${ref}:${ref}`);
    const most = "x".repeat(FULL_BYTES - 1 - `${host.lines(crawler)[0]}\n\n`.length);
    for (const line of [most, "{}", "{}"]) {
      commit(clone, ref, ref, (text) => `${text}${line}\n`);
      git(clone, "fetch", "--quiet", "origin", `${ref}:${ref}`);
    }
    const owner = new Host(template, "laptop", remote);
    const { findings } = await owner.fetch();
    expect(findings.map(({ message }) => message)).toEqual([
      `a commit in the log of crawler on web-1 at origin does anything but add lines: ${git(clone, "rev-parse", ref)}`,
    ]);
    expect(git(owner.repo, "rev-parse", ref)).toBe(git(clone, "rev-parse", `${ref}~1`));
    expect(Number(git(owner.repo, "cat-file", "-s", `${ref}:000000.jsonl`))).toBe(FULL_BYTES + 2);
  });

  it("takes a log that was dropped from between two fetches only as far as it grew", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    const ref = refOf("crawler", "web-1");
    await host.pull("crawler", 3);
    await host.push();
    const clone = tempFolder();
    git(clone, "clone", "--quiet", remote, ".");
    git(clone, "fetch", "--quiet", "origin", `${ref}:${ref}`);
    commit(clone, ref, ref, (text) => text.replace(/^[^\n]+\n/, ""));
    const owner = new Host(template, "laptop", remote);
    const { findings } = await owner.fetch();
    expect(findings.map(({ message }) => message).join()).toContain("does anything but add lines");
    expect(refLines(owner.repo, ref)).toEqual(host.lines(crawler));
  });

  it("takes no log of a key that nobody here knows, of which anyone can push any number, and says so", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    await host.pull("crawler");
    await host.push();
    const tip = git(remote, "rev-parse", refOf("crawler", "web-1"));
    for (const key of ["0", "1", "2"])
      git(remote, "update-ref", `refs/vault-run/audit/${key.repeat(32)}/web`, tip);
    const owner = new Host(template, "laptop", remote);
    const { unknown, findings } = await owner.fetch();
    expect({ unknown, findings }).toEqual({ unknown: 3, findings: [] });
    expect(refsOf(owner.repo)).not.toMatch(/0{32}|1{32}|2{32}/);
  });

  it("passes over refs that are no writer's", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    await host.pull("crawler");
    await host.push();
    const tip = git(remote, "rev-parse", refOf("crawler", "web-1"));
    for (const name of [
      "x",
      `${"0".repeat(31)}/web`,
      `${"0".repeat(32)}/WEB`,
      `${"0".repeat(32)}/%77eb`,
      `${"0".repeat(32)}/a/b`,
    ])
      git(remote, "update-ref", `refs/vault-run/audit/${name}`, tip);
    const owner = new Host(template, "laptop", remote);
    await owner.fetch();
    expect(refsOf(owner.repo).split("\n").sort()).toEqual(
      [refOf("crawler", "web-1"), findWriterRef({ key: OWNER, host: "test-host" })!].sort(),
    );
  });
});

/** Pushes, over whatever is there, a commit behind `parent` that has a changed text in a file. */
function commit(
  clone: string,
  ref: string,
  parent: string,
  change: (text: string) => string,
  name = "000000.jsonl",
  mode = "100644",
): void {
  const text = change(`${git(clone, "cat-file", "blob", `${ref}:000000.jsonl`)}\n`);
  writeFileSync(join(clone, "draft"), text);
  const blob = git(clone, "hash-object", "-w", "draft");
  git(clone, "read-tree", parent);
  git(clone, "update-index", "--add", "--cacheinfo", `${mode},${blob},${name}`);
  const tree = git(clone, "write-tree");
  const made = commitTree(clone, tree, parent);
  git(clone, "push", "--quiet", "--force", "origin", `${made}:${ref}`);
}

function commitTree(clone: string, tree: string, ...parents: string[]): string {
  const someone = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
  const behind = parents.flatMap((parent) => ["-p", parent]);
  return git(clone, ...someone, "commit-tree", "-m", "x", ...behind, tree);
}

describe("logs go through git", () => {
  it("from a shallow clone, a linked work tree and a HEAD on no branch", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    host.git("push", "--quiet", "origin", "main");
    const shallow = tempFolder();
    git(shallow, "clone", "--quiet", "--depth=1", `file://${remote}`, "clone");
    const linked = join(tempFolder(), "linked");
    host.git("worktree", "add", "--quiet", "--detach", linked);
    for (const [i, repo] of [join(shallow, "clone"), linked].entries()) {
      await host.pull("crawler", 2);
      const there = { machine: host.machine, vault: { root: join(repo, ".vault") } };
      const pushed = await Host.prototype.push.call(there as unknown as Host);
      expect(codes(pushed)).toEqual([]);
      expect(refLines(remote, refOf("crawler", "web-1"))).toHaveLength(2 * (i + 1));
      const fetched = await Host.prototype.fetch.call(there as unknown as Host);
      expect(fetched.findings).toEqual([]);
    }
    expect(git(join(shallow, "clone"), "rev-parse", "--is-shallow-repository")).toBe("true");
    expect(git(linked, "status", "--porcelain")).toBe("");
    const other = new Host(template, "web-2", remote);
    await other.pull("mailer");
    await other.push();
    const there = { machine: host.machine, vault: { root: join(shallow, "clone", ".vault") } };
    await Host.prototype.fetch.call(there as unknown as Host);
    expect(refLines(join(shallow, "clone"), refOf("mailer", "web-2"))).toEqual(other.lines(mailer));
  });

  it("run no hook, and heed no setting that would add to a push", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    host.git("tag", "--annotate", "--message", "x", "v1");
    mkdirSync(join(host.repo, ".git/hooks"), { recursive: true });
    for (const hook of ["pre-push", "reference-transaction", "post-update"]) {
      writeFileSync(
        join(host.repo, ".git/hooks", hook),
        `#!/bin/sh\ntouch ${host.repo}/ran-${hook}\nexit 1\n`,
      );
      chmodSync(join(host.repo, ".git/hooks", hook), 0o755);
    }
    host.git("config", "push.followTags", "true");
    host.git("config", "fetch.prune", "true");
    host.git("config", "remote.origin.push", "refs/heads/*:refs/heads/*");
    host.git("config", "commit.gpgSign", "true");
    host.git("config", "user.signingKey", "nobody");
    await host.pull("crawler");
    const before = usersOwn(host);
    expect(codes(await host.push())).toEqual([]);
    expect((await host.fetch()).findings).toEqual([]);
    expect(usersOwn(host)).toBe(before);
    expect(git(remote, "for-each-ref", "refs/heads", "refs/tags")).toBe("");
  });

  it("to where they are told, and only there", async () => {
    const [first, second] = [bareRemote(), bareRemote()];
    const host = new Host(template, "web-1", first);
    await host.pull("crawler");
    expect(await codeOf(() => host.push("nowhere"))).toBe("git-not-ready");
    host.git("remote", "add", "backup", second);
    await host.push("backup");
    expect(refsOf(first)).toBe("");
    await host.push();
    expect(refsOf(first)).toBe(refsOf(second));
    host.git("remote", "rename", "origin", "a");
    expect(await codeOf(() => host.push())).toBe("git-not-ready");
    expect(await codeOf(() => new Host(template, "web-1", undefined).push())).toBe("git-not-ready");
  });

  it("and say what a remote refuses", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    await host.pull("crawler");
    const hook = join(remote, "hooks/update");
    mkdirSync(dirname(hook), { recursive: true });
    writeFileSync(hook, `#!/bin/sh\ncase "$1" in *${keyOf("crawler")}*) echo not these >&2; exit 1;; esac\n`);
    chmodSync(hook, 0o755);
    const pushed = await host.push();
    expect(codes(pushed)).toEqual(["git-failed"]);
    expect(pushed.refused[0]!.message).toContain("not these");
    expect(pushed.logs.map(({ who }) => who)).toEqual([expect.stringContaining("on test-host")]);
    host.git("remote", "set-url", "origin", join(remote, "missing"));
    expect(await codeOf(() => host.push())).toBe("git-failed");
  });

  it("when two push the same log at the same moment", async () => {
    const remote = bareRemote();
    const host = new Host(template, "web-1", remote);
    await host.pull("crawler", 3);
    const machine = { ...host.machine, env: { VAULT_RUN_AUDIT_DIR: dirname(host.log) } };
    const clones = [host, ...Array.from({ length: 3 }, () => new Host(template, "web-1", remote))];
    const all = await Promise.all(
      clones.map((clone) => clone.push(undefined, { ...clone.machine, env: machine.env })),
    );
    expect(all.flatMap(codes)).toEqual([]);
    await host.pull("crawler");
    const [last] = clones.toReversed();
    expect(codes(await last!.push(undefined, { ...last!.machine, env: machine.env }))).toEqual([]);
    expect(refLines(remote, refOf("crawler", "web-1"))).toEqual(host.lines(crawler));
  });
});
