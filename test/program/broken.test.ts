import { mkdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { PlannedWrite } from "../../src/admin/plan.ts";
import { planSet } from "../../src/admin/plans/set.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { Secret } from "../../src/vault/secret.ts";
import {
  BEFORE,
  breakableVault,
  commitsSince,
  expectTidy,
  look,
  mustRun,
  NEXT,
  OPERATIONS,
  type Operation,
  onCopies,
} from "../fixtures/breakable-vault.ts";
import { change } from "../fixtures/owner.ts";
import type { Outcome, Program } from "../fixtures/program.ts";
import { type Point, recordPoints, runBrokenAt } from "../fixtures/system-calls.ts";

// Promise 8. Disks that fail or are full, and owners who meet or leave.

const template = await breakableVault();
const [REVOKE, GRANT, SET] = OPERATIONS as [Operation, Operation, Operation];
const MAKES_ROOM = ["openat", "write"];

/** One line, then one with the next step; before them what is told besides. */
function expectClear({ stderr }: Outcome): void {
  const lines = stderr.trimEnd().split("\n");
  expect(lines.at(-1), stderr).toMatch(/^ {2}\S/);
  expect(lines.at(-2), stderr).toMatch(/^vault-run: [a-z]/);
  expect(
    lines.filter((line) => line.startsWith("    at ")),
    stderr,
  ).toEqual([]);
}

/** What a person had staged stays so. */
function stage(program: Program): string {
  writeFileSync(join(program.repo, "staged.txt"), "mine");
  program.git("add", "staged.txt");
  return program.snapshot();
}

function unstage(program: Program): void {
  program.git("rm", "--quiet", "--cached", "staged.txt");
  rmSync(join(program.repo, "staged.txt"));
}

describe("a system call that fails", () => {
  it.each([
    { verb: REVOKE.verb, calls: "any", after: REVOKE.after },
    // Makes folders.
    { verb: { args: ["set", "new/A"], input: "value-of-new" }, calls: "mkdir", after: BEFORE },
  ])(
    "($calls, in $verb.args) leaves the vault as before, told in two lines, or the change made",
    {
      timeout: 600_000,
    },
    async ({ verb, calls, after }) => {
      const points = (await recordPoints(template.copy(), verb)).filter(
        ({ call }) => calls === "any" || call === calls,
      );
      expect(points.length).toBeGreaterThan(1);
      const seen = { refused: 0, made: 0 };
      await onCopies(template, points, async (program, point) => {
        const before = stage(program);
        const outcome = await failAt(program, verb, point);
        const isMade = outcome.status === 0 || outcome.stderr.includes("the change is made");
        if (outcome.status !== 0) {
          expect(outcome.status).toBe(1);
          expectClear(outcome);
        }
        expect(await look(program)).toEqual(isMade ? after : BEFORE);
        if (!isMade) expect(program.snapshot()).toBe(before);
        seen[isMade ? "made" : "refused"]++;
        await mustRun(program, verb);
        unstage(program);
        expect(await look(program)).toEqual(after);
        // What could not be removed then is removed by who next has something to write there.
        if (isMade) await mustRun(program, NEXT.verb);
        await expectTidy(program);
      });
      expect(seen.refused).toBeGreaterThan(1);
    },
  );
});

function failAt(program: Program, verb: Operation["verb"], point: Point): Promise<Outcome> {
  return runBrokenAt(program, verb, point, `error=${MAKES_ROOM.includes(point.call) ? "ENOSPC" : "EIO"}`);
}

describe("a disk that fills up", () => {
  it("during a revoke of many secrets refuses it whole, and the revoke goes through once there is room", {
    timeout: 300_000,
  }, async () => {
    const program = template.copy();
    await change(program, async (session) => {
      const writes: PlannedWrite[] = [];
      for (let i = 0; i < MANY; i++) {
        const value = new Secret("x", Buffer.from("a value of no particular length"));
        const { plan } = await planSet(session, parseSecretRef(`group/S${i}`), value, { unsafeName: false });
        writes.push(...plan.writes);
      }
      return writes;
    });
    stage(program);
    writeFileSync(join(program.home, "fill.sh"), FILL);
    const { stdout } = await execa("unshare", ["--mount", "sh", "fill.sh"], {
      cwd: program.home,
      env: { ...program.env, FREE: FREE.join(" ") },
      extendEnv: false,
    });
    const runs = stdout.split("=== ").slice(1);
    expect(runs).toHaveLength(FREE.length + 1);
    for (const run of runs.slice(0, -1)) {
      expect(run).toMatch(/^\d+ KiB free: status 1\n/);
      const [, line = "", hint = "", ...rest] = run.trimEnd().split("\n");
      expect(line).toMatch(
        /^vault-run: (cannot .* \(ENOSPC\): |git (add|commit) failed: no space left on device)/,
      );
      expect(hint).toBe("  free some space and run the command again; nothing was changed");
      expect(rest, run).toEqual([]);
    }
    // Some did not get as far as git, some did.
    expect(stdout).toContain("cannot ");
    expect(stdout).toContain("git ");
    expect(runs.at(-1)).toContain("all free: status 0\n");
    unstage(program);
    expect(await look(program)).toEqual(REVOKE.after);
    await expectTidy(program);
  });
});

describe("a disk that is full once a change is staged", () => {
  it("has what was staged for it taken back all the same", { timeout: 120_000 }, async () => {
    const program = template.copy();
    stage(program);
    writeFileSync(join(program.home, "full.sh"), FULL);
    const { stdout } = await execa("unshare", ["--mount", "sh", "full.sh"], {
      cwd: program.home,
      env: program.env,
      extendEnv: false,
    });
    expect(stdout).toBe("vault-run: git commit failed: no space left on device\nstatus 1");
  });
});

/** Has a hook of `git add` fill the disk. Prints what is not as it was. */
const FULL = `
set -eu
export GIT_OPTIONAL_LOCKS=0
cp -a repo start
mount -t tmpfs -o size=4m tmpfs repo
cp -a start/. repo
mkdir -p repo/.git/hooks
printf '#!/bin/sh\\ncat /dev/zero >.git/filler\\n' >repo/.git/hooks/post-index-change
chmod +x repo/.git/hooks/post-index-change
status=0
said=$(cd repo && vault-run revoke leaves group 2>&1 >/dev/null) || status=$?
echo "$said" | head -1
echo "status $status"
diff -r start/.vault repo/.vault || true
git -C start ls-files --stage >before
git -C repo ls-files --stage | diff before - || true
umount repo
`;

const MANY = 150;
/** KiB that are free: too few for the lock, the journal, the drafts, git's objects, its index. */
const FREE = [0, 4, 100, 400, 800, 1100, 1300, 1500, 1700];
/** Puts the repository on a small disk in memory, and revokes with more and more room. Prints what is not as it was. */
const FILL = `
set -eu
export GIT_OPTIONAL_LOCKS=0
cp -a repo start
mount -t tmpfs -o size=16m tmpfs repo
cp -a start/. repo
seen() { git -C $1 status --porcelain; git -C $1 rev-parse HEAD; git -C $1 ls-files --stage; }
revoke() {
  status=0
  said=$(cd repo && vault-run revoke leaves group 2>&1 >/dev/null) || status=$?
  echo "=== $1 free: status $status"
  echo "$said"
}
for free in $FREE; do
  rm -f repo/.git/filler
  room=$(df -k --output=avail repo | tail -1)
  head -c $(((room - free) * 1024)) /dev/zero >repo/.git/filler
  revoke "$free KiB"
  diff -r start/.vault repo/.vault || true
  [ "$(seen start)" = "$(seen repo)" ] || seen repo
  ls -A repo/.git/vault-run 2>/dev/null || true
done
rm repo/.git/filler
revoke all
cp -a repo out
umount repo
rm -r repo start
mv out repo
`;

describe("two owners at once", () => {
  it("in one clone take turns, and all of it is done", { timeout: 120_000 }, async () => {
    const all = { A: "newer-value-of-A", B: "newer-value-of-B", readers: ["stays", "comes"] };
    const verbs = [REVOKE.verb, GRANT.verb, SET.verb, NEXT.verb];
    await onCopies(template, [1, 2, 3, 4, 5, 6], async (program) => {
      const head = program.git("rev-parse", "HEAD");
      const lines = program.auditLines().length;
      await Promise.all(verbs.map((verb) => mustRun(program, verb)));
      expect(commitsSince(program, head).sort()).toEqual([
        "vault-run: grant group to comes",
        "vault-run: revoke group from leaves",
        "vault-run: set group/A",
        "vault-run: set group/B",
      ]);
      expect(program.auditLines()).toHaveLength(lines + verbs.length);
      expect(await look(program)).toEqual(all);
      await expectTidy(program);
    });
  });

  it.each([
    ["whose process was killed", { pid: 2 ** 22 + 1, started: "1" }],
    ["whose process id is another's now", { pid: process.pid, started: "1" }],
  ])("a lock %s is taken over", async (_, holder) => {
    const program = template.copy();
    lay(program, { host: hostname(), ...holder });
    await mustRun(program, REVOKE.verb);
    expect(await look(program)).toEqual(REVOKE.after);
    await expectTidy(program);
  });

  it("a lock from another host is waited for, then named with the way to remove it, and nothing is changed", {
    timeout: 120_000,
  }, async () => {
    const program = template.copy();
    const before = program.snapshot();
    const lock = lay(program, { host: "elsewhere", pid: 1, started: "1" });
    const { status, stderr } = await program.run(REVOKE.verb.args);
    expect(status).toBe(1);
    expect(stderr).toBe(
      `vault-run: waiting for another vault-run: rekey, process 1\n` +
        "vault-run: another vault-run holds the lock: rekey, process 1 on elsewhere\n" +
        `  wait for it to end; if it is gone, remove ${lock}\n`,
    );
    expect(program.snapshot()).toBe(before);
    rmSync(lock);
    await mustRun(program, REVOKE.verb);
    expect(await look(program)).toEqual(REVOKE.after);
  });
});

function lay(program: Program, holder: { host: string; pid: number; started: string }): string {
  const folder = join(program.repo, ".git/vault-run");
  mkdirSync(folder, { recursive: true });
  const space = readlinkSync("/proc/self/ns/pid");
  const lock = { ...holder, space, doing: "rekey", token: "0".repeat(32) };
  writeFileSync(join(folder, "lock"), JSON.stringify(lock));
  return join(folder, "lock");
}
