import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { crawlerTemplate, VALUE } from "../fixtures/crawler.ts";
import type { Program } from "../fixtures/program.ts";
import { runFile, writeInProject } from "../fixtures/project.ts";

// Every way on which programs, loggers and crash reporters carry an object off (promise 10, A17).

const template = await crawlerTemplate();
let program: Program;
beforeEach(() => {
  program = template.copy();
});

/** The value as its text and as its bytes are written, and what of the key must not be seen either. */
function shapesOf(value: string): string[] {
  const bytes = Buffer.from(value);
  return [
    value,
    bytes.toString("hex"),
    bytes.toString("base64").replace(/=+$/, ""),
    [...bytes].join(","),
    [...bytes].join(", "),
    [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" "),
  ];
}

function expectClean(...texts: string[]): void {
  const key = readFileSync(
    join(program.home, ".config/vault-run", program.vaultId, "agents/crawler.key"),
    "utf8",
  );
  const identity = /AGE-SECRET-KEY-\S+/.exec(key)?.[0] ?? "";
  expect(identity).not.toBe("");
  for (const text of texts)
    for (const shape of [...shapesOf(VALUE), identity])
      expect(text.includes(shape), `${shape} in ${text.slice(0, 2000)}`).toBe(false);
}

const OPENED = `
  import { openVault, VaultError } from "vault-run";
  const vault = await openVault();
  const secret = await vault.get("stripe/API_KEY");
  const environment = await vault.env();
  if (secret.reveal().length !== ${VALUE.length} || environment.names.length !== 1) throw new Error("nothing was opened");
`;

async function run(body: string, flags: readonly string[] = []) {
  const outcome = await runFile(writeInProject(OPENED + body, "mjs"), program, { flags });
  return { ...outcome, text: outcome.stdout + outcome.stderr };
}

const THINGS =
  "[secret, environment, vault, { secret, environment, vault }, new Map([[secret, environment]]), new Set([secret])]";

