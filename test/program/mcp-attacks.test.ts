import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hasControls } from "../../src/vault/names.ts";
import { EvilClient } from "../fixtures/evil-client.ts";
import { Program } from "../fixtures/program.ts";
import { TlsServer } from "../fixtures/tls-server.ts";

// A21 of the attacks: a client that means harm. Whatever it does, no value of any secret is in any byte that reaches it, and
// no process is left.

const VALUES = {
  "api/KEY": "sk_live_51Habcdefghijklmno",
  "api/SECOND": "second-value-of-the-api-group",
  "bound/TOKEN": "ghp_boundtokenofthebinding12",
  "other/PASSWORD": "password-of-another-group-77",
};

let server: TlsServer;
let template: Program;
let program: Program;
let clients: EvilClient[];
beforeAll(async () => {
  server = await TlsServer.start(["DNS:localhost", "DNS:rebound.example.org", "DNS:metadata.example.org"]);
  template = await Program.template(async (made) => {
    await made.must(["init", "--classic"]);
    await made.must(["add-agent", "crawler"]);
    for (const [ref, value] of Object.entries(VALUES)) await made.set(ref, value);
    await made.must(["grant", "crawler", "api"]);
    await made.must(["grant", "crawler", "bound"]);
    const origins = [server.origin, "https://rebound.example.org", "https://metadata.example.org"];
    await made.must(["policy", "api", ...origins.flatMap((origin) => ["--allow-origin", origin])]);
    await made.must(["policy", "bound", "--allow-command", "gh api"]);
  });
});
afterAll(() => server.stop());
beforeEach(() => {
  program = template.copy();
  clients = [];
  server.received.length = 0;
});
afterEach(async () => {
  for (const client of clients) {
    await client.end();
    for (const [ref, value] of Object.entries(VALUES))
      for (const spelling of spellings(value)) expect(client.bytes.includes(spelling), ref).toBe(false);
    expect(client.bytes.includes("AGE-SECRET-KEY-")).toBe(false);
  }
  expect(leftBehind()).toEqual([]);
});

function spellings(value: string): string[] {
  const bytes = Buffer.from(value);
  // In the three alignments, only what the value alone determines.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .slice(shift === 0 ? 0 : 4, -4),
  );
  return [value, ...base64, bytes.toString("hex"), bytes.toString("hex").toUpperCase(), value.slice(0, 14)];
}

/** Processes that a call has started: they have its variable. */
function leftBehind(): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return (
        readFileSync(`/proc/${pid}/environ`, "latin1").includes("VAULT_RUN_CALL=") &&
        !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "latin1"))
      );
    } catch {
      return false;
    }
  });
}

/** The most that a process has had of it so far. */
function mostMemoryKiB(pid: number): number {
  const [, most = ""] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(most);
}

function connect(args: readonly string[] = [], env: object = {}, prefix: readonly string[] = []): EvilClient {
  const client = new EvilClient(program, args, env, prefix);
  clients.push(client);
  return client;
}

