import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, inject, it } from "vitest";
import { Program } from "../fixtures/program.ts";

// Secrets as files and pipes that are nowhere on a disk, read by the programs that people use them with.

const PASSWORD = "correct horse battery staple";
const MEBIBYTE = 1 << 20;
/** Printable, and nowhere the same. */
const LARGE = Buffer.from(
  Array.from({ length: MEBIBYTE / 64 }, (_, i) => createHash("sha256").update(`${i}`).digest("hex")).join(""),
);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await made.must(["add-agent", "crawler"]);
  const keys = join(made.home, "keys");
  await execa("sh", [
    "-c",
    `mkdir ${keys}; ssh-keygen -q -t ed25519 -N '' -C test -f ${keys}/ssh; openssl genpkey -algorithm ed25519 -out ${keys}/pem`,
  ]);
  await made.set("files/SSH_KEY", readFileSync(join(keys, "ssh")), "--as-file");
  await made.set("files/PEM", readFileSync(join(keys, "pem")), "--as-file");
  await made.set(
    "files/NETRC",
    `machine 127.0.0.1 login crawler password ${PASSWORD.replaceAll(" ", "-")}\n`,
  );
  await made.set("files/PGPASS", `127.0.0.1:*:*:crawler:${PASSWORD}\n`);
  await made.set("files/NPMRC", "//example.test/:_authToken=npm_0123456789abcdef\ntag=from-the-vault\n");
  await made.set(
    "files/BINARY",
    Uint8Array.from({ length: 5000 }, (_, i) => i % 256),
    "--as-file",
  );
  await made.set("large/BLOB", LARGE, "--as-file");
  await made.must(["grant", "crawler", "files"]);
  await made.must(["grant", "crawler", "large"]);
});
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const launch = (options: readonly string[], command: readonly string[], env: Record<string, string> = {}) =>
  program.run(["--agent", "crawler", "--quiet", ...options, "--", ...command], { env });
const WAYS = ["file", "pipe"] as const;

describe("a secret as a file or a pipe is read by", () => {
  it.each(WAYS)("ssh-keygen, for a private key (%s)", async (way) => {
    const { stdout } = await launch(
      [`--${way}`, "KEY=files/SSH_KEY"],
      ["sh", "-c", 'ssh-keygen -y -f "$KEY"'],
    );
    const [type, key] = readFileSync(join(program.home, "keys/ssh.pub"), "utf8").split(" ");
    expect(stdout).toContain(`${type} ${key}`);
  });

  it.each(WAYS)("openssl, for a private key (%s)", async (way) => {
    const script = 'openssl pkey -in "$KEY" -pubout';
    const { stdout } = await launch([`--${way}`, "KEY=files/PEM"], ["sh", "-c", script]);
    const alone = await execa("openssl", ["pkey", "-in", join(program.home, "keys/pem"), "-pubout"]);
    expect(stdout.trim()).toBe(alone.stdout);
  });

  it.each(WAYS)("curl, for a login (%s)", async (way) => {
    const server = createServer((request, response) => response.end(request.headers.authorization ?? "none"));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { stdout } = await launch(
      [`--${way}`, "NETRC=files/NETRC"],
      ["sh", "-c", `curl -s --noproxy '*' --netrc-file "$NETRC" ${url}`],
    );
    server.close();
    const [scheme, login] = stdout.split(" ");
    expect(scheme).toBe("Basic");
    expect(Buffer.from(login ?? "", "base64").toString()).toBe(`crawler:${PASSWORD.replaceAll(" ", "-")}`);
  });

  // psql takes no pipe: it wants a plain file that nobody else can read.
  it("psql, for a password (file)", async () => {
    const server = execa("python3", [
      resolve(import.meta.dirname, "../fixtures/postgres.py"),
      "crawler",
      PASSWORD,
    ]);
    const port = await new Promise<string>((done) =>
      server.stdout.once("data", (line: Buffer) => done(line.toString().trim())),
    );
    await launch(
      ["--file", "PGPASSFILE=files/PGPASS"],
      ["psql", "-w", "-h", "127.0.0.1", "-p", port, "-U", "crawler", "-d", "x", "-c", "select 1"],
    );
    expect((await server).stdout).toBe(`${port}\nright`);
  });

  it("npm, for its settings (file)", async () => {
    const command = [
      "sh",
      "-c",
      'npm --userconfig "$RC" config get tag; npm --userconfig "$RC" config get tag',
    ];
    const { stdout } = await launch(["--file", "RC=files/NPMRC"], command);
    expect(stdout).toBe("from-the-vault\nfrom-the-vault\n");
  });

  it.each([
    ["cat", 'cat "$BLOB" | sha256sum | cut -d " " -f 1'],
    ["cat, by its number", `eval "cat <&\${BLOB##*/}" | sha256sum | cut -d " " -f 1`],
    [
      "Python",
      `python3 -c 'import hashlib, os; print(hashlib.sha256(open(os.environ["BLOB"], "rb").read()).hexdigest())'`,
    ],
    [
      "Python, by its number",
      `python3 -c 'import hashlib, os; print(hashlib.sha256(os.fdopen(int(os.environ["BLOB"].split("/")[-1]), "rb").read()).hexdigest())'`,
    ],
    [
      "node",
      `node -e 'console.log(require("crypto").createHash("sha256").update(require("fs").readFileSync(process.env.BLOB)).digest("hex"))'`,
    ],
    [
      "node, by its number",
      `node -e 'console.log(require("crypto").createHash("sha256").update(require("fs").readFileSync(Number(process.env.BLOB.split("/").pop()))).digest("hex"))'`,
    ],
  ])("%s, all of 1 MiB", async (_, script) => {
    for (const way of WAYS)
      for (const tty of ["auto", "pty"]) {
        const { stdout } = await launch([`--${way}`, "BLOB=large/BLOB", "--tty", tty], ["sh", "-c", script]);
        expect(stdout.trim(), way).toBe(sha256(LARGE));
      }
  });
});

