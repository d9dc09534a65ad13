import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { McpConnection, type ToolAnswer } from "../fixtures/mcp.ts";
import { Program } from "../fixtures/program.ts";
import { TlsServer } from "../fixtures/tls-server.ts";

const CLIENTS = resolve(import.meta.dirname, "../clients");
const VALUE = "sk_live_51Habc/def+ghij&k";
const BASIC = Buffer.from(`crawler:${VALUE}`).toString("base64");

let server: TlsServer;
let stranger: TlsServer;
let plain: Server;
let template: Program;
let program: Program;
beforeAll(async () => {
  server = await TlsServer.start();
  stranger = await TlsServer.start(["DNS:example.org"]);
  plain = createServer((request, response) => response.end(`plain ${request.headers.authorization}`));
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  template = await Program.template(async (made) => {
    await made.must(["init", "--classic"]);
    await made.must(["add-agent", "crawler"]);
    await made.set("api/KEY", VALUE);
    await made.set("api/LINES", "first line\nsecond line");
    await made.must(["grant", "crawler", "api"]);
    const origins = [server.origin, stranger.origin, plainOrigin(), "https://rebound.example.org"];
    await made.must(["policy", "api", ...origins.flatMap((origin) => ["--allow-origin", origin])]);
  });
});
afterAll(() => {
  server.stop();
  stranger.stop();
  plain.close();
});
beforeEach(() => {
  program = template.copy();
  server.received.length = 0;
});

const plainOrigin = () => `http://localhost:${(plain.address() as AddressInfo).port}`;
const open = (args = ["--allow-loopback"], authority = server.authority) =>
  McpConnection.open(program, { args, env: { NODE_EXTRA_CA_CERTS: authority } });
const get = (mcp: McpConnection, path: string, more: object = {}) =>
  mcp.call("http_request", {
    method: "GET",
    url: `${server.origin}${path}`,
    auth: { as: "bearer", secret: "api/KEY" },
    ...more,
  });
const shows = ({ text, structured }: ToolAnswer) => text + JSON.stringify(structured);
const SPELLINGS = [VALUE, BASIC, encodeURIComponent(VALUE), Buffer.from(VALUE).toString("hex"), "sk_live"];
function expectHidden(answer: ToolAnswer): void {
  for (const spelling of SPELLINGS) expect(shows(answer)).not.toContain(spelling);
}

describe("the other official clients", () => {
  const asked = () => ({
    method: "GET",
    url: `${server.origin}/echo`,
    auth: { as: "bearer", secret: "api/KEY" },
  });
  const served = ["vault-run", "mcp", "--agent", "crawler", "--allow-loopback"];
  beforeEach(() => {
    server.handler = ({ headers }, response) => response.end(`you sent ${headers.authorization}`);
  });
  afterEach(() => {
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${VALUE}`]);
  });

  it("make a request that carries the secret, and see its echo masked: the one for Python", async () => {
    const { stdout } = await execa(
      `${CLIENTS}/.venv/bin/python`,
      [`${CLIENTS}/client.py`, JSON.stringify([["http_request", asked()]]), ...served],
      { cwd: program.repo, env: { ...program.env, NODE_EXTRA_CA_CERTS: server.authority }, extendEnv: false },
    );
    const [{ isError, structured }] = JSON.parse(stdout).answers;
    expect([isError, structured.status]).toEqual([false, 200]);
    expect(stdout).toContain("you sent Bearer [REDACTED:api/KEY]");
    expect(stdout).not.toContain(VALUE);
  });

  it("and the inspector", async () => {
    const words = Object.entries(asked()).flatMap(([name, value]) => [
      "--tool-arg",
      `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
    ]);
    const { stdout } = await execa(
      `${CLIENTS}/node_modules/.bin/mcp-inspector`,
      [
        ...["--cli", ...served, "-e", `NODE_EXTRA_CA_CERTS=${server.authority}`],
        ...["--method", "tools/call", "--tool-name", "http_request", ...words],
      ],
      { cwd: program.repo, env: program.env, extendEnv: false },
    );
    expect(stdout).toContain("you sent Bearer [REDACTED:api/KEY]");
    expect(stdout).not.toContain(VALUE);
  });
});

