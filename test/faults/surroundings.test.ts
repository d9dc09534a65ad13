import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { mustRun } from "../fixtures/breakable-vault.ts";
import type { Outcome, Program } from "../fixtures/program.ts";
import { FaultyLibc } from "./faulty.ts";
import { expectClear, expectSound, LAUNCH, sharedVault, TASKS, type Task } from "./tasks.ts";

// What the program finds around it: a git that is missing, old or refuses, a home that takes nothing, a clock that leaps, and others
// who work at the same time.

const template = await sharedVault();
const libc = await FaultyLibc.build();
const OWNERS = TASKS.filter((task) => task !== LAUNCH);
/** Of those that differ in nothing that matters there, a few are enough in each run. */
const SOME =
  process.env.FAULTS === undefined
    ? OWNERS.filter(({ name }) => /^(revoke|audit push|sync)$/.test(name))
    : OWNERS;
const YEARS_S = 365 * 24 * 3600;
const LATE_US = 5000;

/** A folder for the front of the PATH, with this in the place of git. */
function gitInstead(program: Program, script: string): { PATH: string } {
  const bin = join(program.home, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "git"), `#!/bin/sh\n${script}`, { mode: 0o755 });
  return { PATH: `${bin}:${program.env.PATH}` };
}

const run = (program: Program, { verb }: Task, env: Record<string, string> = {}) =>
  program.run(verb.args, { input: verb.input ?? "", env });

async function expectRefused(program: Program, task: Task, outcome: Outcome, before: string): Promise<void> {
  expect(outcome.status, outcome.stderr).toBe(1);
  expectClear(outcome);
  expect(program.snapshot()).toBe(before);
  await expectSound(program, task, outcome);
}

describe("without git", () => {
  const bare = (program: Program) => {
    const bin = join(program.home, "bin");
    mkdirSync(bin);
    for (const name of ["sh", "sha256sum", "env"]) symlinkSync(`/usr/bin/${name}`, join(bin, name));
    return { PATH: `${program.env.PATH?.split(":")[0]}:${bin}` };
  };

  it("a launch is as with it", async () => {
    const program = template.copy();
    const outcome = await run(program, LAUNCH, bare(program));
    expect(outcome.status).toBe(0);
    await expectSound(program, LAUNCH, outcome);
  });

  it.each(SOME)("$name says so, and changes nothing", async (task) => {
    const program = template.copy();
    const before = program.snapshot();
    const outcome = await run(program, task, bare(program));
    expect(outcome.stderr).toContain("vault-run: git was not found\n  install git 2.25 or later");
    await expectRefused(program, task, outcome, before);
  });
});

describe("with a git that is older than what is needed", () => {
  // What 2.25 brought.
  const OLD = `case " $* " in
*" --pathspec-from-file"*) echo "error: unknown option: pathspec-from-file" >&2; exit 129 ;;
*" --version "*) echo "git version 2.10.0"; exit 0 ;;
esac
exec /usr/bin/git "$@"
`;
  it.each(SOME)(
    "$name is refused with the one it needs, or does without, and changes nothing",
    async (task) => {
      const program = template.copy();
      const before = program.snapshot();
      const outcome = await run(program, task, gitInstead(program, OLD));
      if (outcome.status === 0 && ["audit push", "sync"].includes(task.name))
        return expectSound(program, task, outcome);
      expect(outcome.stderr).toContain("nothing was changed; install git 2.25 or later\n");
      await expectRefused(program, task, outcome, before);
    },
  );
});

describe("with a hook that refuses", () => {
  const hooks = (program: Program, ...names: string[]) => {
    for (const name of names)
      writeFileSync(join(program.repo, ".git/hooks", name), '#!/bin/sh\necho "no, not today" >&2\nexit 1\n', {
        mode: 0o755,
      });
    return () => {
      for (const name of names) rmSync(join(program.repo, ".git/hooks", name));
    };
  };

  it.each(OWNERS)("$name is refused whole, or has no need of it", async (task) => {
    const program = template.copy();
    const before = program.snapshot();
    const remove = hooks(
      program,
      "pre-commit",
      "commit-msg",
      "pre-push",
      "reference-transaction",
      "pre-rebase",
    );
    const outcome = await run(program, task);
    remove();
    if (outcome.status === 0) await expectSound(program, task, outcome);
    else await expectRefused(program, task, outcome, before);
  });

  it.each(SOME)("$name is made, where it comes afterwards", async (task) => {
    const program = template.copy();
    const remove = hooks(program, "post-commit", "post-rewrite", "post-merge", "post-checkout");
    const outcome = await run(program, task);
    remove();
    expect(outcome.status, outcome.stderr).toBe(0);
    await expectSound(program, task, outcome);
  });
});

