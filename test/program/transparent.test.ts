import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, it } from "vitest";
import { crawlerTemplate } from "../fixtures/crawler.ts";
import type { Program } from "../fixtures/program.ts";
import { compared, type Kind, onStand, type Sent, type Stand, tiny } from "../fixtures/stand.ts";

// A program under vault-run and the same program alone: what their parent sees of them, and what they see, is the same.

const template = await crawlerTemplate();
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const KINDS: readonly Kind[] = ["pipe", "file", "tty", "null"];
const DEADLY =
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT XCPU XFSZ VTALRM PROF IO PWR SYS".split(
    " ",
  );
/** Those that have other uses on a terminal. */
const FOR_JOBS = ["SIGURG", "SIGTSTP", "SIGCONT"];
const HANDLED = [
  "TERM",
  "INT",
  "HUP",
  "QUIT",
  "USR1",
  "WINCH",
  "ALRM",
  "VTALRM",
  "PROF",
  "IO",
  "PWR",
  "USR2",
].map((name) => `SIG${name}`);

async function same(stand: Stand, command: readonly string[], ...options: string[]): Promise<void> {
  const { alone, launched } = await compared(program, stand, command, ...options);
  const { took: _, ...expected } = alone;
  expect(launched).toMatchObject(expected);
  expect(alone.unsent).toBe(0);
}

const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  "that exits with 0": tiny("exits", 0),
  "that exits with 42": tiny("exits", 42),
  "that prints 70,000 bytes and exits at once": tiny("prints_and_exits", 70_000),
  "that closes its standard output and goes on": tiny("closes_stdout"),
  "that leaves an orphan": tiny("orphans"),
  "that reads to the end": tiny("reads"),
  "that shows its environment, descriptors, dispositions, blocking and core dump filter": tiny("dumps"),
};

describe("the same as alone (promise 12)", () => {
  for (const kind of KINDS) {
    it.each(Object.entries(PROGRAMS))(`a program %s, on a ${kind}`, async (_, command) => {
      const typed = command.includes("reads") ? "one\ntwo\n\u0004" : "";
      const input = kind === "tty" ? typed : "one\ntwo\n".repeat(30_000);
      await same({ stdin: kind, stdout: kind, stderr: kind, input }, command);
    });
  }

  it.each(KINDS)("a program that is handed over, on a %s", async (kind) => {
    await same({ stdin: kind, stdout: kind, stderr: kind }, tiny("dumps"), "--no-redact");
  });

  const mixes = KINDS.flatMap((stdin) =>
    KINDS.flatMap((stdout) => KINDS.map((stderr) => ({ stdin, stdout, stderr }))),
  );
  it.each(mixes)("a program on $stdin, $stdout and $stderr", async (streams) => {
    const input = streams.stdin === "tty" ? "typed\n\u0004" : "given";
    const script = 'echo ready >> "$LOG"; cat; echo out; echo err >&2; exit 6';
    await same({ ...streams, input }, ["sh", "-c", script]);
  });

  it.each(DEADLY)("a program that dies by %s", async (signal) => {
    await same({}, tiny("dies", `SIG${signal}`));
    await same({ stdout: "tty" }, tiny("dies", `SIG${signal}`));
    await same({}, tiny("dies", `SIG${signal}`), "--no-redact");
  });

  it("a program that prints 100 MB", async () => {
    await same({}, tiny("prints_and_exits", 100_000_000));
    await same({ stdout: "file" }, tiny("prints_and_exits", 100_000_000));
    await same({ stdout: "pipe", stderr: "stdout" }, tiny("prints_and_exits", 100_000_000));
    await same({}, tiny("prints_and_exits", 100_000_000), "--no-redact");
  });

  it.each([
    [[[3, "file"]]],
    [[[3, "null"]]],
    [[[3, "pipe"]]],
    [[[3, "pipes"]]],
    [[[5, "file"]]],
    [[[9, "file"]]],
    [
      [
        [3, "pipes"],
        [5, "file"],
        [9, "file"],
        [20, "file"],
      ],
    ],
    [
      [
        [15, "file"],
        [16, "file"],
        [17, "file"],
      ],
    ],
  ] as [Stand["hold"] & object][])("a program that finds descriptors open: %j", async (hold) => {
    const numbers = Array.from({ length: 22 }, (_, i) => i + 3);
    for (const kind of ["pipe", "tty"] as const)
      for (const options of [[], ["--no-redact"]])
        await same({ stdout: kind, stderr: kind, hold }, tiny("holds", ...numbers), ...options);
  });

  it("a program whose two outputs are one: their order is kept, and they can be opened by path", async () => {
    for (const kind of ["pipe", "file"] as const) {
      await same({ stdout: kind, stderr: "stdout" }, tiny("both"));
      await same({ stdout: kind, stderr: "stdout" }, tiny("by_path"));
    }
    await same({ stdout: "tty", stderr: "tty" }, tiny("by_path"));
  });

  it("a program with an environment in which nothing is usual", async () => {
    const odd = {
      "a.b": "dots",
      "x-y": "dash",
      EMPTY: "",
      SPACES: "a  b\n\tc",
      ÜMLAUT: "ä€😀",
      lower: "case",
    };
    const words = Object.entries(odd).map(([name, value]) => `${name}=${value}`);
    const shown = ["python3", "-c", "import os, json; print(json.dumps(sorted(os.environ.items())))"];
    const alone = await onStand(program, {}, ["env", ...words, ...shown]);
    for (const options of [[], ["--no-redact"]]) {
      const launch = [
        "vault-run",
        "--agent",
        "crawler",
        "--quiet",
        "--env",
        "A=stripe/API_KEY",
        ...options,
        "--",
      ];
      const { outputs } = await onStand(program, {}, ["env", ...words, ...launch, ...shown]);
      const others = JSON.parse(outputs.stdout?.text ?? "").filter(([name]: [string]) => name !== "A");
      expect(others).toEqual(JSON.parse(alone.outputs.stdout?.text ?? ""));
    }
  });
});