describe("a value that a program holds does not come out", () => {
  it.each([
    [
      "console",
      `for (const thing of ${THINGS}) { console.log(thing); console.error(thing); console.dir(thing, { depth: 9, showHidden: true }); console.table([thing]); console.log("%s %o %O %j %d", thing, thing, thing, thing, thing); }`,
    ],
    [
      "template strings and concatenation",
      "console.log(`${secret} ${environment} ${vault}` + secret + environment, [secret].join(), String(secret), secret + 1);",
    ],
    [
      "JSON",
      `console.log(JSON.stringify(${THINGS}), JSON.stringify({ ...secret, ...environment, ...vault }), JSON.stringify(Object.entries(secret)));`,
    ],
    [
      "util.inspect, whichever way",
      `const { inspect, format } = await import("node:util"); for (const thing of ${THINGS}) console.log(inspect(thing, { customInspect: false, showHidden: true, depth: 20, getters: true, showProxy: true, maxArrayLength: null }), format("%o", thing));`,
    ],
    [
      "structured clones and v8's serialisation",
      `const v8 = await import("node:v8"); for (const thing of [secret, environment, vault, { secret }, [environment]]) { console.log(JSON.stringify(structuredClone(thing)), v8.serialize(thing).toString("latin1")); console.dir(structuredClone(thing), { depth: 9 }); }`,
    ],
    [
      "messages to workers",
      `const { Worker } = await import("node:worker_threads"); const worker = new Worker("const { parentPort, workerData } = require('node:worker_threads'); const { inspect } = require('node:util'); parentPort.once('message', (thing) => { console.log(inspect([thing, workerData], { showHidden: true, depth: 9 })); parentPort.close(); })", { eval: true, workerData: { secret, environment } }); worker.postMessage([secret, environment]); await new Promise((end) => worker.on("exit", end));`,
    ],
    [
      "what walks over properties",
      `for (const thing of [secret, environment, vault]) { for (const name in thing) console.log(name, thing[name]); console.log(Reflect.ownKeys(thing).map((name) => [name, thing[name]]), Object.getOwnPropertyDescriptors(thing), Object.assign({}, thing)); }`,
    ],
    [
      "differences that assert shows",
      `const assert = (await import("node:assert")).default; for (const thing of [secret, environment]) { try { assert.deepStrictEqual({ thing }, { thing: 1 }); } catch (error) { console.log(error.message, error); } try { assert.equal(thing, "other"); } catch (error) { console.log(error.message); } }`,
    ],
    [
      "buffers made of it",
      `console.log(Buffer.from(secret).toString(), new TextEncoder().encode(secret).join(), Buffer.from(JSON.stringify(environment)).toString("hex"));`,
    ],
    [
      "errors and their causes",
      `console.log(new Error("x", { cause: secret }), new AggregateError([environment, secret]), Object.assign(new Error(\`\${secret}\`), { secret, environment }));`,
    ],
    ["warnings", `process.emitWarning(\`\${secret}\`, { detail: JSON.stringify(environment) });`],
    [
      "a report of the process",
      `console.log(JSON.stringify(process.report.getReport(new Error("x", { cause: secret }))));`,
    ],
  ])("by %s", async (_, body) => {
    const { status, text } = await run(body);
    expect(status, text).toBe(0);
    expect(text.length).toBeGreaterThan(20);
    expectClean(text);
  });

  it("by an error that nobody catches, nor by the report that node then writes", async () => {
    const { status, text } = await run(
      `const local = { secret, environment }; throw Object.assign(new Error(\`failed with \${secret}\`, { cause: local }), local);`,
      ["--report-uncaught-exception", `--report-directory=${program.home}`],
    );
    expect(status).toBe(1);
    expect(text).toContain("failed with [REDACTED:stripe/API_KEY]");
    const report = readdirSync(program.home).find((name) => name.startsWith("report."));
    expectClean(text, readFileSync(join(program.home, report ?? ""), "utf8"));
  });

  it("by a rejection that nobody handles", async () => {
    const { status, text } = await run("Promise.reject(secret);");
    expect(status).toBe(1);
    expect(text).toContain("UnhandledPromiseRejection");
    expectClean(text);
  });

  it("by a crash reporter that reads locals as a debugger does, private fields and previews too", async () => {
    const { status, text } = await run(`
      import { Session } from "node:inspector";
      const session = new Session();
      session.connect();
      const ask = (method, params) => { let answer; session.post(method, params, (error, result) => { answer = error ?? result; }); return answer; };
      const captured = [];
      const seen = new Set();
      const capture = (object, depth) => {
        captured.push(object);
        if (object.objectId === undefined || depth === 0) return;
        for (const accessorPropertiesOnly of [false, true]) {
          const found = ask("Runtime.getProperties", { objectId: object.objectId, ownProperties: true, accessorPropertiesOnly, generatePreview: true });
          for (const kind of ["result", "privateProperties"]) {
            for (const { name, value, get } of found[kind] ?? []) {
              if (["__proto__", "constructor"].includes(name)) continue;
              captured.push(name);
              if (value !== undefined) capture(value, depth - 1);
            }
          }
        }
      };
      session.on("Debugger.paused", ({ params }) => {
        for (const frame of params.callFrames.slice(0, 2))
          for (const scope of frame.scopeChain.filter(({ type }) => type === "local" || type === "block"))
            capture(scope.object, 6);
      });
      ask("Debugger.enable");
      ask("Debugger.setPauseOnExceptions", { state: "all" });
      function pay(secret, environment, vault) {
        const inside = { secret, deep: [environment, { vault }] };
        throw new Error("declined", { cause: inside });
      }
      try { pay(secret, environment, vault); } catch {}
      session.disconnect();
      const numbers = captured.filter(({ type }) => type === "number").map(({ value }) => value);
      console.log(captured.length, JSON.stringify(captured), numbers.join());
    `);
    expect(status, text).toBe(0);
    expect(Number(text.split(" ")[0])).toBeGreaterThan(30);
    expect(text).toContain("stripe/API_KEY");
    expect(text).toContain("environment");
    expectClean(text);
  });

  it("by an error of the vault's, when the pull of an opened value cannot be recorded", async () => {
    const log = program.auditLog;
    rmSync(log);
    mkdirSync(log);
    const script = `
      import { inspect } from "node:util";
      import { openVault } from "vault-run";
      try { await (await openVault()).get("stripe/API_KEY"); console.log("released"); }
      catch (error) { console.log(inspect(error, { showHidden: true, depth: 9 }), JSON.stringify(error), error.stack, error.code); }
    `;
    const { stdout, stderr } = await runFile(writeInProject(script, "mjs"), program);
    expect(stdout).toContain("audit");
    expect(stdout).not.toContain("released");
    expectClean(stdout, stderr);
  });

  it("nor a key's text, by the error that it is none", async () => {
    const script = `
      import { readFileSync } from "node:fs";
      import { inspect } from "node:util";
      import { openVault } from "vault-run";
      const key = readFileSync(process.argv[2], "utf8");
      for (const text of [key + key, key.toLowerCase(), key.trim().slice(0, -1), "x" + key])
        await openVault({ key: text }).then(() => console.log("opened"), (error) => console.log(inspect(error, { showHidden: true, depth: 9 })));
    `;
    const key = join(program.home, ".config/vault-run", program.vaultId, "agents/crawler.key");
    const { stdout, stderr } = await runFile(writeInProject(script, "mjs"), program, { args: [key] });
    expect(stdout.match(/code: 'key-file'/g)).toHaveLength(4);
    expectClean(stdout.toUpperCase(), stdout, stderr);
  });

  it("to any file but the child's own: state and repo hold none of it (promise 1)", async () => {
    const { status } = await run("console.log(`${secret}`);");
    expect(status).toBe(0);
    expect(existsSync(program.auditLog)).toBe(true);
    const files = readdirSync(program.home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "crawler.key")
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
    expect(files.length).toBeGreaterThan(10);
    expectClean(...files);
  });
});
