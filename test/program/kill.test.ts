import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  BEFORE,
  breakableVault,
  commitsSince,
  expectTidy,
  look,
  mustRun,
  mustRunAgain,
  NEXT,
  OPERATIONS,
  type Operation,
  onCopies,
} from "../fixtures/breakable-vault.ts";
import type { Outcome, Program } from "../fixtures/program.ts";
import { type Point, recordCalls, recordPoints, runBrokenAt } from "../fixtures/system-calls.ts";

// Promise 8, A15. The real program is killed by strace as it enters a system call. Covered: of revoke, the widest
// operation, every call of the first thread that changes the disk (vault, git folder, pins, log); of set, grant and rekey
// every one before the pins, whose code is the same; of add-agent those that make the key file; and of the drafts, which
// other threads write at the same time and whose names are random, every call as the operation is finished, where the
// journal tells the names. Not hit singly: making and writing the draft of a lock, whose name is random too
// (test/vault/lock.test.ts lays such drafts). Git's own calls are hit through a `git` on the PATH that is strace and git:
// each rename and fsync of `git add` and `git commit`, until one run is through.

const template = await breakableVault();
const head = template.git("rev-parse", "HEAD");
const KILL = "signal=KILL";

async function pointsOf({ name, verb }: Operation): Promise<Point[]> {
  const points = await recordPoints(template.copy(), verb);
  if (name === "revoke") return points;
  if (name === "add-agent") return points.filter(({ to }) => to.startsWith(".config"));
  return points.filter(({ to }) => !to.startsWith(".local"));
}

/** Every change that was committed stands in the audit log, once. */
function expectRecorded(program: Program): void {
  const changes = (of: Program) =>
    of.auditLines().filter(({ action }) => !["get", "denied"].includes(action as string)).length;
  expect(changes(program) - changes(template)).toBe(commitsSince(program, head).length);
}

/** Nothing older than what stands there is taken for it again on this machine. */
function expectPinned(program: Program): void {
  const pins = join(program.home, ".local/state/vault-run", program.vaultId, "pins/groups/group.json");
  for (const [path, { serial }] of Object.entries<{ serial: number }>(
    JSON.parse(readFileSync(pins, "utf8")).records,
  )) {
    const record = JSON.parse(readFileSync(join(program.repo, ".vault", path), "utf8"));
    expect(serial, path).toBe(record.serial);
  }
}

async function kill(program: Program, operation: Operation, point: Point): Promise<void> {
  const killed = await runBrokenAt(program, operation.verb, point, KILL);
  expect(killed.signal).toBe("SIGKILL");
}

describe.each(OPERATIONS)("$name, killed at any system call that changes the disk", (operation) => {
  it("is finished or undone by the next verb, and succeeds when it is run again", {
    timeout: 600_000,
  }, async () => {
    const points = await pointsOf(operation);
    expect(points.length).toBeGreaterThan(operation.name === "add-agent" ? 3 : 20);
    const seen = { done: 0, not: 0 };
    await onCopies(template, points, async (program, point) => {
      await kill(program, operation, point);
      await mustRun(program, NEXT.verb);
      const sight = await look(program);
      expect([NEXT.on(BEFORE), NEXT.on(operation.after)]).toContainEqual(sight);
      const isDone = commitsSince(program, head).length === 2;
      expect(sight).toEqual(NEXT.on(isDone ? operation.after : BEFORE));
      seen[isDone ? "done" : "not"]++;
      expectRecorded(program);
      await mustRunAgain(program, operation, isDone);
      expect(await look(program)).toEqual(NEXT.on(operation.after));
      await expectTidy(program);
    });
    expect(seen.done).toBeGreaterThan(0);
    expect(seen.not).toBeGreaterThan(0);
  });
});

