import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";

// What a launch asks of the system, all of it, as strace sees it.

const VALUES = {
  env: "sk_live_51HabcdefghijKLMNOP",
  file: "value-for-a-file-0123456789",
  pipe: "value-for-a-pipe-0123456789",
};
const template = await Program.template(async (made) => {
  await made.must(["init"]);
  await made.must(["add-agent", "crawler"]);
  await made.set("stripe/API_KEY", VALUES.env);
  await made.set("stripe/FILE", VALUES.file);
  await made.set("stripe/PIPE", VALUES.pipe);
  await made.must(["grant", "crawler", "stripe"]);
});
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const PRINT = 'echo "$API_KEY"; cat "$FILE"';
const ALL = ["--file", "FILE=stripe/FILE"];
const MEMORY = /^(pipe:\[|socket:\[|UNIX|\/dev\/shm\/#\d+|\/memfd:|\/dev\/pts\/|\/dev\/ptmx)/;

interface Call {
  readonly pid: string;
  readonly name: string;
  readonly text: string;
}

async function trace(
  options: readonly string[],
  script: string,
  before = "true",
): Promise<{ calls: Call[]; stdout: string }> {
  const output = join(program.home, "trace");
  const strace = [
    "strace",
    "-ff",
    "-y",
    "-s",
    "4096",
    "-o",
    output,
    "-e",
    "trace=!futex,mprotect,mmap,munmap,madvise",
  ];
  const launch = ["vault-run", "--agent", "crawler", "--quiet", ...options, "--", "sh", "-c", script];
  const settings = { cwd: program.repo, env: program.env, extendEnv: false };
  const args = ["--mount", "sh", "-c", `${before}; exec "$@"`, "sh", ...strace, ...launch];
  const { stdout } = await execa("unshare", args, settings);
  const files = readdirSync(program.home).filter((name) => name.startsWith("trace."));
  const calls = files.flatMap((name) => {
    const lines = readFileSync(join(program.home, name), "latin1").split("\n");
    return lines.flatMap((line) => parseCall(line, name.slice("trace.".length)));
  });
  expect(calls.length).toBeGreaterThan(300);
  return { calls, stdout };
}

function parseCall(line: string, pid: string): Call[] {
  const match = /^([a-z0-9_]+)(\(.*)$/.exec(line);
  return match === null ? [] : [{ pid, name: match[1] ?? "", text: match[2] ?? "" }];
}

interface Way {
  readonly name: string;
  readonly options: readonly string[];
  readonly before?: string;
  /** What is started beside the program's own processes, and by which of ours. */
  readonly starts: "the program" | "a terminal's shells" | "nothing: it becomes the program";
}
const WAYS: readonly Way[] = [
  { name: "a variable", options: [], starts: "the program" },
  { name: "a variable and a file", options: ALL, starts: "the program" },
  {
    name: "a variable, a file and a pipe",
    options: [...ALL, "--pipe", "PIPE=stripe/PIPE"],
    starts: "the program",
  },
  {
    name: "a file where there is no /dev/shm",
    options: ALL,
    before: "mkdir -p disk; mount --bind disk /dev/shm",
    starts: "the program",
  },
  {
    name: "a variable, a file and a pipe, on a terminal",
    options: ["--tty", "pty", ...ALL, "--pipe", "PIPE=stripe/PIPE"],
    starts: "a terminal's shells",
  },
  { name: "a variable, not redacted", options: ["--no-redact"], starts: "nothing: it becomes the program" },
  { name: "a file, not redacted", options: ["--no-redact", ...ALL], starts: "the program" },
];

describe.each(WAYS)("a launch that delivers by $name", ({ options, before, starts }) => {
  const isRedacted = !options.includes("--no-redact");
  const script = options.includes("--pipe")
    ? `${PRINT}; cat "$PIPE"`
    : options.includes("--file")
      ? PRINT
      : 'echo "$API_KEY"';

  it("writes no value but into pipes, socket pairs, pseudo-terminals, files in memory and the program's environment (promise 1, A17)", async () => {
    const { calls, stdout } = await trace(options, script, before);
    if (isRedacted) expect(stdout).toContain("[REDACTED:stripe/API_KEY]");
    const values = Object.values(VALUES);
    const holding = calls.filter(({ text }) => values.some((value) => text.includes(value)));
    expect(holding.length).toBeGreaterThan(0);
    const written = holding.filter(({ name }) => !/^(read|readv|pread64|recvfrom|recvmsg)$/.test(name));
    expect(written.length).toBeGreaterThan(0);
    for (const { name, text } of written) {
      expect(name).toMatch(/^(write|writev|pwrite64|sendmsg|sendto)$/);
      expect(/^\(\d+<([^>]*)>/.exec(text)?.[1], `${name}${text}`).toMatch(MEMORY);
    }
  });

  it("makes no file but its log and its pins (promise 1)", async () => {
    const { calls } = await trace(options, script, before);
    const own = join(program.home, ".local/state/vault-run");
    const making = calls.filter(
      ({ name, text }) =>
        /^(creat|mkdir|mkdirat|rename|renameat2?|link|linkat|symlink|symlinkat|mknod|mknodat)$/.test(name) ||
        (/^openat?$/.test(name) && /O_CREAT|O_TMPFILE/.test(text)),
    );
    expect(making.length).toBeGreaterThan(0);
    for (const { name, text } of making) {
      const paths = [...text.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? "");
      const isUnnamed = /O_TMPFILE/.test(text) && paths[0] === "/dev/shm";
      // A shell's way to open what is there.
      const isDevice = /^\/dev\/(null|pts\/\d+)$/.test(paths[0] ?? "");
      expect(isUnnamed || isDevice || paths.every((path) => path.startsWith(own)), `${name}${text}`).toBe(
        true,
      );
    }
  });

  it("opens no socket but pairs, and starts no process but the program", async () => {
    const { calls } = await trace(options, script, before);
    expect(calls.filter(({ name }) => name === "socket" || name === "connect" || name === "bind")).toEqual(
      [],
    );
    for (const { text } of calls.filter(({ name }) => name === "socketpair"))
      expect(text).toContain("AF_UNIX");
    const started = calls.filter(({ name, text }) => name === "execve" && text.endsWith(" = 0"));
    const programs = started.map(({ pid, text }) => ({
      pid,
      name: /"([^"]*)"/.exec(text)?.[1]?.split("/").pop(),
    }));
    const own = programs.find(({ name }) => name === "node")?.pid;
    const forks = calls.filter(
      ({ pid, name, text }) =>
        pid === own && /^(fork|vfork|clone|clone3)$/.test(name) && !text.includes("CLONE_THREAD"),
    );
    const others = programs.filter(({ pid, name }) => pid !== own && name !== "cat").map(({ name }) => name);
    const inOwn = programs.filter(({ pid }) => pid === own).map(({ name }) => name);
    if (starts === "nothing: it becomes the program") {
      // What it forks then is its own.
      expect({ inOwn, others }).toEqual({ inOwn: ["vault-run", "node", "sh"], others: [] });
    } else {
      // The leader of a terminal's session starts twice and runs the program.
      const expected = starts === "the program" ? ["sh"] : ["sh", "sh", "sh"];
      expect({ inOwn, others, forks: forks.length }).toEqual({
        inOwn: ["vault-run", "node"],
        others: expected,
        forks: 1,
      });
    }
  });
});
