import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { execa } from "execa";
import { beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { type ConnectOptions, McpConnection } from "../fixtures/mcp.ts";
import { Program } from "../fixtures/program.ts";

const VALUE = "sk_live_51Habc/def+ghij";
const CLIENTS = resolve(import.meta.dirname, "../clients");

let template: Program;
let program: Program;
beforeAll(async () => {
  template = await Program.template(async (made) => {
    await made.must(["init", "--classic"]);
    await made.must(["add-agent", "crawler"]);
    await made.set("stripe/KEY", VALUE, "--description", "the payments key");
    const soon = new Date(Date.now() + 1500).toISOString();
    await made.set("stripe/OLD", "value-that-has-expired", "--expires", soon);
    await made.set("shown/TOKEN", "token-that-may-be-shown");
    await made.set("stripe/PIN", "4711");
    await made.set("other/KEY", "value-of-another-group");
    await made.must(["grant", "crawler", "stripe"]);
    await made.must(["grant", "crawler", "shown"]);
    await made.must(["policy", "shown", "--reveal", "--allow-command", "printenv TOKEN"]);
  });
});
beforeEach(() => {
  program = template.copy();
});

const mcpLines = () =>
  program.auditLines().filter(({ action }) => ["mcp", "denied", "leak"].includes(String(action)));
const ERAS: readonly (readonly [string, ConnectOptions])[] = [
  ["of 2025", {}],
  ["of 2026-07-28", { client: { versionNegotiation: { mode: { pin: "2026-07-28" } } } }],
];

describe.each(ERAS)("a client %s", (_, options) => {
  it("sees the tools in their order, with schemas and annotations", async () => {
    const mcp = await McpConnection.open(program, options);
    const { tools } = await mcp.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      ...["list_secrets", "run_with_secrets", "http_request", "get_secret", "request_access"],
    ]);
    for (const tool of tools) {
      expect(tool.inputSchema).toMatchObject({ type: "object", additionalProperties: false });
      expect(tool.outputSchema?.type).toBe("object");
      expect(tool.annotations?.readOnlyHint).toBe(["list_secrets", "get_secret"].includes(tool.name));
      expect(tool.description?.length).toBeGreaterThan(80);
    }
    expect(JSON.stringify(tools)).not.toContain("prefixItems");
  });

  it("lists what was granted, and what each may be used for", async () => {
    const mcp = await McpConnection.open(program, options);
    const { structured, text } = await mcp.call("list_secrets");
    expect(structured).toMatchObject({
      agent: "crawler",
      groups: [
        { group: "shown", allowed: { reveal: true, commands: [["printenv", "TOKEN"]], origins: [] } },
        {
          group: "stripe",
          allowed: { reveal: false, commands: null, origins: [] },
          secrets: [
            { name: "stripe/KEY", description: "the payments key", usable: true, variable: "KEY", as: "env" },
            { name: "stripe/OLD" },
            { name: "stripe/PIN" },
          ],
        },
      ],
    });
    expect(text).not.toContain("other");
    const found = await mcp.call("list_secrets", { query: "PAYMENTS" });
    expect(found.text).toContain("stripe/KEY");
    expect(found.text).not.toContain("shown/TOKEN");
    expect((await mcp.call("list_secrets", { group: "other" })).structured).toMatchObject({ groups: [] });
    expect(mcpLines()[0]).toMatchObject({
      action: "mcp",
      tool: "list_secrets",
      agent: "crawler",
      client: { name: "test-client", version: "1.2.3" },
    });
  });

  it("runs a program with exactly the secrets named, and gets its output masked, its status, and nothing else", async () => {
    const mcp = await McpConnection.open(program, options);
    const script = 'echo "out $KEY"; echo "err $KEY" >&2; test -z "$TOKEN"; echo "$?"; cat; exit 7';
    const { structured, isError } = await mcp.run(["sh", "-c", script], ["stripe/KEY"], { stdin: "typed" });
    expect(isError).toBe(false);
    expect(structured).toEqual({
      exit_status: 7,
      timed_out: false,
      stdout: "out [REDACTED:stripe/KEY]\n0\ntyped",
      stderr: "err [REDACTED:stripe/KEY]\n",
      dropped_bytes: 0,
      masked: [{ name: "stripe/KEY", count: 2 }],
    });
    expect(mcpLines()).toMatchObject([
      {
        action: "mcp",
        tool: "run_with_secrets",
        command: "sh",
        client: { name: "test-client" },
        secrets: [{ group: "stripe", name: "KEY" }],
      },
      { action: "leak", command: "sh" },
    ]);
  });

  it("is shown a value only where its owner allows that", async () => {
    const mcp = await McpConnection.open(program, options);
    expect((await mcp.call("get_secret", { name: "shown/TOKEN" })).structured).toEqual({
      name: "shown/TOKEN",
      value: "token-that-may-be-shown",
      encoding: "utf8",
    });
    const refused = await mcp.call("get_secret", { name: "stripe/KEY" });
    expect(refused).toMatchObject({ isError: true, structured: {} });
    expect(refused.text).toMatch(/not-allowed.*\n.*run_with_secrets.*http_request/s);
    expect(mcpLines()).toMatchObject([
      { action: "mcp", tool: "get_secret", secrets: [{ group: "shown", name: "TOKEN" }] },
      { action: "denied", tool: "get_secret", reason: "not-allowed", client: { name: "test-client" } },
    ]);
  });

  it("shows a person a request for access where it can open pages", async () => {
    const urls: string[] = [];
    const mcp = await McpConnection.open(program, {
      ...options,
      client: { ...options.client, capabilities: { elicitation: { url: {} } } },
    });
    const pages: string[] = [];
    mcp.client.setRequestHandler("elicitation/create", async ({ params }) => {
      if (params.mode !== "url") throw new TypeError("not a page");
      urls.push(params.url);
      pages.push(await (await fetch(params.url)).text());
      expect((await fetch(`${params.url}x`)).status).toBe(404);
      return { action: "accept" };
    });
    const asked = await mcp.call("request_access", { name: "other/KEY", reason: "to read <b>mail</b>" });
    expect(asked.structured).toMatchObject({ recorded: true, owner_runs: "vault-run grant crawler other" });
    expect(urls).toMatchObject([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{48}$/)]);
    expect(pages[0]).toContain("to read &lt;b&gt;mail&lt;/b&gt;");
    expect(pages[0]).toContain("vault-run grant crawler other");
    expect(mcpLines()[0]).toMatchObject({ tool: "request_access", note: "other/KEY: to read <b>mail</b>" });
    // Another request's page takes the place of the first one.
    for (const reason of ["more", "and more"])
      await mcp.call("request_access", { name: "other/KEY", reason });
    expect(urls).toHaveLength(3);
    for (const url of urls.slice(0, 2)) await expect(fetch(url)).rejects.toThrow();
    expect((await fetch(urls[2] ?? "")).status).toBe(200);
  });
});