describe("in a home", () => {
  /** The verb where the folders of keys and state were made what they cannot stay. */
  const within = async (program: Program, task: Task, prepare: string): Promise<Outcome> => {
    const script = `set -e; ${prepare}; exec vault-run "$@"`;
    const { exitCode, signal, stdout, stderr } = await execa(
      "unshare",
      ["--mount", "sh", "-c", script, "sh", ...task.verb.args],
      { cwd: program.repo, env: program.env, extendEnv: false, reject: false, input: task.verb.input ?? "" },
    );
    return { status: exitCode, signal, stdout: stdout === "" ? "" : `${stdout}\n`, stderr };
  };
  const READ_ONLY = 'mount --bind "$HOME" "$HOME"; mount -o remount,bind,ro "$HOME"; cd "$HOME/repo"';
  const FULL = `cp -a "$HOME/.local" "$HOME/kept"; mount -t tmpfs -o size=256k tmpfs "$HOME/.local"; cp -a "$HOME/kept/." "$HOME/.local"
    rm -r "$HOME/kept"; cat /dev/zero >"$HOME/.local/filler" 2>/dev/null || true`;

  it.each([LAUNCH, ...SOME])("that is read-only, $name is refused and changes nothing", async (task) => {
    const program = template.copy();
    const before = program.snapshot();
    const outcome = await within(program, task, READ_ONLY);
    expect(outcome.status, outcome.stderr).toBe(task === LAUNCH ? 125 : 1);
    expectClear(outcome);
    expect(program.snapshot()).toBe(before);
    await expectSound(program, task, outcome);
  });

  it.each(TASKS)("whose state is on a full disk, $name is whole or refused", async (task) => {
    const program = template.copy();
    const outcome = await within(program, task, FULL);
    expectClear(outcome);
    // With `required` no record is no value.
    if (task === LAUNCH) expect(outcome.status).toBe(125);
    await expectSound(program, task, outcome);
  });
});

describe("with a wall clock that leaps", () => {
  it.each([
    ["ten years on", 10 * YEARS_S],
    ["ten years back", -10 * YEARS_S],
  ])(
    "%s in the middle, everything is done, and goes on when the clock is right again",
    { timeout: 600_000 },
    async (_, leap) => {
      for (const task of TASKS) {
        const program = template.copy();
        const calls = await libc.record(template.copy(), task.verb);
        const outcome = await libc.runWithLeap(program, task.verb, Math.floor(calls.length / 2), leap);
        expect(outcome.status, `${task.name}: ${outcome.stderr}`).toBe(0);
        await expectSound(program, task, outcome);
      }
    },
  );
});

/** Three who work at the same time. */
const others = (program: Program) => [
  mustRun(program, { args: ["--agent", "stays", "--quiet", "--", "true"] }),
  mustRun(program, { args: ["set", "other/B"], input: "value-of-other" }),
  mustRun(program, { args: ["audit", "push"] }),
];
/** Others push what these push. */
const ALONE: readonly string[] = ["sync", "audit push"];

describe("on a disk that answers late, as one in the network does", () => {
  it.each([LAUNCH, ...SOME])("$name is whole, beside others or alone", async (task) => {
    const program = template.copy();
    const beside = ALONE.includes(task.name) ? [] : others(program);
    const [outcome] = await Promise.all([libc.runLate(program, task.verb, LATE_US), ...beside]);
    expect(outcome.status, outcome.stderr).toBe(0);
    await expectSound(program, task, outcome);
  });
});

describe("beside another verb at the same moment", () => {
  const pairs = TASKS.filter(({ name }) => !ALONE.includes(name)).map((task) => [task.name, task] as const);

  it.each(pairs)("%s is whole, as is a launch, a set and a push of the log", async (_, task) => {
    const program = template.copy();
    const [outcome] = await Promise.all([run(program, task), ...others(program)]);
    expect(outcome.status, outcome.stderr).toBe(0);
    await expectSound(program, task, outcome);
  });
});