describe("a request", () => {
  it.each([
    ["bearer", { as: "bearer" }, { authorization: `Bearer ${VALUE}` }, ""],
    ["basic", { as: "basic", username: "crawler" }, { authorization: `Basic ${BASIC}` }, ""],
    ["header", { as: "header", header: "X-Api-Key" }, { "x-api-key": VALUE }, ""],
    [
      "header with a prefix",
      { as: "header", header: "Authorization", prefix: "token " },
      { authorization: `token ${VALUE}` },
      "",
    ],
    ["query", { as: "query", parameter: "key" }, {}, `?key=${encodeURIComponent(VALUE)}`],
  ])(
    "carries the secret as %s, and an echo of it in body, headers and error is masked",
    async (_, auth, headers, query) => {
      server.handler = ({ url, headers: sent }, response) => {
        const all = JSON.stringify([
          url,
          decodeURIComponent(url),
          sent,
          Object.values(sent).map((one) => Buffer.from(`${one}`).toString("hex")),
        ]);
        response.writeHead(401, {
          "x-echo": `${sent.authorization ?? sent["x-api-key"] ?? url}`,
          "content-type": "application/json",
        });
        response.end(all + Buffer.from(all).toString("base64"));
      };
      const mcp = await open();
      const answer = await get(mcp, "/v1", {
        auth: { ...auth, secret: "api/KEY" },
        method: "POST",
        body: "{}",
        headers: { "X-More": "é" },
      });
      expect(answer).toMatchObject({ isError: false, structured: { status: 401 } });
      expect(server.received).toMatchObject([{ method: "POST", url: `/v1${query}`, headers, body: "{}" }]);
      expectHidden(answer);
      expect(shows(answer)).toContain("[REDACTED:api/KEY]");
      const [pulled, leak] = program.auditLines().slice(-2);
      expect(pulled).toMatchObject({
        action: "mcp",
        tool: "http_request",
        secrets: [{ group: "api", name: "KEY" }],
      });
      expect(leak).toMatchObject({ action: "leak" });
    },
  );

  it("is answered with what is packed unpacked and masked, and with what cannot be looked through left out", async () => {
    const packers = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync };
    const mcp = await open();
    for (const [encoding, pack] of Object.entries(packers)) {
      server.handler = (_, response) => {
        response.writeHead(200, { "content-encoding": encoding });
        response.end(pack(`it is ${VALUE}`));
      };
      expect((await get(mcp, "/")).structured).toMatchObject({ body: "it is [REDACTED:api/KEY]" });
    }
    for (const [headers, body] of [
      [{}, gzipSync(VALUE)],
      [{ "content-encoding": "compress" }, Buffer.from(VALUE)],
      [{ "content-encoding": "gzip, gzip" }, gzipSync(gzipSync(VALUE))],
      // Valid UTF-8, all of them.
      [{}, Buffer.from(VALUE, "utf16le")],
      [{}, Buffer.from(`${"a".repeat(2 * 1024 * 1024)}${VALUE}`, "utf16le")],
      [{ "content-type": "text/plain; charset=utf-16le" }, Buffer.from(VALUE, "utf16le")],
      [{ "content-type": 'text/plain;Charset = "UTF-7"' }, "sk+AF8-live"],
    ] as const) {
      server.handler = (_, response) => response.writeHead(200, headers).end(body);
      const answer = await get(mcp, "/");
      expect(answer.structured).toMatchObject({
        status: 200,
        body: "",
        note: expect.stringContaining("not shown"),
      });
    }
    for (const charset of ["utf-8", '"UTF-8"', "us-ascii", "ISO-8859-1"]) {
      const headers = { "content-type": `text/plain; charset=${charset}` };
      server.handler = (_, response) => response.writeHead(200, headers).end("text");
      expect((await get(mcp, "/")).structured).toMatchObject({ body: "text" });
    }
    server.handler = (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("no gzip");
    expect((await get(mcp, "/")).text).toContain("request-failed");
    server.handler = (_, response) =>
      response.writeHead(200, { "set-cookie": "session=of-this-agent" }).end();
    expect(shows(await get(mcp, "/"))).not.toContain("of-this-agent");
  });

  it("follows redirects within the origin, with the secret, and no other", async () => {
    server.handler = ({ url }, response) => {
      if (url === "/to-self") response.writeHead(303, { location: "/end" });
      if (url === "/to-other") response.writeHead(302, { location: `${stranger.origin}/stolen` });
      if (url === "/to-plain") response.writeHead(307, { location: `${plainOrigin()}/stolen` });
      if (url === "/to-port")
        response.writeHead(307, { location: server.origin.replace("localhost", "127.0.0.1") });
      if (url === "/for-ever") response.writeHead(302, { location: "/for-ever" });
      if (url === "/to-secret")
        response.writeHead(302, { location: `https://example.com/?k=${encodeURIComponent(VALUE)}` });
      response.end("here");
    };
    const mcp = await open();
    expect((await get(mcp, "/to-self", { method: "POST", body: "x" })).structured).toMatchObject({
      status: 200,
      body: "here",
    });
    expect(server.received).toMatchObject([
      { method: "POST", url: "/to-self", body: "x" },
      { method: "GET", url: "/end", body: "", headers: { authorization: `Bearer ${VALUE}` } },
    ]);
    for (const path of ["/to-other", "/to-plain", "/to-port", "/to-secret"]) {
      const answer = await get(mcp, path);
      expect(answer.structured).toMatchObject({ note: expect.stringContaining("another origin") });
      expectHidden(answer);
    }
    expect(stranger.received).toEqual([]);
    server.received.length = 0;
    expect((await get(mcp, "/for-ever")).structured).toMatchObject({
      status: 302,
      note: expect.stringContaining("5 redirects"),
    });
    expect(server.received).toHaveLength(5);
  });

  it("goes to no origin that was not allowed, to this machine only by the flag, and never past a certificate", async () => {
    const mcp = await open();
    for (const url of [
      "https://example.com/",
      `${server.origin.replace("localhost", "127.0.0.1")}/`,
      `https://localhost:1/`,
      "http://example.org/",
      `https://localhost:${server.port}@example.com/`,
      `https://user:word@localhost:${server.port}/`,
      "file:///etc/passwd",
      "data:text/plain,x",
      "nonsense",
    ]) {
      const answer = await get(mcp, "", { url });
      expect(answer, url).toMatchObject({ isError: true });
      expect(answer.text).toMatch(/not-allowed|usage/);
    }
    expect(server.received).toEqual([]);
    const opened = () =>
      program.auditLines().filter(({ secrets, action }) => action === "mcp" && secrets !== undefined);
    expect(opened()).toEqual([]);
    // The certificate is for another name.
    expect((await get(mcp, "", { url: `${stranger.origin}/` })).text).toMatch(/request-failed.*no answer/);
    const careless = await McpConnection.open(program, {
      args: ["--allow-loopback"],
      env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
    });
    expect((await get(careless, "/")).text).toContain("request-failed");
    const withoutFlag = await open([]);
    expect((await get(withoutFlag, "/")).text).toMatch(/not-allowed.*this machine itself/);
    expect(server.received).toEqual([]);
    // By the flag, plain http goes to this machine.
    const answer = await get(mcp, "", { url: `${plainOrigin()}/` });
    expect(answer.structured).toMatchObject({ status: 200, body: "plain Bearer [REDACTED:api/KEY]" });
  });

  it("is recorded as a leak where a header alone echoes the value", async () => {
    server.handler = ({ headers }, response) =>
      response.writeHead(200, { "x-echo": `${headers.authorization}` }).end("nothing here");
    const mcp = await open();
    expect((await get(mcp, "/")).structured).toMatchObject({
      headers: { "x-echo": "Bearer [REDACTED:api/KEY]" },
      body: "nothing here",
    });
    expect(program.auditLines().at(-1)).toMatchObject({
      action: "leak",
      leaks: [{ secret: "api/KEY", stream: "response", encoding: "raw", count: 1 }],
    });
  });

  it("takes no header that authenticates or belongs to the connection, and no value that fits no header", async () => {
    const mcp = await open();
    for (const headers of [
      { Authorization: "x" },
      { cookie: "x" },
      { Host: "x" },
      { "Transfer-Encoding": "chunked" },
      { "a b": "x" },
      { x: "a\r\nb: c" },
    ])
      expect((await get(mcp, "/", { headers })).text).toContain("refused (usage)");
    const lines = await get(mcp, "/", { auth: { as: "bearer", secret: "api/LINES" } });
    expect(lines.text).toContain("refused (bad-value)");
    for (const auth of [
      { as: "bearer", secret: "api/KEY", value: "x" },
      { as: "bearer" },
      { as: "none", secret: "api/KEY" },
      // What the connection goes by would take the value elsewhere, as the name of a certificate say.
      ...["Host", "HOST", "Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "Expect", "TE"].map(
        (header) => ({ as: "header", secret: "api/KEY", header }),
      ),
      { as: "header", secret: "api/KEY", header: "host", prefix: "evil.example:" },
    ])
      expect((await get(mcp, "/", { auth })).text).toContain("refused (usage)");
    expect(server.received).toEqual([]);
  });

  it("ends at its time, cut where it is long, and when it is taken back", async () => {
    server.handler = ({ url }, response) => {
      if (url === "/slow") response.write("a");
      else if (url === "/long") {
        const more = () => {
          while (response.writable && response.write(`${VALUE} `.repeat(1000)));
        };
        response.on("drain", more);
        more();
      } else response.end("short");
    };
    const mcp = await open();
    for (const timeout of [0.5, 0.4321, 1e-9])
      expect((await get(mcp, "/slow", { timeout_s: timeout })).text).toContain("its time was over");
    const long = await get(mcp, "/long");
    expect(long.structured).toMatchObject({ note: expect.stringContaining("cut after") });
    expect(String(long.structured.body).length).toBeLessThanOrEqual(1024 * 1024);
    expectHidden(long);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    const args = { method: "GET", url: `${server.origin}/slow`, auth: { as: "bearer", secret: "api/KEY" } };
    await expect(mcp.call("http_request", args, controller.signal)).rejects.toThrow();
    expect((await get(mcp, "/")).structured).toMatchObject({ body: "short" });
  });
});