describe("a secret as a file", () => {
  it("is the way of a secret that was set as one; --env and --pipe take it another way", async () => {
    const script = 'echo "$PEM"; head -c 27 "$PEM"';
    expect((await launch(["--only", "files/PEM"], ["sh", "-c", script])).stdout).toBe(
      "/dev/fd/3\n-----BEGIN PRIVATE KEY-----",
    );
    const env = await launch(["--env", "PEM=files/PEM"], ["sh", "-c", 'printf %s "$PEM" | head -c 27']);
    expect(env.stdout).toBe("-----BEGIN PRIVATE KEY-----");
    const { stdout } = await launch(["--pipe", "PEM=files/PEM"], ["sh", "-c", 'stat -L -c %F "$PEM"']);
    expect(stdout).toBe("fifo\n");
  });

  it("is read again and again, from any place in it, and cannot be written by its number", async () => {
    const script = `
import os
path = os.environ["BINARY"]; fd = int(path.split("/")[-1])
expected = bytes(i % 256 for i in range(5000))
assert [open(path, "rb").read() for _ in range(3)] == [expected] * 3
assert os.pread(fd, 10, 4990) == expected[4990:] and os.lseek(fd, 300, 0) == 300 and os.read(fd, 2) == b"\\x2c\\x2d"
file = open(path, "rb"); file.seek(-1, 2); assert file.read() == expected[-1:]
try: os.write(fd, b"x"); print("written")
except OSError: pass
status = os.stat(path); print(oct(status.st_mode), status.st_nlink, status.st_uid == os.getuid())`;
    const { stdout, stderr } = await launch(["--only", "files/BINARY"], ["python3", "-c", script]);
    expect({ stdout, stderr }).toEqual({ stdout: "0o100400 0 True\n", stderr: "" });
  });

  it("has no name anywhere while the program runs, and is gone with it", async () => {
    const marker = "value-that-is-looked-for-everywhere-0123456789";
    await program.set("files/MARKED", marker, "--as-file");
    const found = (folder: string) => `grep -rlF looked-for-everywhere-0123456789 ${folder} 2>/dev/null`;
    const script = `readlink /proc/self/fd/3; ${found("/dev/shm")}; ${found(program.home)}; echo end`;
    const { stdout } = await launch(["--only", "files/MARKED"], ["sh", "-c", script]);
    expect(stdout).toMatch(/^\/dev\/shm\/#\d+ \(deleted\)\nend\n$/);
    expect((await execa("sh", ["-c", `${found("/dev/shm")}; true`])).stdout).toBe("");
  });

  // A namespace of its own: the machine's /dev/shm stays as it is.
  const without = (script: string) =>
    [
      "unshare",
      "--mount",
      "sh",
      "-c",
      `${script} && exec vault-run --agent crawler --quiet "$@"`,
      "sh",
    ] as const;
  const run = (script: string, words: readonly string[], env = program.env) => {
    const [file, ...args] = without(script);
    return execa(file, [...args, ...words], { cwd: program.repo, env, extendEnv: false, reject: false });
  };
  const READ = [
    "--file",
    "BLOB=large/BLOB",
    "--",
    "sh",
    "-c",
    'readlink "/proc/self/fd/${BLOB##*/}"; sha256sum < "$BLOB"',
  ];

  it.each([
    ["a disk", "mkdir -p disk && mount --bind disk /dev/shm"],
    ["a full one", "mount -t tmpfs -o size=64k none /dev/shm"],
    ["a read-only one", "mount -t tmpfs -o ro none /dev/shm"],
    ["nothing", "mount -t tmpfs none /dev && ln -s /proc/self/fd /dev/fd && mknod /dev/null c 1 3"],
  ])("is made by memfd where /dev/shm is %s, and never on a disk (promise 1)", async (_, script) => {
    const { stdout, stderr, exitCode } = await run(script, READ);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(`/memfd:vault-run (deleted)\n${sha256(LARGE)}  -`);
  });

  it("is refused where there is no place in memory at all, and nothing is started (promise 1, promise 2)", async () => {
    const env = {
      ...program.env,
      PATH: program.env.PATH?.replace(inject("binFolder"), inject("plainBinFolder")) ?? "",
    };
    const { stdout, stderr, exitCode } = await run("mkdir -p disk && mount --bind disk /dev/shm", READ, env);
    expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: "" });
    expect(stderr).toBe(
      "vault-run: no unnamed in-memory file can be made: /dev/shm: not a tmpfs; memfd: the optional package koffi is not installed\n" +
        "  mount a tmpfs with some space on /dev/shm, or deliver the secret in a variable with --env",
    );
    expect(program.auditLines().some(({ action }) => action === "launch")).toBe(false);
  });
});