describe("the server", () => {
  it("delivers a file and another variable, in the folder that is named", async () => {
    const mcp = await McpConnection.open(program);
    const { structured } = await mcp.run(
      [
        "sh",
        "-c",
        'pwd; cat "$PATH_OF_IT" | wc -c; cat $PATH_OF_IT; case "$PATH_OF_IT" in /dev/fd/*) echo fd;; esac',
      ],
      [{ name: "stripe/KEY", as: "file", variable: "PATH_OF_IT" }],
      { cwd: "/usr" },
    );
    expect(structured).toMatchObject({
      stdout: `/usr\n${VALUE.length}\n[REDACTED:stripe/KEY]fd\n`,
      exit_status: 0,
    });
    const second = await mcp.run(
      ["sh", "-c", 'cat "$F"'],
      [{ name: "stripe/KEY", as: "file", variable: "F" }],
    );
    expect(second.structured).toMatchObject({ stdout: "[REDACTED:stripe/KEY]" });
  });

  it("delivers in its own variable what is named alone, in another place as well or not", async () => {
    const mcp = await McpConnection.open(program);
    const script = ["sh", "-c", 'echo "$KEY"; cat "$F"'];
    const file = { name: "stripe/KEY", as: "file", variable: "F" };
    const { structured } = await mcp.run(script, ["stripe/KEY", file, "stripe/KEY"]);
    expect(structured).toMatchObject({ stdout: "[REDACTED:stripe/KEY]\n[REDACTED:stripe/KEY]" });
    const again = await mcp.run(script, ["stripe/KEY", file, { ...file, as: "env", variable: "KEY" }]);
    expect(again.structured).toMatchObject(structured);
  });

  it("starts under a binding only what begins with its words", async () => {
    const mcp = await McpConnection.open(program);
    const allowed = await mcp.run(["printenv", "TOKEN"], ["shown/TOKEN"]);
    expect(allowed.structured).toMatchObject({ stdout: "[REDACTED:shown/TOKEN]\n", exit_status: 0 });
    const refused = await mcp.run(["printenv"], ["shown/TOKEN"]);
    expect(refused.text).toMatch(/not-allowed.*\n.*printenv TOKEN/s);
  });

  it("takes a revoke, a new policy and a new value into account with the next call", async () => {
    const mcp = await McpConnection.open(program);
    expect((await mcp.run(["true"], ["stripe/KEY"])).structured).toMatchObject({ exit_status: 0 });
    await program.must(["policy", "stripe", "--reveal"]);
    await program.set("stripe/KEY", "a-new-value-of-today");
    expect((await mcp.call("get_secret", { name: "stripe/KEY" })).structured).toMatchObject({
      value: "a-new-value-of-today",
    });
    await program.must(["revoke", "crawler", "stripe"]);
    const after = await mcp.run(["true"], ["stripe/KEY"]);
    expect(after.text).toContain("refused (not-granted): group stripe was revoked from crawler");
    expect((await mcp.call("list_secrets")).text).not.toContain("stripe");
  });

  it("records the tool and the client also where the agent itself is refused", async () => {
    const mcp = await McpConnection.open(program);
    await program.must(["remove-agent", "crawler"]);
    expect(await mcp.call("list_secrets")).toMatchObject({ isError: true });
    expect(mcpLines().at(-1)).toMatchObject({
      action: "denied",
      tool: "list_secrets",
      client: { name: "test-client", version: "1.2.3" },
    });
  });

  it("refuses masks, unknown fields, expired values and mistyped programs, and opens nothing for them", async () => {
    const mcp = await McpConnection.open(program);
    for (const [tool, args, text] of [
      ["run_with_secrets", { command: ["echo", "[REDACTED:stripe/KEY]"], secrets: ["stripe/KEY"] }, /a mask/],
      ["run_with_secrets", { command: ["echo", "%5Bredacted%3Ax"], secrets: ["stripe/KEY"] }, /a mask/],
      [
        "run_with_secrets",
        { command: ["true"], secrets: ["stripe/KEY"], stdin: "x[REDACTED:a/B]" },
        /a mask/,
      ],
      ["run_with_secrets", { command: ["true"], secrets: [], value: "x" }, /does not belong there/],
      ["run_with_secrets", { command: [], secrets: ["stripe/KEY"] }, /command: /],
      ["run_with_secrets", { command: "true", secrets: ["stripe/KEY"] }, /command: /],
      ["run_with_secrets", { command: ["true"], secrets: ["stripe/OLD"] }, /\(expired\)/],
      ["run_with_secrets", { command: ["nosuchprogram"], secrets: ["stripe/KEY"] }, /command not found/],
      [
        "run_with_secrets",
        { command: ["true"], secrets: ["stripe/KEY"], cwd: "/nosuch" },
        /cwd is no folder/,
      ],
      ["run_with_secrets", { command: ["true"], secrets: ["stripe/NOSUCH"] }, /unknown-secret/],
      [
        "run_with_secrets",
        { command: ["true"], secrets: [{ name: "stripe/KEY", as: "env", variable: "LD_PRELOAD" }] },
        /unsafe-name/,
      ],
      ["get_secret", { name: "shown/TOKEN", value: "x" }, /does not belong there/],
    ] as const)
      expect(await mcp.call(tool, args)).toMatchObject({ isError: true, text: expect.stringMatching(text) });
    expect(mcpLines().map(({ action }) => action)).toEqual(Array(12).fill("denied"));
  });

  it("opens nothing, and starts nothing, where the record cannot be written (promises 2 and 11)", async () => {
    const mcp = await McpConnection.open(program, { env: { VAULT_RUN_AUDIT_DIR: "/proc/nowhere" } });
    for (const answer of [
      await mcp.run(["touch", `${program.home}/started`], ["stripe/KEY"]),
      await mcp.call("get_secret", { name: "shown/TOKEN" }),
      await mcp.call("list_secrets"),
    ])
      expect(answer).toMatchObject({ isError: true, text: expect.stringContaining("refused (audit)") });
    expect(existsSync(`${program.home}/started`)).toBe(false);
  });

  it("gives a program no way to the key by its environment (promise 3)", async () => {
    const keyFile = `${program.home}/.config/vault-run/${program.vaultId}/agents/crawler.key`;
    const env = { VAULT_RUN_KEY_FILE: keyFile, COPY: readFileSync(keyFile, "utf8") };
    const mcp = await McpConnection.open(program, { env });
    const { structured } = await mcp.run(["env"], ["stripe/KEY"]);
    expect(structured.stdout).toContain("KEY=[REDACTED:stripe/KEY]\n");
    expect(structured.stdout).not.toMatch(/VAULT_RUN_KEY|COPY|AGE-SECRET/);
  });

  it("uses no value that is too short to be masked, unless it may be shown", async () => {
    const mcp = await McpConnection.open(program);
    const refused = await mcp.run(["printenv", "PIN"], ["stripe/PIN"]);
    expect(refused.text).toContain("refused (not-allowed): stripe/PIN is too short to be masked");
    expect(program.auditLines().at(-1)).toMatchObject({ action: "denied" });
    await program.must(["policy", "stripe", "--reveal"]);
    expect((await mcp.run(["printenv", "PIN"], ["stripe/PIN"])).structured).toMatchObject({
      stdout: "4711\n",
    });
  });

  it("delivers files also where it is not root, with its memory hidden", async () => {
    const options = { cwd: program.repo, env: program.env, extendEnv: false, reject: false } as const;
    const messages = [
      {
        id: 1,
        method: "initialize",
        params: {
          protocolVersion: "2025-11-25",
          capabilities: {},
          clientInfo: { name: "raw", version: "1" },
        },
      },
      { method: "notifications/initialized" },
      ...[2, 3].map((id) => ({
        id,
        method: "tools/call",
        params: {
          name: "run_with_secrets",
          arguments: {
            command: ["sh", "-c", 'cat "$F"; head -c 1 /proc/$PPID/mem || echo hidden'],
            secrets: [{ name: "stripe/KEY", as: "file", variable: "F" }],
          },
        },
      })),
    ];
    await execa("chown", ["-R", "65534:65534", program.home]);
    // Where the program was installed for the tests, nobody else may look.
    await execa("chmod", ["a+rx", resolve(inject("packageFolder"), "../../../../..")]);
    const server = execa(
      "setpriv",
      [
        ...["--reuid", "65534", "--regid", "65534", "--clear-groups", "vault-run", "mcp"],
        "--agent",
        "crawler",
      ],
      options,
    );
    for (const message of messages)
      server.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    let said = "";
    for await (const line of server) {
      said += `${line}\n`;
      if (said.includes('"id":2') && said.includes('"id":3')) server.stdin?.end();
    }
    expect(said.match(/--- stdout\\n\[REDACTED:stripe\/KEY\]hidden/g)).toHaveLength(2);
  });

  it("limits how often a secret is used", async () => {
    const mcp = await McpConnection.open(program, { args: ["--rate", "2"] });
    for (let use = 0; use < 2; use++) expect((await mcp.run(["true"], ["stripe/KEY"])).isError).toBe(false);
    expect((await mcp.run(["true"], ["stripe/KEY"])).text).toMatch(/rate-limited.*\n.*wait \d+ s/s);
    expect((await mcp.call("get_secret", { name: "shown/TOKEN" })).isError).toBe(false);
  });

  it("tells progress, and ends a program and all it started at its time and when the call is taken back", async () => {
    const mcp = await McpConnection.open(program);
    const script = 'sleep 300 & setsid sh -c "sleep 301 & sleep 302" & echo started; sleep 303';
    const progress: number[] = [];
    const timed = await mcp.client.callTool(
      {
        name: "run_with_secrets",
        arguments: { command: ["sh", "-c", script], secrets: ["stripe/KEY"], timeout_s: 2.5 },
      },
      { onprogress: (told) => progress.push(told.progress) },
    );
    expect(timed.structuredContent).toMatchObject({ timed_out: true, stdout: "started\n", exit_status: 137 });
    expect(progress.length).toBeGreaterThan(0);
    for (const timeout of [0.4321, 1e-9])
      expect(
        (await mcp.run(["sleep", "300"], ["stripe/KEY"], { timeout_s: timeout })).structured,
      ).toMatchObject({ timed_out: true, exit_status: 137 });
    const controller = new AbortController();
    const taken = mcp.run(["sh", "-c", script], ["stripe/KEY"]);
    const back = mcp.call(
      "run_with_secrets",
      { command: ["sh", "-c", `echo > ${program.home}/begun; ${script}`], secrets: ["stripe/KEY"] },
      controller.signal,
    );
    setTimeout(() => controller.abort(), 500);
    await expect(back).rejects.toThrow();
    await mcp.close();
    await expect(taken).rejects.toThrow();
    await expect.poll(sleepers, { timeout: 5000 }).toEqual([]);
  });

  it("leaves nothing of a program that has ended", async () => {
    const mcp = await McpConnection.open(program);
    const { structured } = await mcp.run(
      ["sh", "-c", "sleep 300 & (setsid sleep 301 &) ; env -i sleep 302 & echo done"],
      ["stripe/KEY"],
    );
    expect(structured).toMatchObject({ stdout: "done\n", exit_status: 0 });
    expect(await sleepers()).toEqual([]);
  });

  it("cuts output at 1 MiB and counts the rest", async () => {
    const mcp = await McpConnection.open(program);
    const { structured } = await mcp.run(
      ["sh", "-c", 'head -c 3000000 /dev/zero | tr "\\0" a; echo $KEY >&2'],
      ["stripe/KEY"],
    );
    const { stdout, stderr, dropped_bytes: dropped } = structured as Record<string, never>;
    expect(`${stdout}${stderr}`.length).toBe(1024 * 1024);
    expect(dropped).toBe(3_000_000 + "[REDACTED:stripe/KEY]\n".length - 1024 * 1024);
  });

  it("does not start for an agent, a vault or a key that is not there, and says so on standard error", async () => {
    for (const args of [
      ["--agent", "nosuch"],
      ["--agent", "crawler", "--vault", "/usr"],
      ["--agent", "crawler", "--key-file", "/dev/fd/0"],
      ["--agent", "crawler", "--rate", "0"],
      ["--agent", "crawler", "--audit-to", "fd:1"],
      ["--agent", "crawler", "--audit-to", "fd:20"],
    ]) {
      const { status, stdout, stderr } = await program.run(["mcp", ...args]);
      expect([1, 2]).toContain(status);
      expect(stdout).toBe("");
      expect(stderr).toMatch(/^vault-run: .*\n {2}.*\n$/);
    }
  });

  it("ends with its input, and with a signal", async () => {
    expect(await program.run(["mcp", "--agent", "crawler"])).toMatchObject({ status: 0, stdout: "" });
    const mcp = await McpConnection.open(program);
    const run = mcp.run(["sleep", "304"], ["stripe/KEY"]);
    const ended = expect(run).rejects.toThrow();
    await expect.poll(sleepers).toHaveLength(1);
    process.kill(mcp.pid, "SIGTERM");
    await ended;
    await expect.poll(sleepers, { timeout: 5000 }).toEqual([]);
  });

  it("prints what each client needs to start it", async () => {
    const config = async (client: string) =>
      program.must(["mcp", "--agent", "crawler", "--print-config", client]);
    const server = { command: "vault-run", args: ["mcp", "--agent", "crawler", "--vault", program.repo] };
    for (const client of ["claude-code", "claude-desktop", "cursor"])
      expect(JSON.parse(await config(client))).toEqual({ mcpServers: { "vault-run": server } });
    expect(JSON.parse(await config("vscode"))).toEqual({
      servers: { "vault-run": { type: "stdio", ...server } },
    });
    expect(await config("codex")).toBe(
      `[mcp_servers.vault-run]\ncommand = "vault-run"\nargs = ${JSON.stringify(server.args)}\n`,
    );
    expect((await program.run(["mcp", "--agent", "crawler", "--print-config", "emacs"])).status).toBe(2);
    for (const [client, file] of [
      ["claude-code", "claude-code.mcp.json"],
      ["claude-desktop", "claude_desktop_config.json"],
      ["codex", "codex.config.toml"],
      ["cursor", "cursor.mcp.json"],
      ["vscode", "vscode.mcp.json"],
    ] as const) {
      const example = readFileSync(resolve(import.meta.dirname, "../../examples/mcp", file), "utf8");
      const folded = (text: string) => text.replaceAll(/\s/g, "");
      expect(folded(example.replace("/home/you/project", program.repo))).toBe(folded(await config(client)));
    }
  });
});

