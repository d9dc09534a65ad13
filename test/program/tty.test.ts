import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, inject, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { type Action, inBash, onTerminal, type Step } from "../fixtures/terminal.ts";

const VALUE = "sk_live_51HabcdefghijKLMNOP";
const MASK = "[REDACTED:stripe/API_KEY]";
const SANE = { echo: true, canonical: true, post: true };
const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await made.must(["add-agent", "crawler"]);
  await made.set("stripe/API_KEY", VALUE);
  for (let i = 0; i < 8; i++) await made.set(`files/F${i}`, `contents-of-file-${i}`, "--as-file");
  await made.must(["grant", "crawler", "stripe"]);
});
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const LAUNCH = ["vault-run", "--agent", "crawler", "--quiet"];
const launched = (command: readonly string[], steps?: readonly Step[], ...options: string[]) =>
  onTerminal(program, [...LAUNCH, ...options, "--", ...command], steps);
const sh = (script: string, steps?: readonly Step[], ...options: string[]) =>
  launched(["sh", "-c", script], steps, ...options);
const python = (script: string, steps?: readonly Step[], ...options: string[]) =>
  launched(["python3", "-c", script], steps, ...options);
const file = (name: string) => readFileSync(join(program.repo, name), "utf8");

describe("a program on a terminal", () => {
  it("has one, of the same size and modes, and what it shows is masked", async () => {
    const script =
      'for fd in 0 1 2; do [ -t $fd ] || echo no $fd; done; stty -a > modes; stty size; echo "$API_KEY"; tty';
    const { shown, status } = await onTerminal(program, [
      "sh",
      "-c",
      `stty rows 33 columns 101 erase ^B; stty -a > outer; ${LAUNCH.join(" ")} -- sh -c '${script}'`,
    ]);
    expect(status).toBe(0);
    expect(shown).toMatch(/^33 101\r\n\[REDACTED:stripe\/API_KEY\]\r\n\/dev\/pts\/\d+\r\n$/);
    expect(file("modes")).toBe(file("outer"));
  });

  it("has the environment and the descriptors that it has without one", async () => {
    const script = "env | sort > env.$1; ls /proc/self/fd | sort -n > fds.$1";
    await program.must(["grant", "crawler", "files"]);
    for (const mode of ["pty", "pipe"]) await launched(["sh", "-c", script, "sh", mode], [], "--tty", mode);
    expect(file("env.pty")).toBe(file("env.pipe"));
    expect(file("env.pty")).toContain("F7=/dev/fd/11");
    expect(file("fds.pty").split("\n")).toEqual(["0", "1", "2", ...file("fds.pipe").split("\n").slice(3)]);
    const { shown } = await sh('for f in "$F0" "$F5" "$F6" "$F7"; do wc -c < "$f"; done', [], "--tty", "pty");
    expect(shown).toBe("18\r\n18\r\n18\r\n18\r\n");
  });

  it("has the value of a secret in PWD, where the shell would have its folder (promise 2)", async () => {
    const { shown } = await launched(["env"], [], "--tty", "pty", "--env", "PWD=stripe/API_KEY");
    expect(shown).toContain(`\nPWD=${MASK}\r\n`);
    expect(shown).not.toContain("vault_run_pwd");
  });

  it("gets no identity, nor does the shell that leads its session, and no argument vector holds a value (promise 3, promise 10, A16, A17)", async () => {
    const keys = join(program.home, ".config/vault-run");
    const key = readFileSync(join(keys, readdirSync(keys)[0] ?? "", "agents/crawler.key"), "utf8");
    const script =
      "cat /proc/self/environ /proc/$PPID/environ > env; cat /proc/[0-9]*/cmdline > args 2>/dev/null; echo end";
    const command = ["vault-run", "--quiet", "--", "sh", "-c", script];
    const { shown } = await onTerminal(program, command, [], { VAULT_RUN_KEY: key });
    expect(shown).toBe("end\r\n");
    expect(file("env").split(VALUE).length).toBeGreaterThan(2);
    expect(file("env")).not.toContain("AGE-SECRET-KEY");
    expect(file("env")).not.toContain("VAULT_RUN_KEY");
    expect(file("args")).toContain("vault-run");
    expect(file("args")).not.toContain(VALUE);
    expect(file("args")).not.toContain("AGE-SECRET-KEY");
  });

  it("ends with its own status, or 128 + n, or is not found, as without one (promise 12)", async () => {
    expect((await sh("exit 7")).status).toBe(7);
    expect((await sh("exit 148")).status).toBe(148);
    const killed = await sh("kill -KILL $$");
    expect(killed).toMatchObject({ status: 137, shown: "", modes: SANE });
    expect((await sh("kill -TERM $$")).status).toBe(143);
    const missing = await launched(["no-such-program"]);
    expect(missing.status).toBe(127);
    expect(missing.shown).toContain("command not found: no-such-program");
    writeFileSync(join(program.repo, "plain"), "text");
    expect((await launched(["./plain"])).status).toBe(126);
    expect((await launched([program.repo])).status).toBe(126);
    // A shell has commands of these names; a launch means the programs.
    expect((await launched(["echo", "-n", "x"])).shown).toBe("x");
    expect((await launched(["exit", "3"])).status).toBe(127);
  });

  it("leaves nothing of its last words unread", async () => {
    const { shown } = await python(
      "print('x' * 79 + '\\n', end='') ; [print('y' * 79) for _ in range(3000)]; print('end')",
    );
    expect(shown.length).toBe(81 * 3001 + 5);
    expect(shown.endsWith("end\r\n")).toBe(true);
  });

  it("is masked where a terminal has changed the line ends, and where colours stand in the value", async () => {
    const pem = `-----BEGIN KEY-----\n${"MIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAw\n".repeat(3)}-----END KEY-----\n`;
    await program.set("stripe/PEM", pem);
    const { shown } = await sh('echo "$PEM"; printf "%s\\033[31m%s\\n" "${API_KEY%LMNOP}" LMNOP');
    expect(shown).toBe(`[REDACTED:stripe/PEM]\r\n${MASK}\u001b[31m\r\n`);
  });

  it("shows a prompt that ends in the first bytes of a value before anything is typed", async () => {
    const { shown, untyped } = await python("input('go on? [y/n] sk_')", [["[y/n] sk_", "y\r"]]);
    expect(untyped).toBe(0);
    expect(shown).toBe("go on? [y/n] sk_y\r\n");
  });

  it("shows at most four bytes of a value that it writes slowly", async () => {
    const { shown } = await python(
      "import os, sys, time\nfor c in os.environ['API_KEY']:\n  sys.stdout.write(c); sys.stdout.flush(); time.sleep(0.08)\nprint('.')",
    );
    expect(shown).toBe(`sk_l${MASK}.\r\n`);
  });

  it("is told of every change of the terminal's size", async () => {
    const script =
      "trap 'stty size' WINCH; echo up; i=0; while [ $i -lt 40 ]; do sleep 0.05; i=$((i+1)); done";
    const { shown } = await sh(script, [
      ["up", { resize: [40, 120] }],
      ["40 120", { resize: [12, 34] }],
    ]);
    expect(shown).toBe("up\r\n40 120\r\n12 34\r\n");
  });

  it("reads a password without echo, in one piece with what it shows", async () => {
    const script = "import getpass, sys\np = getpass.getpass('word: ')\nprint(len(p))";
    const { shown, modes } = await python(script, [["word: ", "hunter2\r"]]);
    expect(shown).toBe("word: \r\n7\r\n");
    expect(modes).toEqual(SANE);
  });

  it("gets every key as it is once it asks for them", async () => {
    const script =
      "import sys, tty\ntty.setraw(0)\nprint('raw', end='\\r\\n', flush=True)\nprint(sys.stdin.buffer.raw.read(3), end='\\r\\n')";
    const { shown, status, modes } = await python(script, [["raw", "\u0003\u001a\u0011"]]);
    expect(shown).toBe("raw\r\nb'\\x03\\x1a\\x11'\r\n");
    expect({ status, modes }).toEqual({ status: 0, modes: SANE });
  });

  it("takes more than a terminal holds, pasted while it does not read", async () => {
    const script =
      "import sys, time, tty\ntty.setraw(0)\nprint('raw', end='\\r\\n', flush=True)\ntime.sleep(1)\nn = 0\nwhile n < 200000:\n  n += len(sys.stdin.buffer.raw.read(65536))\nprint(n, end='\\r\\n')";
    const { shown } = await python(script, [["raw", { paste: 200_000 }]]);
    expect(shown).toBe("raw\r\n200000\r\n");
  });
});