describe("each signal exactly once, at once", () => {
  const sent = (names: readonly string[]): Sent[] => names.map((signal) => ({ signal, expect: signal }));

  it.each([
    ["without a terminal", {}, [...FOR_JOBS, ...HANDLED], []],
    ["without a terminal, not redacted", {}, [...FOR_JOBS, ...HANDLED], ["--no-redact"]],
    [
      "without a terminal, supervised and not redacted",
      {},
      HANDLED,
      ["--no-redact", "--file", "F=stripe/API_KEY"],
    ],
    // The keyboard sends the others there: below.
    [
      "on a terminal, through pipes",
      { tty: true },
      HANDLED.filter((name) => !["SIGINT", "SIGQUIT", "SIGWINCH"].includes(name)),
      [],
    ],
    ["on a pseudo-terminal", { stdout: "tty" as const }, ["SIGTSTP", "SIGCONT", ...HANDLED], []],
  ])("%s", async (_, stand, names, options) => {
    const { alone, launched } = await compared(
      program,
      { ...stand, send: sent(names) },
      tiny("listens", ...names),
      ...options,
    );
    expect(alone.log).toBe(["ready", ...names].join("\n"));
    expect(launched).toMatchObject({ log: alone.log, status: 9, unsent: 0 });
    expect(launched.took - alone.took).toBeLessThan(1);
  });

  it.each([
    ["through pipes", {}, []],
    ["on a pseudo-terminal", { stdout: "tty" as const, stderr: "tty" as const, stdin: "tty" as const }, []],
    ["not redacted", { stdout: "tty" as const }, ["--no-redact"]],
  ])("from a terminal's keyboard, %s", async (_, stand, options) => {
    const send: Sent[] = [
      { type: "\u0003", expect: "SIGINT" },
      { type: "\u001c", expect: "SIGQUIT" },
      { resize: [30, 100], expect: "SIGWINCH" },
      { signal: "SIGUSR2", expect: "SIGUSR2" },
    ];
    const command = tiny("listens", "SIGINT", "SIGQUIT", "SIGWINCH");
    const { alone, launched } = await compared(program, { tty: true, ...stand, send }, command, ...options);
    expect(alone.log).toBe("ready\nSIGINT\nSIGQUIT\nSIGWINCH\nSIGUSR2");
    expect(launched).toMatchObject({ log: alone.log, status: 9, unsent: 0 });
  });

  it.each([
    ["through pipes", {}, []],
    ["on a pseudo-terminal", { stdout: "tty" as const, stderr: "tty" as const, stdin: "tty" as const }, []],
    ["supervised, not redacted", {}, ["--no-redact", "--file", "F=stripe/API_KEY"]],
  ])("from a terminal that hangs up, %s", async (_, stand, options) => {
    const command = tiny("hears", "SIGHUP", 1);
    const { alone, launched } = await compared(
      program,
      { tty: true, ...stand, send: [{ hangUp: true }] },
      command,
      ...options,
    );
    expect(alone.log).toBe("ready\nSIGHUP\nend");
    // On a pseudo-terminal vault-run ends with its terminal, before the program does.
    expect(launched.log.replace(/\nend$/, "")).toBe("ready\nSIGHUP");
  });

  it("and a program that ignores TERM is left to end by itself", async () => {
    await same({ send: [{ signal: "SIGTERM" }] }, tiny("ignores_term"));
  });

  it("to all of its group where there is no terminal", async () => {
    const script =
      "import os, signal, sys, time; os.fork(); signal.signal(15, lambda *_: (open(os.environ['LOG'], 'a').write('one\\n'), sys.exit(0))); time.sleep(0.3); open(os.environ['LOG'], 'a').write('ready\\n'); time.sleep(20)";
    const seen = await onStand(program, { send: [{ signal: "SIGTERM" }] }, [
      ...["vault-run", "--agent", "crawler", "--", "python3", "-c", script],
    ]);
    expect(seen.log.split("\n").filter((line) => line === "one")).toHaveLength(2);
  });
});