describe("a secret as a pipe", () => {
  it("is a real one, that can be read once", async () => {
    const script = 'stat -L -c %F "$BLOB"; wc -c < "$BLOB"; wc -c < "$BLOB"';
    const { stdout } = await launch(["--pipe", "BLOB=large/BLOB"], ["sh", "-c", script]);
    expect(stdout.split("\n").map((line) => line.trim())).toEqual(["fifo", `${MEBIBYTE}`, "0", ""]);
  });

  it("that nobody reads, or not to its end, keeps nothing alive and changes no status", async () => {
    for (const script of [
      "exit 3",
      'head -c 10 "$BLOB" > /dev/null; exit 3',
      "exec 3<&-; sleep 0.1; exit 3",
    ]) {
      const started = Date.now();
      expect(await launch(["--pipe", "BLOB=large/BLOB"], ["sh", "-c", script])).toMatchObject({
        status: 3,
        stderr: "",
      });
      expect(Date.now() - started).toBeLessThan(20_000);
    }
  });

  it("holds nothing up while it waits for its reader: output and signals pass", async () => {
    const script = `trap 'sha256sum < "$BLOB"; exit 4' TERM; echo ready; while :; do sleep 0.05; done`;
    const child = program.start([
      "--agent",
      "crawler",
      "--pipe",
      "BLOB=large/BLOB",
      "--",
      "sh",
      "-c",
      script,
    ]);
    await new Promise((done) => child.stdout?.once("data", done));
    child.kill("SIGTERM");
    const { exitCode, stdout } = await child;
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: `ready\n${sha256(LARGE)}  -\n` });
  });

  it("leaves its other end to nobody: a program that waits for the end sees it", async () => {
    const { stdout } = await launch(
      ["--pipe", "A=files/PEM", "--pipe", "B=files/SSH_KEY"],
      ["sh", "-c", 'cat "$A" "$B" | wc -l'],
    );
    const lines = (name: string) =>
      readFileSync(join(program.home, "keys", name), "utf8").split("\n").length - 1;
    expect(stdout.trim()).toBe(`${lines("pem") + lines("ssh")}`);
  });

  it("is refused without the package that makes it, and nothing is started (promise 2)", async () => {
    const env = { PATH: program.env.PATH?.replace(inject("binFolder"), inject("plainBinFolder")) ?? "" };
    const { status, stdout, stderr } = await launch(["--pipe", "P=files/PEM"], ["echo", "started"], env);
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
    expect(stderr).toBe(
      "vault-run: no pipe can be made: the optional package koffi is not installed\n" +
        "  reinstall vault-run with its optional packages, or deliver the secret with --file\n",
    );
  });
});

describe("the numbers of what is delivered", () => {
  it("are those that are free, beside the descriptors that the caller handed on", async () => {
    const words = ["--only", "files/PEM", "--file", "F=files/NETRC", "--pipe", "P=files/PGPASS"];
    const script = 'echo $PEM $F $P; cat <&3; cat <&5; cut -c 1-7 "$F"; cut -c 1-7 "$P"';
    const command = `vault-run --agent crawler --quiet ${words.join(" ")} -- sh -c '${script}' 3< three 5< five`;
    const make = "echo three > three; echo five > five";
    const settings = { cwd: program.repo, env: program.env, extendEnv: false };
    const { stdout } = await execa("sh", ["-c", `${make}; ${command}`], settings);
    expect(stdout).toBe("/dev/fd/4 /dev/fd/6 /dev/fd/7\nthree\nfive\nmachine\n127.0.0");
  });
});