describe("job control", () => {
  const job = `${LAUNCH.join(" ")} -- `;

  it("stops with Ctrl-Z, gives the terminal back, and goes on with fg", async () => {
    const { shown, untyped, modes } = await inBash(program, [
      ["ready> ", `${job}sh -c 'echo be""gun; exec cat'\r`],
      ["begun", "one\r"],
      ["one\r\none\r\n", "\u001a"],
      ["Stopped", "stty -a | tr ' ;' '\\n\\n' | grep -x -e echo -e icanon\r"],
      ["echo\r\n", "fg\r"],
      ["exec cat'", "two\r"],
      ["two\r\ntwo\r\n", "\u0004"],
      ["ready> ", "echo status-$?\r"],
      ["status-0", "exit\r"],
    ]);
    expect(untyped, shown).toBe(0);
    expect(modes).toEqual(SANE);
  });

  it("stops also a program that handles the key itself, and others of its job with it", async () => {
    const editor = [
      "import os, signal, sys, tty",
      "tty.setraw(0)",
      "print('begun', end='\\r\\n', flush=True)",
      "sys.stdin.buffer.raw.read(1)",
      "os.kill(0, signal.SIGTSTP)",
      "print('again', end='\\r\\n', flush=True)",
      "sys.stdin.buffer.raw.read(1)",
    ];
    writeFileSync(join(program.repo, "editor.py"), editor.join("\n"));
    const { shown, untyped } = await inBash(program, [
      ["ready> ", `${job}python3 editor.py\r`],
      ["begun", "\u001a"],
      ["Stopped", "fg\r"],
      ["again", "q"],
      ["ready> ", "exit\r"],
    ]);
    expect(untyped, shown).toBe(0);
  });

  it.each([
    ["through pipes", "--tty pipe"],
    ["supervised without redaction", "--no-redact --file F=stripe/API_KEY"],
    ["handed over", "--no-redact"],
  ])("is the job that a program is alone, %s", async (_, options) => {
    const { shown, untyped, modes } = await inBash(program, [
      ["ready> ", `${LAUNCH.join(" ")} ${options} -- sh -c 'echo be""gun; exec cat'\r`],
      ["begun", "one\r"],
      ["one\r\none\r\n", "\u001a"],
      ["Stopped", ""],
      ["ready> ", "fg\r"],
      ["exec cat'", "two\r"],
      ["two\r\ntwo\r\n", "\u0003"],
      ["ready> ", "echo status-$?\r"],
      ["status-130", "exit\r"],
    ]);
    expect(untyped, shown).toBe(0);
    expect(modes).toEqual(SANE);
  });

  it.each([
    ["on a pseudo-terminal", ""],
    ["through pipes", "--tty pipe"],
  ])("stops when its program is stopped from elsewhere, and goes on with fg, %s", async (_, options) => {
    const script =
      "import os, signal, sys; print('begun', flush=True); os.kill(os.getpid(), signal.SIGSTOP); print('again')";
    writeFileSync(join(program.repo, "stops.py"), script);
    const { shown, untyped } = await inBash(program, [
      ["ready> ", `${LAUNCH.join(" ")} ${options} -- python3 stops.py\r`],
      ["begun", ""],
      ["Stopped", ""],
      ["ready> ", "fg\r"],
      ["again", ""],
      ["ready> ", "echo status-$?\r"],
      ["status-0", "exit\r"],
    ]);
    expect(untyped, shown).toBe(0);
  });

  it("stops at once where its output waits for a reader that has stopped as well", async () => {
    const { shown, untyped } = await inBash(program, [
      ["ready> ", `${LAUNCH.join(" ")} -- sh -c 'echo be""gun >&2; exec yes' | sleep 100\r`],
      ["begun", "\u001a"],
      ["Stopped", ""],
      ["ready> ", "kill -9 %1; sleep 0.2\r"],
      ["ready> ", "exit\r"],
    ]);
    expect(untyped, shown).toBe(0);
  });

  it("does not stop while its program minds Ctrl-Z and does not stop itself, through pipes", async () => {
    const script = [
      "import os, signal, sys, time",
      "signal.signal(signal.SIGTSTP, lambda *_: print('minded', flush=True))",
      "print('begun', flush=True)",
      "sys.stdin.readline()",
      "print('read')",
    ];
    writeFileSync(join(program.repo, "minds.py"), script.join("\n"));
    const { shown, untyped } = await inBash(program, [
      ["ready> ", `${LAUNCH.join(" ")} --tty pipe -- python3 minds.py\r`],
      ["begun", "\u001a"],
      ["minded", "line\r"],
      ["read", ""],
      ["ready> ", "exit\r"],
    ]);
    expect(untyped, shown).toBe(0);
    expect(shown).not.toContain("Stopped");
  });

  it("shows what the program wrote before it stopped before the shell's prompt", async () => {
    const script =
      "import os, signal, sys; sys.stdout.write('x' * 20000 + '<right>' + 'sk_l'); sys.stdout.flush(); os.kill(0, signal.SIGTSTP)";
    writeFileSync(join(program.repo, "stops.py"), script);
    const { shown, untyped } = await inBash(program, [
      ["ready> ", `${job}python3 stops.py\r`],
      ["<right>sk_l", ""],
      ["Stopped", ""],
      ["ready> ", "fg\r"],
      ["--quiet -- python3 stops.py", ""],
      ["ready> ", "exit\r"],
    ]);
    expect(untyped, shown.slice(-500)).toBe(0);
  });

  it("leaves the modes of the program in the foreground alone when it ends in the background", async () => {
    const raw = [
      "import sys, termios, time, tty",
      "before = termios.tcgetattr(0)",
      "tty.setraw(0)",
      "time.sleep(1.5)",
      "still = not termios.tcgetattr(0)[3] & termios.ICANON",
      "termios.tcsetattr(0, termios.TCSANOW, before)",
      "print('still', 'raw' if still else 'cooked')",
    ];
    writeFileSync(join(program.repo, "raw.py"), raw.join("\n"));
    for (const mode of ["pty", "pipe"]) {
      const { shown } = await inBash(program, [
        ["ready> ", `${LAUNCH.join(" ")} --tty ${mode} -- sleep 0.5 & python3 raw.py\r`],
        ["still ", "exit\r"],
      ]);
      expect(shown).toContain("still raw");
    }
  });

  it("that starts in the background has the modes of a terminal, not those in which a shell reads its line", async () => {
    const { shown, untyped } = await inBash(program, [
      ["ready> ", `${job}cat &\r`],
      ["ready> ", "fg\r"],
      ["-- cat\r\n", "hello\r"],
      ["hello\r\nhello\r\n", "\u0004"],
      ["ready> ", "exit\r"],
    ]);
    expect(untyped, shown).toBe(0);
  });

  it("runs in the background without taking the keys, and takes them in the foreground", async () => {
    const { shown, untyped } = await inBash(program, [
      ["ready> ", `${job}sh -c 'echo begun; read line; echo "got $line"' &\r`],
      ["begun", "echo mine\r"],
      ["mine\r\n", "fg\r"],
      ["read line", "yours\r"],
      ["got yours", ""],
      ["ready> ", "exit\r"],
    ]);
    expect(untyped, shown).toBe(0);
  });

  it("gives Ctrl-C to the jobs of a shell that was launched", async () => {
    // No shell that starts something: it may take Ctrl-C in between, and what it started may not have stopped yet, and
    // read what is typed next, when it has itself.
    const waits =
      "import signal\nsignal.signal(2, signal.SIG_DFL)\nprint('begun', flush=True)\nsignal.pause()";
    writeFileSync(join(program.repo, "waits.py"), waits);
    const { shown, untyped } = await inBash(program, [
      ["ready> ", `${job}env PS1='in''ner> ' bash --norc --noprofile -i\r`],
      ["inner> ", "python3 waits.py\r"],
      ["begun", "\u0003"],
      ["inner> ", "sh -c 'echo be''gun; exec cat'\r"],
      ["begun", "one\r"],
      ["one\r\none\r\n", "\u001a"],
      ["Stopped", ""],
      ["inner> ", "kill -9 %1; sleep 0.3\r"],
      ["inner> ", "exit\r"],
      ["ready> ", "exit\r"],
    ]);
    expect(untyped, shown).toBe(0);
  });
});

