import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { OwnerSession } from "../../src/admin/owner-session.ts";
import { planAddAgent } from "../../src/admin/plans/add-agent.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { formatAuditLine } from "../../src/audit/event.ts";
import { digest, keyFingerprint } from "../../src/vault/fingerprint.ts";
import { parseKeyFile } from "../../src/vault/key-file.ts";
import { stateFolder } from "../../src/vault/machine.ts";
import { type AgentName, parseAgentName, type VaultId } from "../../src/vault/names.ts";
import { timestamp } from "../../src/vault/time.ts";
import { commitAll, fill, machineOf, makeVault, rootOf } from "../launch/vaults.ts";
import type { Bench } from "../redact/bench.ts";

// A log as ten agents leave it that are launched a million times in a year, each time with one to four of fifty secrets.

const AGENTS = 10;
const SECRETS = 50;
const YEAR_MS = 365 * 86_400_000;
const SEGMENT_BYTES = 16 * 1024 * 1024;

export interface LongLog {
  readonly repo: string;
  /** The files of the log, in order. */
  readonly files: readonly string[];
  readonly bytes: number;
}

interface Agent {
  readonly name: AgentName;
  readonly key: SigningKey;
}

export async function makeLongLog(bench: Bench, lines: number): Promise<LongLog> {
  const repo = makeVault(bench, "audit", "classic", [{ variable: "TOKEN", value: "some-value" }]);
  const agents = await addAgents(bench, repo);
  const machine = machineOf(bench, repo);
  const { vault } = await OwnerSession.open(machine, rootOf(repo), undefined);
  const folder = stateFolder(machine, vault.id);
  mkdirSync(folder, { recursive: true });
  return { repo, ...writeLines(folder, vault.id, agents, lines) };
}

async function addAgents(bench: Bench, repo: string): Promise<Agent[]> {
  const agents: Agent[] = [];
  await fill(bench, repo, async (session) => {
    const writes = [];
    for (let i = 0; i < AGENTS; i++) {
      const name = parseAgentName(`agent-${i}`);
      const { plan, keyFile } = await planAddAgent(session, name, undefined);
      writes.push(...plan.writes);
      agents.push({ name, key: SigningKey.derive(parseKeyFile(keyFile, "bench").identity) });
    }
    return writes;
  });
  commitAll(bench, repo);
  return agents;
}

function writeLines(folder: string, vault: VaultId, agents: readonly Agent[], lines: number) {
  const now = Date.now();
  const files: string[] = [];
  let segment: string[] = [];
  let size = 0;
  let bytes = 0;
  let prev: string | undefined;
  const close = (name: string) => {
    const path = join(folder, name);
    const fd = openSync(path, "w", 0o600);
    writeSync(fd, segment.join(""));
    closeSync(fd);
    files.push(path);
    bytes += size;
    segment = [];
    size = 0;
  };
  for (let i = 0; i < lines; i++) {
    const text = formatLine(
      vault,
      agents[i % agents.length] as Agent,
      i,
      now - YEAR_MS + (YEAR_MS / lines) * i,
      prev,
    );
    prev = digest(text);
    segment.push(`${text}\n`);
    size += text.length + 1;
    if (size >= SEGMENT_BYTES) close(`audit.${files.length + 1}.jsonl`);
  }
  close("audit.jsonl");
  return { files, bytes };
}

function formatLine(vault: VaultId, { name, key }: Agent, i: number, at: number, prev: string | undefined) {
  const secrets = Array.from({ length: 1 + (i % 4) }, (_, j) => {
    const number = (i * 7 + j) % SECRETS;
    return {
      group: `group-${number % 5}`,
      name: `SECRET_${number}`,
      valueId: digest(`${number}`).slice(0, 32),
    };
  });
  const line = {
    v: 1,
    id: randomBytes(16).toString("hex"),
    time: timestamp(at),
    vault,
    action: "launch",
    agent: name,
    command: "node",
    commit: "1".repeat(40),
    key: keyFingerprint(key.verifyKey),
    host: "bench",
    uid: 1000,
    secrets,
    ...(prev === undefined ? {} : { prev }),
  } as const;
  return formatAuditLine(line, key);
}