describe("an operation", () => {
  it("is durable step by step: its journal, its drafts, its files, its commit, and only then has no journal", async () => {
    const program = template.copy();
    const verb = { args: ["set", "new/A"], input: "value-of-new" };
    const calls = await recordCalls(program, verb, ["fsync", "rename", "unlink", "mkdir", "link"]);
    const order = [
      /^fsync .*\.git\/vault-run\/journal\.json\.new$/,
      /^rename .*journal\.json$/,
      /^fsync .*\.git\/vault-run$/,
      /^mkdir .*\.vault\/groups\/new$/,
      /^fsync .*\.vault\/\.draft-TOKEN-1$/,
      /^rename .*\.vault\/groups\/new\/secrets\/A\.json$/,
      /^fsync .*\.vault\/groups$/,
      /^fsync .*\.git\/refs\/heads\/main\.lock$/,
      /^rename .*\.git\/refs\/heads\/main$/,
      /^unlink .*journal\.json$/,
    ].map((step) => calls.findIndex((call) => step.test(call)));
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    // No name is changed before the journal is durable, but the lock's.
    const early = calls.slice(0, order[2]).filter((call) => !/vault-run\/(lock|journal)/.test(call));
    expect(early).toEqual([]);
  });
});

describe("finishing a revoke, killed itself at any system call that changes the disk", () => {
  const [revoke] = OPERATIONS as [Operation];

  it("is finished by the verb after it", { timeout: 600_000 }, async () => {
    const half = await halfRevoked();
    const journal = JSON.parse(readFileSync(join(half.repo, ".git/vault-run/journal.json"), "utf8"));
    const drafts = journal.writes.flatMap((_: unknown, index: number) =>
      ["openat", "write", "fsync"].map((call) => {
        const path = `repo/.vault/.draft-${journal.token}-${index}`;
        return { call, when: 1, path, to: path };
      }),
    );
    const taking = (await recordPoints(half.copy(), NEXT.verb)).filter(
      ({ call, to }) =>
        ["mkdir", "rmdir"].includes(call) || to.includes("lock") || to.endsWith("journal.json"),
    );
    expect(taking.length).toBeGreaterThan(5);
    await onCopies(half, [...drafts, ...taking], async (program, point) => {
      const killed = await runBrokenAt(program, NEXT.verb, point, KILL, drafts.includes(point));
      expect(killed.signal).toBe("SIGKILL");
      await mustRun(program, NEXT.verb);
      expect(await look(program)).toEqual(NEXT.on(revoke.after));
      expectRecorded(program);
      // Where the killed verb was done but for the lock on the pins, the same again writes nothing: another takes it over.
      await program.must(["add-agent", "another"]);
      await expectTidy(program);
    });
  });

  it("is named with the next step where a file was changed meanwhile, and finished once that is mended", async () => {
    const program = await halfRevoked();
    const file = ".vault/groups/group/secrets/A.json";
    writeFileSync(join(program.repo, file), "someone's own");
    const { status, stderr } = await program.run(NEXT.verb.args, { input: NEXT.verb.input });
    expect(status).toBe(1);
    expect(stderr).toContain(`revoke group from leaves) cannot be finished, a file changed since: ${file}\n`);
    expect(stderr).toContain("restore that file with git and run the command again, or remove ");
    expect(readFileSync(join(program.repo, file), "utf8")).toBe("someone's own");
    program.git("checkout", "--", file);
    await mustRun(program, NEXT.verb);
    expect(await look(program)).toEqual(NEXT.on(revoke.after));
    await expectTidy(program);
  });

  it("is pinned, also by a verb that reads nothing of it: no older group is sealed to again (A14, promise 7)", async () => {
    const program = await halfRevoked();
    await program.must(["add-agent", "another"]);
    expectPinned(program);
  });

  it("works in a clone that was moved to another folder since", async () => {
    const program = await halfRevoked();
    const moved = `${program.repo}-moved`;
    renameSync(program.repo, moved);
    await program.must(NEXT.verb.args, { input: NEXT.verb.input, cwd: moved });
    renameSync(moved, program.repo);
    expect(await look(program)).toEqual(NEXT.on(revoke.after));
    await expectTidy(program);
  });

  /** A vault whose revoke was killed before its third file was in place. */
  async function halfRevoked(): Promise<Program> {
    const program = template.copy();
    const killed = await runBrokenAt(program, revoke.verb, { call: "rename", when: 4 }, KILL);
    expect(killed.signal).toBe("SIGKILL");
    return program;
  }
});