describe("signals and ends", () => {
  it("reach the program once each", async () => {
    const script =
      "trap 'echo USR1' USR1; trap 'echo TERM' TERM; trap 'exit 4' QUIT; echo up; while :; do sleep 0.05; done";
    const signal = (kill: string): Action => ({
      kill,
      match: "[n]ode .*vault-run --agent crawler --quiet -- sh -c trap",
    });
    const { shown, status } = await sh(script, [
      ["up", signal("USR1")],
      ["USR1", signal("TERM")],
      ["TERM", signal("QUIT")],
    ]);
    expect({ shown, status }).toEqual({ shown: "up\r\nUSR1\r\nTERM\r\n", status: 4 });
  });

  it("leave a sane terminal when the program is killed in the middle", async () => {
    const { status, modes } = await sh("stty raw -echo; echo up; sleep 60 & kill -KILL $$");
    expect({ status, modes }).toEqual({ status: 137, modes: SANE });
  });

  it("leave a sane terminal and no program behind when vault-run itself is killed", async () => {
    const mark = `6${process.pid % 1000}.25`;
    const { modes, untyped } = await onTerminal(
      program,
      ["sh", "-c", `${LAUNCH.join(" ")} -- sh -c 'stty raw -echo; echo up; sleep ${mark}'; sleep 0.5`],
      [["up", { kill: "KILL", match: "[n]ode .*vault-run --agent crawler" }]],
    );
    expect({ untyped, modes }).toEqual({ untyped: 0, modes: SANE });
    expect((await execa("pgrep", ["-f", `sleep ${mark}`], { reject: false })).stdout).toBe("");
  });

  it("come with the terminal's own end, which ends the program", async () => {
    const mark = `7${process.pid % 1000}.25`;
    await sh(`echo up; sleep ${mark}`, [["up", { hangUp: true }]]);
    await expect
      .poll(async () => (await execa("pgrep", ["-f", `sleep ${mark}`], { reject: false })).stdout, {
        timeout: 10_000,
      })
      .toBe("");
  });
});