/** As large as an argument vector may be where the stack has 8 MiB, but for the last few thousand bytes. */
const LARGE = ["true", ...Array.from({ length: 20 }, () => "x".repeat(104_500))];

describe("handing over", () => {
  it("leaves nothing: the process itself becomes the program", async () => {
    const script = `echo $$ $PPID; tr '\\0' ' ' < /proc/$$/cmdline; ls /proc/$$/task | wc -l`;
    const child = program.start(["--agent", "crawler", "--no-redact", "--", "sh", "-c", script]);
    const { stdout } = await child;
    expect(String(stdout).split("\n")[0]).toBe(`${child.pid} ${process.pid}`);
    expect(String(stdout)).toMatch(/\nsh -c .*1\n$/s);
  });

  it("calls the program as a launch without it does", async () => {
    writeFileSync(join(program.repo, "names.sh"), '#!/bin/sh\necho "$0" "$@"\n', { mode: 0o755 });
    const path = `${program.repo}:${program.env.PATH}`;
    for (const command of [
      ["./names.sh", "a b"],
      ["names.sh"],
      ["sh", "-c", 'echo "$0" "$1"', "zero", "one"],
    ]) {
      const run = (...options: string[]) =>
        program.run(["--agent", "crawler", ...options, "--", ...command], { env: { PATH: path } });
      expect((await run("--no-redact")).stdout).toBe((await run()).stdout);
    }
  });

  it("is recorded like any other launch (promise 11)", async () => {
    const { stdout } = await program.run([
      ...["--agent", "crawler", "--no-redact", "--", "grep", "-c", '"action":"launch"', program.auditLog],
    ]);
    expect(stdout).toBe("1\n");
  });

  it("gives values as they are and prints nothing of its own", async () => {
    const { stdout, stderr } = await program.run([
      ...["--agent", "crawler", "--no-redact", "--", "printenv", "API_KEY"],
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: "sk_live_51HabcdefghijKLMNOP\n", stderr: "" });
  });

  it("leaves the standard streams as they were, also where something had to be said", async () => {
    const command = ["env", "API_KEY=parents", "vault-run", "--agent", "crawler", "--no-redact", "--"];
    const alone = await onStand(program, {}, tiny("dumps"));
    const launched = await onStand(program, {}, [...command, ...tiny("dumps")]);
    expect(launched.outputs.stderr?.text).toContain("is replaced by stripe/API_KEY");
    expect(launched.outputs.stdout?.text).toBe(alone.outputs.stdout?.text);
  });

  it("happens also where nobody can be told anything", async () => {
    const script = "API_KEY=parents vault-run --agent crawler --no-redact -- sh -c 'exit 7' 2> /dev/full";
    const settings = { cwd: program.repo, env: program.env, extendEnv: false, reject: false };
    expect((await execa("sh", ["-c", script], settings)).exitCode).toBe(7);
  });

  it.each([
    ["secrets are delivered through descriptors", ["--file", "F=stripe/API_KEY"], ["true"]],
    ["it is neither a program for this machine nor a script with a #! line", [], ["./plain"]],
    ["it is neither a program for this machine nor a script with a #! line", [], ["./lost"]],
    ["it is neither a program for this machine nor a script with a #! line", [], ["./foreign"]],
    ["its arguments and environment are near what the system takes", [], LARGE],
  ])("says where it cannot be: %s", async (why, options, command) => {
    const file = (name: string, bytes: string | Uint8Array) =>
      writeFileSync(join(program.repo, name), bytes, { mode: 0o755 });
    file("plain", "exit 0\n");
    file("lost", "#!/no/such/interpreter\n");
    const foreign = readFileSync("/bin/true");
    foreign.writeUInt16LE(0x1234, 18);
    file("foreign", foreign);
    const { status, stderr } = await program.run([
      "--agent",
      "crawler",
      "--no-redact",
      ...options,
      "--",
      ...command,
    ]);
    expect(stderr).toContain(`vault-run: --no-redact: the program is supervised, not handed over: ${why}\n`);
    // What execvp(3) does with them: a program for another machine is tried as a script.
    const expected: Record<string, number> = { "./lost": 127, "./foreign": 2 };
    expect(status, stderr).toBe(expected[command[0] ?? ""] ?? 0);
  });

  it("does not happen where the program is not there", async () => {
    expect((await program.run(["--agent", "crawler", "--no-redact", "--", "no-such"])).status).toBe(127);
    expect((await program.run(["--agent", "crawler", "--no-redact", "--", program.repo])).status).toBe(126);
  });

  it("is refused together with what needs the output", async () => {
    for (const words of [
      ["--tty", "pty"],
      ["--on-leak", "kill"],
    ]) {
      const { status, stderr } = await program.run([
        "--agent",
        "crawler",
        "--no-redact",
        ...words,
        "--",
        "true",
      ]);
      expect(status).toBe(125);
      expect(stderr).toContain(`${words.join(" ")} needs the output, which --no-redact leaves alone`);
    }
  });
});
