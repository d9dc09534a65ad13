import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { initVault } from "../../src/admin/init.ts";
import { operate } from "../../src/admin/operate.ts";
import type { OwnerSession } from "../../src/admin/owner-session.ts";
import type { Plan } from "../../src/admin/plan.ts";
import { planAddAgent } from "../../src/admin/plans/add-agent.ts";
import { planGrant } from "../../src/admin/plans/grant.ts";
import { planPolicy } from "../../src/admin/plans/policy.ts";
import { planSet } from "../../src/admin/plans/set.ts";
import { createKeyFile } from "../../src/vault/key-file.ts";
import { agentKeyPath } from "../../src/vault/key-lookup.ts";
import type { Machine } from "../../src/vault/machine.ts";
import { parseAgentName, parseGroupName, parseSecretRef } from "../../src/vault/names.ts";
import type { GroupPolicy } from "../../src/vault/policy.ts";
import { Secret } from "../../src/vault/secret.ts";
import { scratch } from "./promises.ts";

// A vault of which an agent has two groups: what it may be shown, and what it may not. Programs that do nothing are all that may be
// started with either, whatever a changed input asks for, and requests go to a server here, which answers what it is told.

export const AGENT = parseAgentName("crawler");
export const HIDDEN_VALUE = "correct horse battery staple";

export interface FuzzedVault {
  readonly machine: Machine;
  /** The origin that secrets may be sent to. */
  readonly origin: string;
  /** Has every request answered with these bytes from now on. */
  readonly answer: (pieces: readonly Buffer[]) => void;
}

let made: Promise<FuzzedVault> | undefined;

export function fuzzedVault(): Promise<FuzzedVault> {
  made ??= make();
  return made;
}

async function make(): Promise<FuzzedVault> {
  let pieces: readonly Buffer[] = [];
  const server = createServer((socket) => void sendAll(socket, pieces));
  await once(server.listen(0, "127.0.0.1"), "listening");
  server.unref();
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a server without a port");
  const origin = `http://127.0.0.1:${address.port}`;
  const [cwd, home] = [join(scratch(), "repo"), join(scratch(), "home")];
  mkdirSync(cwd);
  mkdirSync(home);
  execFileSync("git", ["init", "--quiet", cwd]);
  let nowMs = Date.now();
  const env = { PATH: "/usr/bin:/bin" };
  const machine: Machine = { env, cwd, home, host: "h", pid: process.pid, uid: 0, now: () => nowMs++ };
  const options = { root: join(cwd, ".vault"), commit: false, doing: "fuzz" };
  const silent = { note: () => {} };
  const change = (plan: (session: OwnerSession) => Promise<Plan>) => operate(machine, options, silent, plan);
  await initVault(machine, { ...options, suite: "classic", ownerName: "owner", audit: "required" }, silent);
  await change(async (session) => {
    const { plan, keyFile } = await planAddAgent(session, AGENT, undefined);
    createKeyFile(agentKeyPath(machine, session.vault.id, AGENT), keyFile);
    return plan;
  });
  const policy: GroupPolicy = { commands: [["true"]], origins: [origin] };
  const secrets = [
    ["shown/KEY", "a value that may be shown", { ...policy, reveal: true }],
    ["hidden/KEY", HIDDEN_VALUE, policy],
  ] as const;
  for (const [ref, value, allowed] of secrets) {
    const group = parseGroupName(parseSecretRef(ref).group);
    await change(async (session) => {
      const secret = new Secret(ref, Buffer.from(value));
      return (await planSet(session, parseSecretRef(ref), secret, { unsafeName: false })).plan;
    });
    await change(async (session) => planPolicy(session, group, allowed));
    await change((session) => planGrant(session, AGENT, group, undefined));
  }
  return {
    machine,
    origin,
    answer: (next) => {
      pieces = next;
    },
  };
}

async function sendAll(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  // Whoever reads no further may break off.
  socket.on("error", () => {});
  await once(socket, "data");
  for (const piece of pieces) socket.write(piece);
  socket.end();
}
