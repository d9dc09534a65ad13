import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Protection } from "../../src/launch/protection.ts";
import { parseArguments } from "../../src/mcp/arguments.ts";
import { Calls } from "../../src/mcp/calls.ts";
import * as get from "../../src/mcp/get-secret.ts";
import * as http from "../../src/mcp/http/schemas.ts";
import { httpRequest } from "../../src/mcp/http-request.ts";
import * as list from "../../src/mcp/list-secrets.ts";
import * as access from "../../src/mcp/request-access.ts";
import * as run from "../../src/mcp/run-schemas.ts";
import { serve } from "../../src/mcp/serve.ts";
import { accepts, cut, type Target } from "./promises.ts";
import { AGENT, type FuzzedVault, fuzzedVault, HIDDEN_VALUE } from "./vault.ts";

// What models, their clients and the servers that they ask send to `vault-run mcp`.

const INTERNAL_ERROR = -32603;
const MOST_WAITED_MS = 100;
const OPTIONS = { agent: AGENT, rate: 1_000_000, allowLoopback: true };
const SCHEMAS = [list.input, run.input, http.input, get.input, access.input];

export const MCP_TARGETS: Readonly<Record<string, Target>> = {
  "mcp-frames": async (bytes) => {
    const { machine, answer } = await fuzzedVault();
    answer([Buffer.from("HTTP/1.1 204 No Content\r\n\r\n")]);
    const [from, to] = [new PassThrough(), new PassThrough()];
    const said: Buffer[] = [];
    to.on("data", (chunk: Buffer) => said.push(chunk));
    const served = serve(OPTIONS, {
      machine,
      signals: process,
      from,
      to,
      version: "0",
      warn: () => {},
      end: new AbortController().signal,
    });
    for (const piece of cut(bytes)) from.write(piece);
    from.write("\n");
    const asked = idsIn(bytes.toString());
    for (let waited = 0; waited < MOST_WAITED_MS && count(said) < asked.length; waited += 5) await sleep(5);
    from.end();
    await served;
    return requireAnswers(Buffer.concat(said).toString(), asked);
  },
  "mcp-arguments": (bytes) => {
    let given: unknown;
    try {
      given = JSON.parse(bytes.toString());
    } catch {
      return false;
    }
    return SCHEMAS.map((schema) => accepts(() => parseArguments(schema, given))).includes(true);
  },
  "mcp-answer": async (bytes) => {
    const vault = await fuzzedVault();
    vault.answer(cut(bytes));
    const { isError, ...result } = await request(vault);
    requireNoDefect(JSON.stringify(result));
    if (isError !== true) http.output.parse(result.structuredContent);
    return isError !== true;
  },
};

async function request({ machine, origin }: FuzzedVault) {
  const around = { machine, protection: new Protection(), warn: () => {} };
  const findClient = () => ({ info: undefined, capabilities: undefined });
  const calls = new Calls(OPTIONS, { ...around, orphans: undefined, findClient });
  const call = calls.handler("http_request", http.input, (args, made) => httpRequest(calls, args, made));
  const context = { mcpReq: { signal: new AbortController().signal } } as Parameters<typeof call>[1];
  const args = { method: "GET", url: `${origin}/`, auth: { as: "bearer", secret: "hidden/KEY" } };
  return (await call(args, context)) as { isError?: boolean; structuredContent?: unknown };
}

/** The ids of what may be requests: whether each is one the SDK says. */
function idsIn(frames: string): string[] {
  return Array.from(frames.matchAll(/^[ \t\r]*\{[^\n]*/gm)).flatMap(([line]) => {
    try {
      const { id, method } = Object(JSON.parse(line)) as { id?: unknown; method?: unknown };
      return id === undefined || method === undefined ? [] : [JSON.stringify(id)];
    } catch {
      return [];
    }
  });
}

function count(said: readonly Buffer[]): number {
  return said.reduce((sum, chunk) => sum + chunk.toString("latin1").split("\n").length - 1, 0);
}

/** Whether any request got what it asked for. */
function requireAnswers(said: string, asked: readonly string[]): boolean {
  requireNoDefect(said);
  const left = [...asked];
  let isAnswered = false;
  for (const line of said.split("\n").filter((text) => text !== "")) {
    const { jsonrpc, id, method, result, error } = JSON.parse(line);
    if (jsonrpc !== "2.0") throw new Error(`no message of the protocol: ${line}`);
    if (method !== undefined) continue;
    if (error?.code === INTERNAL_ERROR && !isOfZod(error.message))
      throw new Error(`a defect is told: ${line}`);
    if ((result === undefined) === (error === undefined)) throw new Error(`no answer: ${line}`);
    const at = left.indexOf(JSON.stringify(id));
    if (at === -1 && id !== undefined && id !== null)
      throw new Error(`an answer that nobody asked for: ${line}`);
    left.splice(at, at === -1 ? 0 : 1);
    isAnswered ||= result !== undefined;
  }
  return isAnswered;
}

/** The SDK says so of parameters that do not fit: the list of what is wrong with them. */
function isOfZod(message: string): boolean {
  return /^\[\s*\{/.test(message) && Array.isArray(JSON.parse(message));
}

function requireNoDefect(said: string): void {
  if (said.includes("a defect in vault-run")) throw new Error(`a defect is told: ${said}`);
  for (const spelling of [HIDDEN_VALUE, Buffer.from(HIDDEN_VALUE).toString("base64").slice(0, -4)])
    if (said.includes(spelling)) throw new Error("a value stands in what is said");
}