/** Processes that the programs of these tests have started, by their arguments. */
async function sleepers(): Promise<string[]> {
  const { stdout } = await execa("pgrep", ["-fa", "^sleep 30[0-4]$"], { reject: false });
  return stdout === "" ? [] : stdout.split("\n");
}

describe("other official clients", () => {
  it("work: the one for Python calls every tool", async () => {
    const calls = [
      ["list_secrets", {}],
      ["run_with_secrets", { command: ["sh", "-c", "echo $KEY"], secrets: ["stripe/KEY"] }],
      ["run_with_secrets", { command: ["true"], secrets: ["other/KEY"] }],
      ["get_secret", { name: "shown/TOKEN" }],
      ["get_secret", { name: "stripe/KEY" }],
      ["request_access", { name: "other", reason: "mail" }],
      [
        "http_request",
        { method: "GET", url: "https://example.org/", auth: { as: "bearer", secret: "stripe/KEY" } },
      ],
    ];
    const { stdout } = await execa(
      `${CLIENTS}/.venv/bin/python`,
      [`${CLIENTS}/client.py`, JSON.stringify(calls), "vault-run", "mcp", "--agent", "crawler"],
      { cwd: program.repo, env: program.env, extendEnv: false },
    );
    const { tools, answers } = JSON.parse(stdout);
    expect(tools).toHaveLength(5);
    expect(answers.map(({ isError }: { isError: boolean }) => isError)).toEqual([
      ...[false, false, true, false, true, false, true],
    ]);
    expect(answers[1].structured.stdout).toBe("[REDACTED:stripe/KEY]\n");
    expect(answers[3].structured.value).toBe("token-that-may-be-shown");
    expect(stdout).not.toContain(VALUE);
    expect(mcpLines()[0]).toMatchObject({ client: { name: "python-test", version: "9" } });
  });

  it("work: the inspector finds no fault with the tools, and calls them", async () => {
    const inspect = (...args: string[]) =>
      execa(
        `${CLIENTS}/node_modules/.bin/mcp-inspector`,
        ["--cli", "vault-run", "mcp", "--agent", "crawler", ...args],
        { cwd: program.repo, env: program.env, extendEnv: false, reject: false },
      );
    const listed = await inspect("--method", "tools/list", "--strict");
    expect(listed.exitCode).toBe(0);
    expect(listed.stderr).toBe("");
    expect(JSON.parse(listed.stdout).tools).toHaveLength(5);
    const call = ["--method", "tools/call", "--tool-name"];
    const run = await inspect(
      ...[
        ...call,
        "run_with_secrets",
        "--tool-arg",
        'command=["sh","-c","echo $KEY"]',
        'secrets=["stripe/KEY"]',
      ],
    );
    expect(run.stdout).toContain("[REDACTED:stripe/KEY]");
    expect(run.stdout).not.toContain(VALUE);
    const refused = await inspect(...call, "get_secret", "--tool-arg", "name=stripe/KEY");
    expect(refused.stdout).toContain("not-allowed");
  });
});