describe("a terminal that goes away", () => {
  it("is gone for a program too that does not mind a hangup", async () => {
    const script = 'trap "" HUP; echo up; read line; echo "read $?" > end';
    await sh(script, [["up", { hangUp: true }]]);
    await expect
      .poll(() => existsSync(join(program.repo, "end")) && file("end"), { timeout: 10_000 })
      .toBe("read 1\n");
  });
});

describe("streams that are no terminal", () => {
  const shell = (script: string) =>
    onTerminal(program, ["bash", "-c", script.replaceAll("RUN", LAUNCH.join(" "))]);

  it("stay what they are: a file to read from, an error log of its own", async () => {
    const { shown } = await shell(
      "RUN -- sh -c 'cat; [ -t 1 ] && echo tty; [ -t 2 ] || echo no; echo $API_KEY >&2' < <(echo in) 2> log",
    );
    expect(shown).toBe("in\r\ntty\r\nno\r\n");
    expect(file("log")).toBe(`${MASK}\n`);
  });

  it("are pipes where standard output is one, or where that is asked for", async () => {
    const script = "[ -t 1 ] || echo pipe; [ -t 0 ] && echo in";
    expect((await shell(`RUN -- sh -c '${script}' | cat`)).shown).toBe("pipe\r\nin\r\n");
    expect((await sh(script, [], "--tty", "pipe")).shown).toBe("pipe\r\nin\r\n");
  });

  it("make way for a terminal where one is asked for", async () => {
    const script = "[ -t 1 ] && echo $API_KEY; [ -t 0 ] || echo in; [ -t 2 ] || echo err >&2";
    const run = await program.run([
      "--agent",
      "crawler",
      "--quiet",
      "--tty",
      "pty",
      "--",
      "sh",
      "-c",
      script,
    ]);
    expect(run).toMatchObject({ status: 0, stdout: `${MASK}\r\nin\r\n`, stderr: "err\n" });
  });

  it("let keys through to a program that asks the terminal for them", async () => {
    const { shown, untyped } = await onTerminal(
      program,
      ["bash", "-c", `echo text | ${LAUNCH.join(" ")} -- sh -c 'cat; read key < /dev/tty; echo "key $key"'`],
      [["text", "k\r"]],
    );
    expect({ untyped, ends: shown.endsWith("key k\r\n") }).toEqual({ untyped: 0, ends: true });
  });
});