describe.each([
  { how: "alone", calls: ["rename"] },
  { how: "with everything else", calls: ["rename", "fsync"] },
])("git, killed $how at its n-th system call during a revoke", ({ how, calls }) => {
  const [revoke] = OPERATIONS as [Operation];
  const kinds = ["add", "commit"].flatMap((verb) => calls.map((call) => ({ verb, call })));

  it("leaves what is the vault before or after, and its lock is named", { timeout: 600_000 }, async () => {
    let killed = 0;
    let locked = 0;
    await onCopies(template, kinds, async (_, kind) => {
      for (let when = 1; ; when++) {
        const program = template.copy();
        const outcome = await withKilledGit(program, revoke, { ...kind, when }, how !== "alone");
        if (outcome.status === 0 && !existsSync(join(program.home, "killed"))) return;
        killed++;
        if (how === "alone") {
          expect(outcome.stderr.split("\n").length, outcome.stderr).toBeLessThanOrEqual(3);
          expect(await look(program)).toEqual(outcome.status === 0 ? revoke.after : BEFORE);
        }
        if (!(await mustRunOrNameLock(program))) locked++;
        const isDone = commitsSince(program, head).length === 2;
        expect(await look(program)).toEqual(NEXT.on(isDone ? revoke.after : BEFORE));
        await mustRun(program, revoke.verb);
        expect(await look(program)).toEqual(NEXT.on(revoke.after));
        await expectTidy(program);
        rmSync(program.home, { recursive: true });
      }
    });
    expect(killed).toBeGreaterThan(calls.length * 2);
    expect(locked).toBeGreaterThan(0);
  });
});

interface GitPoint {
  readonly verb: string;
  readonly call: string;
  readonly when: number;
}

/** Runs the operation with a git that strace kills there; with `all` the program and the other processes too. */
async function withKilledGit(
  program: Program,
  { verb }: Operation,
  point: GitPoint,
  all: boolean,
): Promise<Outcome> {
  const bin = join(program.home, "bin");
  mkdirSync(bin, { recursive: true });
  const inject = `inject=${point.call}:${KILL}:when=${point.when}`;
  const script = `#!/bin/sh
case " $* " in *" ${point.verb} "*) ;; *) exec /usr/bin/git "$@" ;; esac
strace -o /dev/null -e trace=${point.call} -e ${inject} /usr/bin/git "$@"
status=$?
[ $status = 137 ] || exit $status
: >"${program.home}/killed"
${all ? "kill -KILL 0" : "exit 137"}
`;
  writeFileSync(join(bin, "git"), script, { mode: 0o755 });
  const env = { PATH: `${bin}:${program.env.PATH}` };
  const outcome = await program.run(verb.args, { env, detached: all });
  rmSync(bin, { recursive: true });
  return outcome;
}

/** The next verb. A git that was killed leaves its lock, which is named, and which a person removes. */
async function mustRunOrNameLock(program: Program): Promise<boolean> {
  const { status, stderr } = await program.run(NEXT.verb.args, { input: NEXT.verb.input });
  if (status === 0) return true;
  const locks = readdirSync(join(program.repo, ".git"), { recursive: true, encoding: "utf8" });
  const left = locks.filter((name) => name.endsWith(".lock"));
  expect(
    left.some((name) => stderr.includes(join(program.repo, ".git", name))),
    stderr,
  ).toBe(true);
  for (const name of left) rmSync(join(program.repo, ".git", name));
  await mustRun(program, NEXT.verb);
  return false;
}