describe("an evil client", () => {
  it("gets at no other group, by whatever name", async () => {
    const evil = connect();
    const names = [
      ...[
        "other/PASSWORD",
        "other/../api/KEY",
        "../other/PASSWORD",
        "api/../other/PASSWORD",
        "OTHER/PASSWORD",
      ],
      ...[
        "api/KEY\0other/PASSWORD",
        "api/KEY,other/PASSWORD",
        "X=other/PASSWORD",
        "api/*",
        "*/*",
        "",
        "/",
        "api/",
      ],
      ...[
        "api//KEY",
        "./api/KEY",
        "/api/KEY",
        "api%2fKEY",
        "__proto__/x",
        "constructor/prototype",
        "api/__proto__",
      ],
    ];
    for (const name of names) {
      expect(await evil.call("get_secret", { name }), name).toMatch(/^refused/);
      expect(await evil.run(["env"], [name]), name).toMatch(/^refused/);
      expect(await evil.run(["env"], [{ name, as: "env", variable: "X" }]), name).toMatch(/^refused/);
      const auth = { as: "bearer", secret: name };
      expect(await evil.call("http_request", { method: "GET", url: `${server.origin}/`, auth })).toMatch(
        /^refused/,
      );
      expect(await evil.call("list_secrets", { group: name })).not.toContain("PASSWORD");
    }
    expect(await evil.run(["env"], ["api/KEY", "other/PASSWORD"])).toMatch(/^refused \(not-granted\)/);
    // Only what is named, also where all is named with variables.
    const only = await evil.run(["env"], [{ name: "api/KEY", as: "env", variable: "ONE" }]);
    expect(only).toContain("ONE=[REDACTED:api/KEY]");
    expect(only).not.toMatch(/SECOND|TOKEN|PASSWORD|VAULT_RUN_KEY/);
    const opened = program
      .auditLines()
      .flatMap(({ secrets, action }) => (action === "mcp" ? (secrets ?? []) : []));
    expect(opened).toMatchObject([{ group: "api", name: "KEY" }]);
  });

  it("gets nothing by shell metacharacters: no shell looks at them", async () => {
    const evil = connect();
    const words = [
      "$KEY",
      "`printenv KEY`",
      "$(printenv KEY)",
      "; printenv KEY",
      "| env",
      "> /tmp/x",
      "&& env",
      "\nenv",
    ];
    const shown = await evil.run(["printf", "%s|", ...words], ["api/KEY"]);
    expect(shown).toContain(`--- stdout\n${words.join("|")}|`);
    for (const program of ["printenv KEY", "sh -c env", "$SHELL", "`sh`", "env;"])
      expect(await evil.run([program], ["api/KEY"])).toContain("command not found");
  });

  it("gets past no binding to commands", async () => {
    const bin = join(program.home, "bin");
    const fake = join(program.home, "fake");
    for (const folder of [bin, fake]) mkdirSync(folder);
    writeFileSync(join(bin, "gh"), '#!/bin/sh\necho "gh $*"\n');
    writeFileSync(join(fake, "gh"), `#!/bin/sh\necho "$TOKEN" > ${program.home}/stolen\n`);
    for (const folder of [bin, fake]) chmodSync(join(folder, "gh"), 0o755);
    // The PATH has the current folder in it, in the three ways that there are.
    const evil = connect([], { PATH: `:.:fake:${bin}:${program.env.PATH}:` });
    expect(await evil.run(["gh", "api", "/user"], ["bound/TOKEN"], { cwd: fake })).toContain("gh api /user");
    for (const command of [
      ...[["env"], ["printenv"], ["printenv", "TOKEN"], ["sh", "-c", "gh api; env"], ["env", "gh", "api"]],
      ...[
        ["gh"],
        ["gh", "apix"],
        ["gh", "auth", "token"],
        ["gh", "API"],
        ["./gh", "api"],
        ["gh api"],
        ["gh\0api"],
      ],
      ...[
        [join(fake, "gh"), "api"],
        ["fake/gh", "api"],
        ["gh ", "api"],
        ["gh", "", "api"],
        ["GH", "api"],
        [""],
      ],
    ])
      expect(await evil.run(command, ["bound/TOKEN"], { cwd: program.home }), command.join(" ")).toMatch(
        /^refused/,
      );
    for (const variable of [
      "PATH",
      "LD_PRELOAD",
      "NODE_OPTIONS",
      "BASH_ENV",
      "GIT_SSH_COMMAND",
      "LD_LIBRARY_PATH",
    ])
      for (const secrets of [
        [{ name: "bound/TOKEN", as: "env", variable }],
        ["bound/TOKEN", { name: "api/KEY", as: "env", variable }],
      ])
        expect(await evil.run(["gh", "api"], secrets), variable).toMatch(/^refused/);
    // One bound group binds the call.
    expect(await evil.run(["env"], ["api/KEY", "bound/TOKEN"])).toMatch(/^refused \(not-allowed\)/);
    expect(existsSync(join(program.home, "stolen"))).toBe(false);
  });

  it.each(["", ".", "fake:", "::"])("gets past none where the server's PATH is '%s'", async (path) => {
    const fake = join(program.home, "fake");
    mkdirSync(fake);
    writeFileSync(join(fake, "gh"), `#!/bin/sh\necho "$TOKEN" > ${program.home}/stolen\n`);
    chmodSync(join(fake, "gh"), 0o755);
    const script = `set -- "$(command -v node)" "$(command -v "$0")" "$@"; PATH=${path}; exec "$@"`;
    const evil = connect([], {}, ["sh", "-c", script]);
    for (const cwd of [fake, program.home]) await evil.run(["gh", "api"], ["bound/TOKEN"], { cwd });
    expect(existsSync(join(program.home, "stolen"))).toBe(false);
    expect(await evil.run(["sh", "-c", 'echo "$PATH"'], ["api/KEY"])).toContain("stdout\n/bin:/usr/bin\n");
  });

  it("sees no value in output, in whatever encoding, from whichever call", async () => {
    const evil = connect();
    const secrets = ["api/KEY"];
    for (const script of [
      "env; set; export",
      'printf %s "$KEY" | base64; printf "a%s" "$KEY" | base64 -w 20; printf "ab%s" "$KEY" | base64 | tr +/ -_',
      'printf %s "$KEY" | xxd -p; printf %s "$KEY" | xxd -p -u; printf %s "$KEY" | od -An -tx1 | tr -d " \\n"',
      'for part in 1 2 3; do printf "%s" "$KEY" | cut -c1-13 | tr -d "\\n"; printf "%s" "$KEY" | cut -c14- | tr -d "\\n"; done',
      'printf %s "$KEY" | head -c 13; sleep 0.2; printf %s "$KEY" | tail -c +14',
      'printf %s "$KEY" >&2; cat /proc/self/environ',
      'jq -n --arg k "$KEY" "{k: \\$k, l: (\\$k | @json), m: (\\$k | @uri), n: (\\$k | @base64)}"',
      'printf "\\033[31m%s\\033[0m" "$KEY"; echo "$KEY" | sed "s/./&\\r/13"',
      'cat "$HOME"/.config/vault-run/*/agents/crawler.key',
    ])
      expect(await evil.run(["sh", "-c", script], secrets), script).toContain("[REDACTED:");
    // What one call has put aside, another one prints.
    await evil.run(
      ["sh", "-c", `echo "$KEY" > ${program.home}/aside; ln -s ${program.home}/aside ${program.home}/link`],
      secrets,
    );
    expect(await evil.run(["cat", `${program.home}/link`], ["bound/TOKEN"])).toMatch(/^refused/);
    expect(await evil.run(["cat", `${program.home}/link`], ["api/SECOND"])).toContain("[REDACTED:api/KEY]");
    // A file's name, and a program's, are looked at in errors as well.
    expect(await evil.run(["sh", "-c", 'exec "/nosuch/$KEY"'], secrets)).toContain("[REDACTED:api/KEY]");
  });

  it("sees no value that a call beside has opened meanwhile", async () => {
    const evil = connect(["--allow-loopback"], { NODE_EXTRA_CA_CERTS: server.authority });
    const [begun, aside] = [join(program.home, "begun"), join(program.home, "aside")];
    const waits = `echo > ${begun}; until test -s ${aside}; do sleep 0.1; done; cat ${aside}; cat ${aside} >&2`;
    const reader = evil.request("run_with_secrets", {
      command: ["sh", "-c", waits],
      secrets: ["api/SECOND"],
    });
    await expect.poll(() => existsSync(begun), { timeout: 20_000 }).toBe(true);
    const held: ServerResponse[] = [];
    server.handler = (_, response) => void held.push(response);
    const asker = evil.request("http_request", {
      method: "GET",
      url: `${server.origin}/`,
      auth: { as: "bearer", secret: "api/SECOND" },
    });
    await expect.poll(() => held.length, { timeout: 20_000 }).toBe(1);
    await evil.run(["sh", "-c", `echo "$KEY" > ${aside}`], ["api/KEY"]);
    expect(await evil.answer(reader)).toBe(
      "exit status 0\nmasked in the output: api/KEY 2x\n--- stdout\n[REDACTED:api/KEY]\n\n--- stderr\n[REDACTED:api/KEY]\n",
    );
    held[0]?.writeHead(200, { "x-echo": VALUES["api/KEY"] }).end(`it is ${VALUES["api/KEY"]}`);
    expect(await evil.answer(asker)).toMatch(
      /x-echo: \[REDACTED:api\/KEY\]\n.*it is \[REDACTED:api\/KEY\]$/s,
    );
    const leaks = program.auditLines().flatMap((line) => line.leaks ?? []);
    expect(leaks).toMatchObject([
      { secret: "api/KEY", stream: "stdout", count: 1 },
      { secret: "api/KEY", stream: "stderr", count: 1 },
      { secret: "api/KEY", stream: "response", count: 2 },
    ]);
  });

  it("floods, and gets one MiB of masks", async () => {
    const evil = connect();
    const flood = await evil.run(
      ["sh", "-c", 'yes "$KEY" | head -c 20000000; yes "$KEY" | head -c 5000000 >&2'],
      ["api/KEY"],
    );
    expect(flood.length).toBeLessThan(1024 * 1024 + 500);
    expect(flood).toMatch(/\d{7,} more bytes of output are not shown/);
    const endless = await evil.run(["sh", "-c", 'yes "$KEY"'], ["api/KEY"], { timeout_s: 1 });
    expect(endless).toMatch(/killed: its time was over/);
    // What is beyond the limit is not kept in any form.
    const before = mostMemoryKiB(evil.pid);
    await evil.run(["sh", "-c", 'yes "$KEY" | head -c 60000000'], ["api/KEY"]);
    expect(mostMemoryKiB(evil.pid) - before).toBeLessThan(64 * 1024);
    expect(Buffer.concat([evil.bytes]).length).toBeLessThan(8 * 1024 * 1024);
  });

  it("is refused where a name leads to this machine, to a private network or to metadata, at every hop", async () => {
    const hosts = join(program.home, "hosts");
    writeFileSync(
      hosts,
      "127.0.0.1 localhost\n127.0.0.1 rebound.example.org\n169.254.169.254 metadata.example.org\n1.1.1.1 rebound.example.org\n",
    );
    const evil = connect(["--allow-loopback"], { NODE_EXTRA_CA_CERTS: server.authority }, [
      ...["unshare", "--map-root-user", "--mount", "sh", "-c"],
      ...[`mount --bind ${hosts} /etc/hosts && exec "$@"`, "sh"],
    ]);
    const auth = { as: "bearer", secret: "api/KEY" };
    const get = (url: string) => evil.call("http_request", { method: "GET", url, auth });
    for (const url of ["https://rebound.example.org/", "https://metadata.example.org/latest/meta-data"])
      expect(await get(url)).toMatch(/^refused \(not-allowed\).*not public/);
    const here = server.origin;
    server.handler = ({ url }, response) => {
      const [, to = ""] = /^\/to\?(.*)/.exec(url) ?? [];
      response.writeHead(to === "" ? 200 : 302, to === "" ? {} : { location: to });
      response.end(JSON.stringify(server.received));
    };
    expect(await get(`${here}/`)).toMatch(/^status 200/);
    for (const to of [
      ...[
        "https://metadata.example.org/",
        "http://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/",
        "//other.example.org/",
      ],
      ...[
        "https://rebound.example.org/",
        "https://[::ffff:127.0.0.1]/",
        "http://localhost:22/",
        "file:///etc/passwd",
        "gopher://x",
      ],
    ])
      expect(await get(`${here}/to?${to}`), to).toMatch(/^status 302\n.*not followed/);
    for (const url of [
      "https://[::1]/",
      "https://127.0.0.1/",
      "https://0x7f.1/",
      "https://2130706433/",
      "http://169.254.169.254/",
      `${here}.evil.example/`,
    ])
      expect(await get(url), url).toMatch(/^refused \((not-allowed|usage)\)/);
  });

  it("has the header echoed to it, and sees a mask", async () => {
    server.handler = ({ headers, url }, response) => {
      const echo = headers.authorization ?? url;
      response.writeHead(500, {
        "x-echo": echo,
        location: echo,
        "www-authenticate": `Basic realm="${Buffer.from(echo).toString("base64")}"`,
      });
      response.end(
        `<p title='${echo}'>${encodeURIComponent(echo)} ${JSON.stringify({ echo })} ${Buffer.from(echo).toString("hex")}`,
      );
    };
    const evil = connect(["--allow-loopback"], { NODE_EXTRA_CA_CERTS: server.authority });
    for (const auth of [
      { as: "bearer" },
      { as: "basic", username: "a" },
      { as: "basic", username: "ab" },
      { as: "query", parameter: "k" },
      { as: "header", header: "authorization", prefix: "x" },
    ]) {
      const answer = await evil.call("http_request", {
        method: "GET",
        url: `${server.origin}/`,
        auth: { ...auth, secret: "api/KEY" },
      });
      expect(answer, auth.as).toContain("[REDACTED:api/KEY]");
      expect(answer).toContain("status 500");
    }
  });

  it("sends giant arguments and what is no message, and the server answers or ends", async () => {
    const evil = connect();
    const giant = "a".repeat(3_000_000);
    expect(await evil.run(["true", giant], ["api/KEY"])).toMatch(/^refused \(usage\)/);
    expect(await evil.run([giant], ["api/KEY"])).toMatch(/^refused/);
    expect(await evil.run(["true"], Array(100_000).fill("api/KEY"))).toMatch(/^refused \(usage\)/);
    expect(await evil.call("get_secret", { name: giant, [giant]: giant })).toMatch(/^refused \(usage\)/);
    expect(
      await evil.call("list_secrets", JSON.parse(`${'{"a":'.repeat(2000)}1${"}".repeat(2000)}`)),
    ).toMatch(/^refused|./);
    for (const bytes of [
      "\n\n\n",
      "nonsense\n",
      "{}\n",
      "[]\n",
      "null\n",
      '{"jsonrpc":"1.0","id":1,"method":"tools/call"}\n',
      '{"jsonrpc":"2.0","id":{"a":1},"method":"tools/call"}\n',
      '{"jsonrpc":"2.0","id":null,"method":"tools/list"}\n',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"get_secret","arguments":{"name":"api/KEY"}}}\n',
      '[{"jsonrpc":"2.0","id":900,"method":"tools/list"},{"jsonrpc":"2.0","id":901,"method":"tools/list"}]\n',
      '{"jsonrpc":"2.0","id":902,"method":"tools/call","params":{"name":"__proto__","arguments":{}}}\n',
      '{"jsonrpc":"2.0","id":903,"method":"tools/call","params":{"name":"constructor"}}\n',
      '{"jsonrpc":"2.0","id":904,"method":"tools/call","params":{"name":"run_with_secrets","arguments":"api/KEY"}}\n',
      '{"jsonrpc":"2.0","id":905,"method":"nosuch/method","params":[1,2]}\n',
      '{"jsonrpc":"2.0","id":906,"result":{"action":"accept"}}\n',
      '{"jsonrpc":"2.0","id":907,"method":"initialize","params":{"protocolVersion":"2099-01-01","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}\n',
      `${"[".repeat(100_000)}\n`,
      Buffer.from([0xff, 0xfe, 0x00, 0x0a]),
    ])
      evil.write(bytes);
    expect(await evil.call("list_secrets", {})).toContain("api/KEY");
    // Longer than any message may be: the connection ends.
    evil.write(Buffer.alloc(12_000_000, "a"));
    await evil.ended;
  });

  it("makes a hundred calls at once, and each is answered for itself", async () => {
    const evil = connect();
    const ids = Array.from({ length: 100 }, (_, at) =>
      evil.request("run_with_secrets", { command: ["sh", "-c", `echo ${at} "$KEY"`], secrets: ["api/KEY"] }),
    );
    const answers = await Promise.all(ids.map((id) => evil.answer(id)));
    const ran = answers.filter((text) => text.startsWith("exit status 0"));
    expect(ran).toHaveLength(60);
    expect(answers.filter((text) => text.startsWith("refused (rate-limited)"))).toHaveLength(40);
    for (const text of ran) expect(text).toMatch(/--- stdout\n\d+ \[REDACTED:api\/KEY\]\n$/);
    expect(program.auditLines().filter(({ action }) => action === "mcp")).toHaveLength(60);
    expect(await program.run(["audit"])).toMatchObject({ status: 0 });
  });

  it("takes calls back in the middle, and leaves in the middle", async () => {
    const evil = connect();
    const script =
      'echo "$KEY"; sleep 300 & setsid sleep 300 & (setsid sh -c "trap : TERM INT HUP; sleep 300; sleep 300" &); sleep 300';
    const ids = Array.from({ length: 5 }, () =>
      evil.request("run_with_secrets", { command: ["sh", "-c", script], secrets: ["api/KEY"] }),
    );
    await expect.poll(() => leftBehind().length, { timeout: 20_000 }).toBeGreaterThan(20);
    for (const id of ids.slice(0, 3))
      evil.send({ method: "notifications/cancelled", params: { requestId: id, reason: "changed my mind" } });
    await expect.poll(() => leftBehind().length, { timeout: 20_000 }).toBeLessThan(15);
    expect(await evil.call("list_secrets", {})).toContain("api/KEY");
  });

  it("kills the server from within a call, and what is left of it says nothing", async () => {
    const evil = connect();
    evil.request("run_with_secrets", {
      command: ["sh", "-c", 'kill -9 $PPID; echo "$KEY"'],
      secrets: ["api/KEY"],
    });
    await evil.ended;
    await expect.poll(leftBehind).toEqual([]);
  });

  it("writes nothing into the log that a terminal would take for more than text", async () => {
    const evil = connect();
    await evil.call("request_access", { name: "other", reason: "\u001b[2J\u202e please\n[REDACTED" });
    await evil.call("get_secret", { name: "api/KEY" });
    const lines = program.auditLines().slice(-2);
    expect(lines).toMatchObject([{ tool: "request_access" }, { action: "denied", reason: "not-allowed" }]);
    const [{ client, note }] = lines as unknown as [
      { client: { name: string; version: string }; note: string },
    ];
    expect(client.version).toHaveLength(64);
    expect(hasControls(client.name + note)).toBe(false);
  });
});
