import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, inject, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { onTerminal } from "../fixtures/terminal.ts";

const SLOW_READER = resolve(import.meta.dirname, "../fixtures/slow-reader.py");
const VALUE = "sk_live_51HabcdefghijKLMNOP";
const template = await Program.template(async (made) => {
  await made.must(["init"]);
  await made.must(["add-agent", "crawler"]);
  await made.must(["add-agent", "other"]);
  await made.set("stripe/API_KEY", VALUE);
  await made.set("files/CERT", "-----CERT-----\nline two of the certificate\n", "--as-file");
  await made.must(["grant", "crawler", "stripe"]);
});
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const launch = (command: readonly string[], ...options: string[]) =>
  program.run(["--agent", "crawler", ...options, "--", ...command]);
const sh = (script: string, ...options: string[]) => launch(["sh", "-c", script], ...options);
const readdirIn = (folder: string) => readdirSync(folder);

describe("a launched program", () => {
  it("has what its agent was granted, and its output shows none of it", async () => {
    const { status, stdout, stderr } = await sh(
      '[ "${#API_KEY}" = 27 ] && echo "out $API_KEY"; echo "err $API_KEY" >&2',
    );
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: "out [REDACTED:stripe/API_KEY]\n",
      stderr:
        "err [REDACTED:stripe/API_KEY]\n" +
        "vault-run: masked in the output: stripe/API_KEY 2x (stdout raw, stderr raw)\n",
    });
  });

  it("was recorded before it started, with the secrets' value ids and argv[0] only (promise 11)", async () => {
    const log = program.auditLog;
    const { stdout } = await launch(["grep", "-c", '"action":"launch"', log]);
    expect(stdout).toBe("1\n");
    const line =
      readFileSync(log, "utf8")
        .split("\n")
        .find((text) => text.includes('"launch"')) ?? "";
    expect(JSON.parse(line)).toMatchObject({
      action: "launch",
      agent: "crawler",
      command: "grep",
      secrets: [{ group: "stripe", name: "API_KEY" }],
    });
    expect(line).not.toContain("-c");
    expect(JSON.parse(line).commit).toBe(program.git("rev-parse", "HEAD"));
  });

  it("gets no identity and no descriptor of ours (promise 3, A16)", async () => {
    const [vault] = readdirIn(join(program.home, ".config/vault-run"));
    const key = readFileSync(
      join(program.home, ".config/vault-run", vault ?? "", "agents/crawler.key"),
      "utf8",
    );
    const script =
      'tr "\\0" "\\n" < /proc/self/environ; ls -l /proc/self/fd | sed "s/.* \\([0-9]* ->\\)/\\1/"';
    const { stdout } = await program.run(["--", "sh", "-c", script], {
      env: { VAULT_RUN_KEY: key, KEEP: "kept" },
    });
    expect(stdout).toContain("KEEP=kept");
    expect(stdout).not.toContain("AGE-SECRET-KEY");
    expect(stdout).not.toContain("VAULT_RUN_KEY");
    const alone = await execa("sh", ["-c", script], { extendEnv: false, env: program.env });
    const descriptors = (text: string) => [...text.matchAll(/^(\d+) ->/gm)].map((match) => match[1]);
    expect(descriptors(stdout)).toEqual(descriptors(alone.stdout));
  });

  it.each([0, 1, 7, 120, 125, 255])("gives its exit status %i (promise 12)", async (status) => {
    expect((await sh(`exit ${status}`)).status).toBe(status);
  });

  it.each([
    ["TERM", 143],
    ["KILL", 137],
    ["HUP", 129],
    ["USR1", 138],
    ["SEGV", 139],
    ["34", 162],
    ["64", 192],
  ])("that dies by %s gives %i", async (signal, status) => {
    expect((await sh(`kill -${signal} $$`)).status).toBe(status);
    // One pipe for both of its outputs.
    const oneOutput = `vault-run --agent crawler -- sh -c 'kill -${signal} $$' 2>&1; echo "status $?"`;
    const settings = { cwd: program.repo, env: program.env, extendEnv: false };
    expect((await execa("sh", ["-c", oneOutput], settings)).stdout).toBe(`status ${status}`);
  });

  it.each([["--tty", "pty"], ["--no-redact"]])(
    "that dies by a real-time signal gives 128 + n with %s",
    async (...options) => {
      const command = ["vault-run", "--agent", "crawler", ...options, "--", "sh", "-c", "kill -34 $$"];
      expect((await onTerminal(program, ["sh", "-c", '"$@"; exit $?', "sh", ...command])).status).toBe(162);
    },
  );

  it("that is not there gives 127, that cannot be executed 126", async () => {
    const file = join(program.repo, "plain.txt");
    writeFileSync(file, "text");
    const missing = await launch(["no-such-program"]);
    expect(missing).toMatchObject({
      status: 127,
      stderr:
        "vault-run: command not found: no-such-program\n  check its name and the PATH it is looked up in\n",
    });
    expect((await launch([file])).status).toBe(126);
    expect((await launch([program.repo])).status).toBe(126);
    expect((await launch([""])).stderr).toContain("no command after --");
  });

  it("reads our standard input to its end", async () => {
    const input = "x".repeat(1_000_000);
    const { stdout } = await program.run(["--agent", "crawler", "--", "wc", "-c"], { input });
    expect(stdout.trim()).toBe("1000000");
  });

  it("loses none of its output, however it ends", async () => {
    const { stdout, status } = await launch([
      "node",
      "-e",
      'process.stdout.write("y".repeat(20e6), () => process.exit(3))',
    ]);
    expect(stdout.length).toBe(20_000_000);
    expect(status).toBe(3);
  });

  it("has its binary output unchanged, byte for byte (promise 12)", async () => {
    const blob = join(program.home, "blob");
    await execa("sh", ["-c", `head -c 3000000 /dev/urandom > ${blob}`]);
    const expected = createHash("sha256").update(readFileSync(blob)).digest("hex");
    const child = await program.start(["--agent", "crawler", "--", "cat", blob], { encoding: "buffer" });
    expect(
      createHash("sha256")
        .update(child.stdout as Buffer)
        .digest("hex"),
    ).toBe(expected);
  });

  it("is masked where a value comes in pieces", async () => {
    const script = `process.stdout.write("a " + process.env.API_KEY.slice(0, 9)); setTimeout(() => process.stdout.write(process.env.API_KEY.slice(9) + " b\\n"), 30)`;
    const { stdout } = await launch(["node", "-e", script]);
    expect(stdout).toBe("a [REDACTED:stripe/API_KEY] b\n");
  });

  it("learns that its reader is gone, and nothing of ours is printed", async () => {
    const { env, repo } = program;
    const script = "vault-run --agent crawler -- yes 2>/dev/null | head -1; echo ${PIPESTATUS[0]}";
    const { stdout, stderr } = await execa("bash", ["-c", script], { cwd: repo, env, extendEnv: false });
    expect(stdout).toMatch(/^y\n(1|141)$/);
    expect(stderr).toBe("");
  });

  it("runs on and ends with its own status where what vault-run says cannot be shown (promise 12)", async () => {
    const { env, repo } = program;
    const bash = async (script: string) =>
      (await execa("bash", ["-c", script], { cwd: repo, env, extendEnv: false, reject: false })).stdout;
    // The reader of both is gone when the mask is reported.
    const child = "echo $API_KEY; sleep 0.3; seq 1 100000; sleep 0.3; exit 7";
    const gone = `vault-run --agent crawler -- sh -c '${child}' 2>&1 | head -1; echo \${PIPESTATUS[0]}`;
    expect(await bash(gone)).toBe("[REDACTED:stripe/API_KEY]\n7");
    // A warning before the start.
    const full = "API_KEY=x vault-run --agent crawler -- sh -c 'exit 5' 2>/dev/full; echo $?";
    expect(await bash(full)).toBe("5");
    const leaks = program.auditLines().filter(({ action }) => action === "leak");
    expect(leaks).toHaveLength(1);
  });

  it("that leaves a grandchild with its output open is not waited for beyond its own end", async () => {
    const started = Date.now();
    const { stdout, status } = await sh("sleep 30 & echo done");
    expect({ stdout, status }).toEqual({ stdout: "done\n", status: 0 });
    expect(Date.now() - started).toBeLessThan(20_000);
  });

  it("is slowed down by a slow reader rather than held in memory, and 1 GB arrives whole", {
    timeout: 300_000,
  }, async () => {
    const bytes = 1_000_000_000;
    const print = `yes 0123456789-abcdefghijk | head -c ${bytes}`;
    const settings = { cwd: program.repo, env: program.env, extendEnv: false } as const;
    const read = `python3 ${SLOW_READER} 4 '[n]ode .*vault-run --agent crawler'`;
    const [slow, expected] = await Promise.all([
      execa("bash", ["-c", `vault-run --agent crawler -- sh -c '${print}' | ${read}`], settings),
      execa("bash", ["-c", `${print} | sha256sum`], settings),
    ]);
    const { length, sha256, peakKb } = JSON.parse(slow.stdout);
    expect({ length, sha256 }).toEqual({ length: bytes, sha256: expected.stdout.split(" ")[0] });
    expect(peakKb).toBeGreaterThan(0);
    expect(peakKb).toBeLessThan(250_000);
  });

  it("ends when its program has, also where node's compiler waits for memory just then (promise 12)", {
    timeout: 300_000,
  }, async () => {
    const words = ["--agent", "crawler", "--", "sh", "-c", "yes 0123456789-abcdefghijk | head -c 60000000"];
    const settings = { cwd: program.repo, env: program.env, extendEnv: false, encoding: "buffer" } as const;
    for (let turn = 0; turn < 25; turn++) {
      const { stdout } = await execa("vault-run", words, { ...settings, timeout: 60_000 });
      expect(stdout).toHaveLength(60_000_000);
    }
    // The compiler's threads are free to end since the garbage was collected last thing before.
    const main = join(inject("packageFolder"), "bin/vault-run");
    const traced = await execa(process.execPath, ["--trace-gc", main, ...words], settings);
    const collections = Buffer.from(traced.stdout)
      .toString("latin1")
      .match(/ms: (Scavenge|Mark-Compact)/g);
    expect(collections?.at(-1)).toBe("ms: Mark-Compact");
  });

  it("gives its status, and what was masked is recorded, however late its reader comes (promise 12)", async () => {
    for (const options of [[], ["--tty", "pty"]])
      for (const lines of [10, 14_000, 16_000, 20_000, 60_000]) {
        const script = `echo $API_KEY; seq ${lines}; exit 5`;
        const words = ["vault-run", "--agent", "crawler", ...options, "--", "sh", "-c", `'${script}'`].join(
          " ",
        );
        const command = `${words} | (sleep 0.6; wc -l); echo "\${PIPESTATUS[0]}"`;
        const settings = { cwd: program.repo, env: program.env, extendEnv: false };
        const { stdout, stderr } = await execa("bash", ["-c", command], settings);
        expect(stdout.split("\n").map(Number), `${lines}`).toEqual([lines + 1, 5]);
        expect(stderr).toContain("masked in the output: stripe/API_KEY 1x");
      }
    expect(program.auditLines().filter(({ action }) => action === "leak")).toHaveLength(10);
    const leaky = "vault-run --agent crawler --on-leak kill -- sh -c 'seq 14000; echo $API_KEY; sleep 5'";
    const command = `${leaky} | (sleep 0.6; cat > /dev/null); echo "\${PIPESTATUS[0]}"`;
    const killed = await execa("bash", ["-c", command], {
      cwd: program.repo,
      env: program.env,
      extendEnv: false,
    });
    expect(killed.stdout).toBe("120");
  });

  it("is the end, also where what it left behind goes on writing to a slow reader", async () => {
    const script = [
      "import os, time",
      "if os.fork() == 0:",
      "  until = time.time() + 60",
      "  while time.time() < until: os.write(1, b'x' * 1000 + b'\\n')",
      "time.sleep(0.2); os._exit(3)",
    ];
    writeFileSync(join(program.repo, "leaves.py"), script.join("\n"));
    const command =
      '(vault-run --agent crawler -- python3 leaves.py; echo "ended $?" >&2) | while read -r -n 4096 _; do sleep 0.001; done';
    const started = Date.now();
    const settings = { cwd: program.repo, env: program.env, extendEnv: false };
    const { stderr } = await execa("bash", ["-c", command], settings);
    expect(stderr).toBe("ended 3");
    expect(Date.now() - started).toBeLessThan(40_000);
  });

  it("leaves vault-run waiting for a reader that never comes until that is told to end once more", async () => {
    const args = ["--agent", "crawler", "--", "sh", "-c", "echo ready >&2; exec yes"];
    const child = spawn("vault-run", args, { cwd: program.repo, env: program.env });
    await new Promise((resolve) => child.stderr.once("data", resolve));
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(child.exitCode).toBeNull();
    child.kill("SIGTERM");
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(143);
    child.stdout.destroy();
  });

  it("is given signals once each, at once", async () => {
    const file = join(program.home, "signals");
    const script = `trap 'echo TERM >> ${file}' TERM; trap 'echo USR1 >> ${file}' USR1; trap 'echo HUP >> ${file}' HUP; echo ready; i=0; while [ $i -lt 100 ]; do sleep 0.05; i=$((i+1)); [ -e ${file}.done ] && exit 5; done`;
    const child = program.start(["--agent", "crawler", "--", "sh", "-c", script]);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    for (const signal of ["SIGUSR1", "SIGHUP", "SIGTERM"] as const) {
      child.kill(signal);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    writeFileSync(`${file}.done`, "");
    expect((await child).exitCode).toBe(5);
    expect(readFileSync(file, "utf8")).toBe("USR1\nHUP\nTERM\n");
  });

  it("may find another variable of the same name replaced, and that is said", async () => {
    const { stdout, stderr } = await program.run(
      ["--agent", "crawler", "--", "sh", "-c", '[ "$API_KEY" = parents ] || echo replaced'],
      { env: { API_KEY: "parents" } },
    );
    expect(stdout).toBe("replaced\n");
    expect(stderr).toBe("vault-run: API_KEY of the parent's environment is replaced by stripe/API_KEY\n");
  });

  it("is refused such a variable with --strict-env, and nothing is started", async () => {
    const strict = ["--agent", "crawler", "--strict-env", "--", "echo", "started"];
    const { status, stdout, stderr } = await program.run(strict, { env: { API_KEY: "parents" } });
    expect({ status, stdout, stderr }).toEqual({
      status: 125,
      stdout: "",
      stderr:
        "vault-run: API_KEY is set in the parent's environment, and stripe/API_KEY is to be injected as it\n" +
        "  unset it, inject the secret under another variable (--env OTHER_NAME=stripe/API_KEY), or leave --strict-env out\n",
    });
    expect(program.auditLines().some(({ action }) => action === "launch")).toBe(false);
    expect((await program.run(strict)).stdout).toBe("started\n");
    const clean = ["--clean-env", ...strict];
    expect((await program.run(clean, { env: { API_KEY: "parents" } })).stdout).toBe("started\n");
  });

  it("gets no secret as a variable that loads code or breaks it, unless the owner marked it for that", async () => {
    const steering =
      "PATH LD_PRELOAD LD_LIBRARY_PATH NODE_OPTIONS PYTHONPATH BASH_ENV IFS GIT_SSH_COMMAND HOME ENV PERL5LIB RUBYOPT JAVA_TOOL_OPTIONS DYLD_INSERT_LIBRARIES EDITOR";
    for (const variable of steering.split(" ")) {
      const { status, stdout, stderr } = await launch(
        ["echo", "started"],
        "--env",
        `${variable}=stripe/API_KEY`,
      );
      expect({ status, stdout }, variable).toEqual({ status: 125, stdout: "" });
      expect(stderr).toContain(`stripe/API_KEY may not be injected as ${variable}`);
    }
    await program.set("stripe/OPTIONS", "--no-warnings", "--env", "NODE_OPTIONS", "--unsafe-name");
    expect((await sh('echo "${#NODE_OPTIONS}"')).stdout).toBe("13\n");
  });

  it("is told clearly where arguments and environment are more than the system takes", async () => {
    const { env, repo } = program;
    // What vault-run itself could be started with, and what is injected besides, are together too much.
    const large = { A: "x".repeat(100_000), B: "y".repeat(100_000) };
    await program.set("stripe/BIG", "z".repeat(100_000));
    const command = `ulimit -s 1024; exec vault-run --agent crawler -- echo started`;
    const settings = { cwd: repo, env: { ...env, ...large }, extendEnv: false, reject: false };
    const { exitCode, stdout, stderr } = await execa("sh", ["-c", command], settings);
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 125,
      stdout: "",
      stderr:
        "vault-run: the command could not be started (E2BIG): echo\n" +
        "  arguments and environment together are too large; deliver large values with --file",
    });
    await program.set("stripe/BIG", "z".repeat(131_072));
    const single = await sh("echo started");
    expect(single).toMatchObject({ status: 125, stdout: "" });
    expect(single.stderr).toContain("stripe/BIG is too large for a variable (the system takes 131072 bytes)");
  });

  it("is not asked for something else: what is no UTF-8 is refused as an argument and named as a variable", async () => {
    const settings = { cwd: program.repo, env: program.env, extendEnv: false, reject: false };
    const launched = "vault-run --agent crawler --quiet -- echo started";
    const argument = await execa("bash", ["-c", `${launched} $'caf\\xe9'`], settings);
    expect(argument).toMatchObject({ exitCode: 125, stdout: "" });
    expect(argument.stderr).toContain("an argument is not UTF-8, and node cannot pass it on as it is");
    const variable = await execa("bash", ["-c", `PLACE=$'caf\\xe9' ${launched}`], settings);
    expect(variable).toMatchObject({
      exitCode: 0,
      stdout: "started",
      stderr: "vault-run: not UTF-8, and changed on the way to the program: PLACE",
    });
  });

  it("starts from a short environment when asked to", async () => {
    const { stdout } = await program.run(
      ["--agent", "crawler", "--clean-env", "--pass", "KEPT", "--", "env"],
      { env: { KEPT: "1", GONE: "1" } },
    );
    const names = stdout
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0])
      .sort();
    expect(names).toEqual(["API_KEY", "HOME", "KEPT", "LANG", "PATH"]);
  });

  it("can read a secret delivered as a file again and again, by path and by number", async () => {
    await program.must(["grant", "crawler", "files"]);
    const script =
      'wc -c < "$CERT"; cat "$CERT" "$CERT" | wc -c; wc -c <&3; readlink /proc/self/fd/3; (echo x > "$CERT") 2>/dev/null; wc -c < "$CERT"';
    const { stdout } = await sh(script);
    expect(stdout.split("\n").slice(0, 3)).toEqual(["43", "86", "43"]);
    expect(stdout).toMatch(/\/dev\/shm\/#\d+ \(deleted\)/);
  });
});