describe("what a terminal costs", () => {
  it("is said where variables have names that no shell passes on", async () => {
    const odd = { "odd.name": "1", "npm_config_//x": "2" };
    const { shown } = await onTerminal(program, [...LAUNCH, "--", "env"], [], odd);
    expect(shown).toContain(
      "not passed on, as no shell does (--tty pipe passes them on): odd.name, npm_config_//x",
    );
    expect(shown).not.toContain("odd.name=1");
    const own = await onTerminal(program, [...LAUNCH, "--", "sh", "-c", "echo fine"], [], {
      OPTIND: "abc",
      IFS: "x",
    });
    expect(own.shown).toMatch(/pipe passes them on\): [A-Z, ]*OPTIND.*\r\nfine\r\n$/);
    expect((await onTerminal(program, [...LAUNCH, "--tty", "pipe", "--", "env"], [], odd)).shown).toContain(
      "odd.name=1",
    );
  });

  it("is said where the optional package is not installed: pipes, or a refusal if it was asked for", async () => {
    const plain = { PATH: [inject("plainBinFolder"), program.env.PATH].join(delimiter) };
    const script = "[ -t 1 ] || echo pipe $API_KEY";
    const auto = await onTerminal(program, [...LAUNCH, "--", "sh", "-c", script], [], plain);
    expect(auto.shown).toBe(
      `vault-run: no pseudo-terminal: the optional package koffi is not installed, so the program sees pipes (--tty pipe asks for that)\r\npipe ${MASK}\r\n`,
    );
    const asked = await onTerminal(program, [...LAUNCH, "--tty", "pty", "--", "touch", "started"], [], plain);
    expect(asked.status).toBe(125);
    expect(asked.shown).toContain(
      "vault-run: no pseudo-terminal: the optional package koffi is not installed",
    );
    expect(existsSync(join(program.repo, "started"))).toBe(false);
    const quiet = await onTerminal(
      program,
      [...LAUNCH, "--tty", "pipe", "--", "sh", "-c", script],
      [],
      plain,
    );
    expect(quiet.shown).toBe(`pipe ${MASK}\r\n`);
  });

  it("is said where the system has none to give, before anything is released", async () => {
    const without = (mode: string, command: string) =>
      onTerminal(program, [
        "unshare",
        "-m",
        "sh",
        "-c",
        `mount --bind /dev/null /dev/ptmx; ${LAUNCH.join(" ")} --tty ${mode} -- ${command}`,
      ]);
    const auto = await without("auto", "sh -c '[ -t 1 ] || echo pipe'");
    expect(auto).toMatchObject({ status: 0 });
    expect(auto.shown).toMatch(
      /no pseudo-terminal can be made \(E\w+\), so the program sees pipes.*\r\npipe\r\n$/,
    );
    const before = program.auditLines().length;
    const asked = await without("pty", "touch started");
    expect(asked.status).toBe(125);
    expect(existsSync(join(program.repo, "started"))).toBe(false);
    expect(program.auditLines()).toHaveLength(before);
  });

  it("is no mode of another name", async () => {
    const { status, stderr } = await program.run(["--agent", "crawler", "--tty", "yes", "--", "true"]);
    expect({ status, stderr }).toEqual({
      status: 125,
      stderr: "vault-run: --tty takes auto, pty, pipe\n  see vault-run --help\n",
    });
  });
});