describe("what could go around the launcher", () => {
  const agentKey = () => {
    const [vault] = readdirIn(join(program.home, ".config/vault-run"));
    return join(program.home, ".config/vault-run", vault ?? "", "agents/crawler.key");
  };

  it("does not: a key that came as a descriptor is closed, or refused as standard input (A16)", async () => {
    const settings = {
      cwd: program.repo,
      env: { ...program.env, KEY: agentKey() },
      extendEnv: false,
      reject: false,
    } as const;
    const high =
      'exec 20< "$KEY"; vault-run --agent crawler --key-file /dev/fd/20 -- bash -c "cat <&20 || echo closed"';
    const { stdout } = await execa("bash", ["-c", high], settings);
    expect(stdout).toBe("closed");
    const input = await execa(
      "bash",
      ["-c", 'vault-run --agent crawler --key-file /dev/stdin -- cat < "$KEY"'],
      settings,
    );
    expect({ status: input.exitCode, stdout: input.stdout }).toEqual({ status: 125, stdout: "" });
    const substituted = await execa(
      "bash",
      ["-c", 'vault-run --agent crawler --key-file <(cat "$KEY") -- echo started'],
      settings,
    );
    expect(substituted.stdout).toBe("started");
  });

  it("does not: node's own switches print no environment and open no inspector (A17)", async () => {
    const loud = await program.run(["--agent", "crawler", "--", "true"], {
      env: { NODE_DEBUG: "child_process" },
    });
    expect(loud.status).toBe(125);
    expect(loud.stderr).toContain("NODE_DEBUG makes node print what it handles");
    const child = program.start([
      "--agent",
      "crawler",
      "--",
      "sh",
      "-c",
      "trap 'exit 4' USR1; echo ready; while :; do sleep 0.05; done",
    ]);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    child.kill("SIGUSR1");
    const { exitCode, stderr } = await child;
    expect(exitCode).toBe(4);
    expect(stderr).not.toMatch(/debugger|ws:/i);
  });

  it("does not: a signal before the first line of ours leaves no inspector open and is not lost (A17)", async () => {
    const script = "trap 'exit 5' USR1; i=0; while [ $i -lt 30 ]; do sleep 0.05; i=$((i+1)); done";
    for (let delayMs = 0; delayMs < 60; delayMs += 6) {
      const child = program.start(["--agent", "crawler", "--", "sh", "-c", script]);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      child.kill("SIGUSR1");
      const { exitCode, signal } = await child;
      const reached = exitCode === 5 || exitCode === 138 || signal === "SIGUSR1";
      expect(reached, `${delayMs} ms: ${exitCode} ${signal}`).toBe(true);
    }
    const inspected = await program.run(["--agent", "crawler", "--", "true"], {
      env: { NODE_OPTIONS: "--inspect=127.0.0.1:0" },
    });
    expect(inspected.status).toBe(125);
    expect(inspected.stderr).toContain("--inspect opens what is in memory, values included");
    for (const option of [
      "--heapsnapshot-signal=SIGUSR2",
      "--report-on-signal",
      "--heap-prof",
      "--report_on_signal",
    ]) {
      const env = { NODE_OPTIONS: option };
      expect((await program.run(["--agent", "crawler", "--", "true"], { env })).status, option).toBe(125);
    }
  });

  it("does not: a variable called __proto__ or constructor is delivered like any other (promise 2)", async () => {
    const { stdout, stderr } = await sh(
      "env | grep -c REDACTED; env | grep -E '^(__proto__|constructor)='",
      "--env",
      "__proto__=stripe/API_KEY",
      "--env",
      "constructor=stripe/API_KEY",
      "--quiet",
    );
    expect(stdout.split("\n").slice(1, 3).sort()).toEqual([
      "__proto__=[REDACTED:stripe/API_KEY]",
      "constructor=[REDACTED:stripe/API_KEY]",
    ]);
    expect(stderr).toBe("");
  });

  it("does not: a signal while the program starts reaches it, or ends all with 128 + n and nothing was started", async () => {
    const endings: Record<string, number> = {
      SIGTERM: 143,
      SIGINT: 130,
      SIGHUP: 129,
      SIGQUIT: 131,
      SIGUSR2: 140,
    };
    const signals = Object.keys(endings) as NodeJS.Signals[];
    for (let delayMs = 60; delayMs < 400; delayMs += 20) {
      const mark = `vault-run-term-${delayMs}-${process.pid}`;
      const ending = signals[(delayMs / 20) % signals.length] ?? "SIGTERM";
      const child = program.start(["--agent", "crawler", "--", "sh", "-c", "sleep 20", mark]);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      child.kill(ending);
      const { exitCode, signal } = await child;
      // Before node runs the first line of ours, the signal itself ends it.
      const status = signal === ending ? endings[ending] : exitCode;
      expect(status, `${ending} after ${delayMs} ms`).toBe(endings[ending]);
      const left = await execa("pgrep", ["-f", `${mark}$`], { reject: false });
      expect(left.stdout).toBe("");
    }
  });

  it("is killed itself: a silent program runs on until it writes, and nobody reads that", async () => {
    const script = "mkfifo fifo; echo $$; read go < fifo; echo some; echo more > written";
    const launcher = program.start(["--agent", "crawler", "--", "sh", "-c", script]);
    const child = Number(await new Promise<Buffer>((resolve) => launcher.stdout?.once("data", resolve)));
    launcher.kill("SIGKILL");
    expect((await launcher).signal).toBe("SIGKILL");
    process.kill(child, 0);
    // Opened when the program has opened its end.
    writeFileSync(join(program.repo, "fifo"), "\n");
    await expect.poll(() => existsSync(`/proc/${child}`), { timeout: 60_000 }).toBe(false);
    expect(existsSync(join(program.repo, "written"))).toBe(false);
  });

  it("is told of where a disk takes only a part of what is written last", async () => {
    mkdirSync(join(program.repo, "disk"));
    const filler = "sh -c 'dd if=/dev/zero bs=20000 count=1 status=none'";
    const script = `mount -t tmpfs -o size=16k tmpfs disk
      vault-run --agent crawler -- ${filler} > disk/out; echo "status $?"; wc -c < disk/out; rm disk/out
      ${filler} | vault-run redact --agent crawler > disk/out; echo "status $?"; wc -c < disk/out`;
    const settings = { cwd: program.repo, env: program.env, extendEnv: false };
    const { stdout, stderr } = await execa("unshare", ["--mount", "sh", "-c", script], settings);
    expect(stdout).toBe("status 0\n16384\nstatus 1\n16384");
    expect(stderr.split("\n")).toEqual([
      "vault-run: the program's output cannot be passed on (ENOSPC)",
      "vault-run: cannot write the output (ENOSPC)",
      "  look at where standard output goes",
    ]);
  });

  it("does not: a program whose output cannot be written is not left to run on unread", async () => {
    const settings = {
      cwd: program.repo,
      env: program.env,
      extendEnv: false,
      reject: false,
      timeout: 20_000,
    } as const;
    const { stderr, exitCode } = await execa(
      "bash",
      ["-c", "vault-run --agent crawler -- yes > /dev/full"],
      settings,
    );
    expect(stderr).toMatch(/vault-run: the program's output cannot be passed on \(ENOSPC\)/);
    expect([1, 141]).toContain(exitCode);
    const verbs = [
      "list",
      "list --json",
      "--help",
      "set --help",
      "--version",
      "--agent crawler --dry-run -- true",
    ];
    for (const words of verbs) {
      const full = await execa("bash", ["-c", `vault-run ${words} > /dev/full`], settings);
      expect(full.exitCode, words).toBe(1);
      expect(full.stderr, words).toContain("cannot write the output (ENOSPC)");
    }
  });
});

describe("nothing is started (promise 2)", () => {
  const marker = () => join(program.home, "started");

  async function refused(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const before = program.snapshot();
    const { status, stdout, stderr } = await program.run([...args, "--", "touch", marker()], { env });
    expect(existsSync(marker())).toBe(false);
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
    expect(stderr).toMatch(/^vault-run: [^\n]+\n {2}[^\n]+\n$/);
    expect(program.snapshot()).toBe(before);
    return stderr;
  }

  it("for an agent without a key, an unknown agent, or one that was granted nothing", async () => {
    expect(await refused(["--agent", "nobody"])).toContain("no key for agent nobody");
    expect(await refused(["--agent", "other"])).toContain("other was granted nothing");
    expect(await refused([])).toContain("no agent is named");
    expect(await refused(["--agent", "../x"])).toContain("not an agent's name");
  });

  it("where the grant was revoked, and that is said", async () => {
    await program.must(["revoke", "crawler", "stripe"]);
    expect(await refused(["--agent", "crawler", "--group", "stripe"])).toContain("revoked");
  });

  it("where the grant or the value has expired", async () => {
    await program.must([
      "grant",
      "crawler",
      "stripe",
      "--expires",
      new Date(Date.now() + 3000).toISOString(),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 3100));
    expect(await refused(["--agent", "crawler"])).toContain("expired");
  });

  it("where the audit record cannot be written and the policy is required (A20)", async () => {
    expect(await refused(["--agent", "crawler"], { VAULT_RUN_AUDIT_DIR: "/proc/self" })).toContain(
      "audit record",
    );
    const folder = join(program.home, "log");
    mkdirSync(folder);
    await execa("ln", ["-s", "/dev/full", join(folder, "audit.jsonl")]);
    expect(await refused(["--agent", "crawler"], { VAULT_RUN_AUDIT_DIR: folder })).toContain("audit record");
  });

  it("where pins cannot be kept either (promise 6, promise 11)", async () => {
    expect(await refused(["--agent", "crawler"], { XDG_STATE_HOME: "/proc/self" })).toContain("/proc/self");
  });

  it("where a record was tampered with, and the file is named", async () => {
    for (const path of [
      "vault.json",
      "agents/crawler/agent.json",
      "agents/crawler/grants/stripe.json",
      "groups/stripe/group.json",
      "groups/stripe/secrets/API_KEY.json",
    ]) {
      const file = join(program.repo, ".vault", path);
      const good = readFileSync(file);
      for (const at of [0, Math.floor(good.length / 3), Math.floor(good.length / 2), good.length - 1]) {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ 1;
        writeFileSync(file, bad);
        expect(await refused(["--agent", "crawler"])).toContain(`.vault/${path}`);
      }
      writeFileSync(file, good);
    }
    expect((await sh("true")).status).toBe(0);
  });

  it("where a key file is loose, wrong or of another vault", async () => {
    const [vault] = readdirIn(join(program.home, ".config/vault-run"));
    const keys = join(program.home, ".config/vault-run", vault ?? "");
    chmodSync(join(keys, "agents/crawler.key"), 0o644);
    expect(await refused(["--agent", "crawler"])).toContain("mode 644");
    chmodSync(join(keys, "agents/crawler.key"), 0o600);
    expect(await refused(["--agent", "crawler", "--key-file", join(keys, "agents/other.key")])).toContain(
      "key of agent other",
    );
    expect(await refused(["--agent", "crawler", "--key-file", join(keys, "owner.key")])).toContain(
      "not the key of agent crawler",
    );
    expect(await refused(["--agent", "crawler", "--key-file", "missing.key"])).toContain(
      "cannot read the key file",
    );
  });

  it("where there is no vault, or the folder named holds none", async () => {
    expect(await refused(["--agent", "crawler", "--vault", "/nowhere"])).toContain("no vault here");
  });

  it("with --dry-run, which prints names only and records no pull", async () => {
    const { stdout, status } = await sh(`touch ${marker()}`, "--dry-run");
    expect({ stdout, status }).toEqual({
      stdout: "VARIABLE  SECRET          AS\nAPI_KEY   stripe/API_KEY  env\n",
      status: 0,
    });
    expect(existsSync(marker())).toBe(false);
    expect(readFileSync(program.auditLog, "utf8")).not.toContain('"launch"');
  });
});

describe("many launches at once", () => {
  it("500 of them work, on one machine and one vault", { timeout: 600_000 }, async () => {
    const many = `
      seq 500 | xargs -P 500 -I{} sh -c '
        vault-run --agent crawler --quiet -- sh -c "echo got \\$API_KEY; exit 9" > {}.out 2>&1; echo $? >> {}.out'
      cat *.out | sort | uniq -c`;
    const folder = join(program.home, "many");
    mkdirSync(folder);
    const env = { ...program.env, VAULT_RUN_VAULT: program.repo };
    const { stdout } = await execa("bash", ["-c", many], { cwd: folder, env, extendEnv: false });
    const counted = stdout.split("\n").map((line) => line.trim());
    expect(counted).toEqual(["500 9", "500 got [REDACTED:stripe/API_KEY]"]);
    expect(program.auditLines().filter((line) => line.action === "launch")).toHaveLength(500);
  });

  it("all work and all are recorded", async () => {
    const all = await Promise.all(Array.from({ length: 24 }, () => sh("echo $API_KEY")));
    expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 24 }, () => 0));
    expect(all.every(({ stdout }) => stdout === "[REDACTED:stripe/API_KEY]\n")).toBe(true);
    const lines = program.auditLines();
    expect(lines.filter((line) => line.action === "launch")).toHaveLength(24);
    const audit = await program.run(["audit", "--json"]);
    expect(audit.status, audit.stdout).toBe(0);
  });
});
