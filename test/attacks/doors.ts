import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import { McpConnection } from "../fixtures/mcp.ts";
import type { Program } from "../fixtures/program.ts";
import { runFile, writeInProject } from "../fixtures/project.ts";

// Every way to a value, and every way to have something sealed or signed, tried on a vault as the installed program and the
// two packages offer them. What stands behind a door is not looked at: only what comes out.

/** What one door said. */
export interface Answer {
  readonly door: string;
  readonly isOpen: boolean;
  /** The error's code, where the door tells it. */
  readonly code?: string;
  /** All that it printed. */
  readonly said: string;
}

/** The value that every door of the crawler leads to. */
export const REF = "stripe/API_KEY";

const AS_CRAWLER = ["--agent", "crawler"];
const PYTHON = resolve(import.meta.dirname, "../../python");
const READ_BY_PYTHON = `
from vault_run import Vault, VaultError
try:
    with Vault(agent="crawler") as vault:
        print("open", vault["${REF}"].reveal())
except VaultError as error:
    print(error.code, error)
`;

const nodeReader = writeInProject(
  `
  import { openVault, run, VaultError } from "vault-run";
  const tried = {
    get: async () => (await (await openVault()).get("${REF}")).reveal(),
    env: async () => (await (await openVault()).env()).reveal().API_KEY,
    run: async () => (await run("sh", ["-c", 'touch "$HOME/started"; echo started'], { stdout: "capture" })).stdout.toString(),
  };
  for (const [name, attempt] of Object.entries(tried)) {
    try {
      console.log(JSON.stringify({ name, said: await attempt() }));
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      console.log(JSON.stringify({ name, code: error.code, said: error.message }));
    }
  }
`,
  "mjs",
);

const nodeOwner = writeInProject(
  `
  import * as admin from "vault-run/admin";
  const changes = {
    setSecret: () => admin.setSecret("${REF}", "value-set-in-the-attack"),
    importSecrets: () => admin.importSecrets([{ ref: "stripe/IMPORTED", value: "value-set-in-the-attack" }]),
    unsetSecret: () => admin.unsetSecret("stripe/WEBHOOK"),
    grant: () => admin.grant("outsider", "stripe"),
    addAgent: () => admin.addAgent("new", { keyFile: null }),
    revoke: () => admin.revoke("stays", "stripe"),
    rekeyAgent: () => admin.rekeyAgent("crawler", { keyFile: null }),
    removeAgent: () => admin.removeAgent("crawler"),
  };
  for (const name of JSON.parse(process.argv[2])) {
    try {
      await (await admin.openAdmin()).apply(changes[name]());
      console.log(JSON.stringify({ name, said: "" }));
    } catch (error) {
      if (!(error instanceof admin.VaultError)) throw error;
      console.log(JSON.stringify({ name, code: error.code, said: error.message }));
    }
  }
`,
  "mjs",
);

const newKey = (of: string) => ["--out", `../${of}.key`, "--yes"];

/** Owner's verbs, with what they read. Each would change the vault, or give a value away. */
const VERBS = {
  set: { args: ["set", REF], input: "value-set-in-the-attack" },
  rollback: { args: ["rollback", REF, "--to", "1", "--yes"] },
  "grant again": { args: ["grant", "crawler", "stripe"] },
  revoke: { args: ["revoke", "stays", "stripe"] },
  policy: { args: ["policy", "stripe", "--allow-command", "true", "--yes"] },
  rekey: { args: ["rekey", "crawler", ...newKey("crawler")] },
  restore: { args: ["restore", "crawler", "--out", "-"] },
  "add-owner": { args: ["add-owner", "bob", ...newKey("bob")] },
  get: { args: ["get", REF] },
  export: { args: ["export", "stripe", "--format", "json"] },
  "rekey --owner": { args: ["rekey", "--owner", ...newKey("owner")] },
} as const;

const CHANGES = [
  "setSecret",
  "importSecrets",
  "unsetSecret",
  "grant",
  "addAgent",
  "revoke",
  "rekeyAgent",
  "removeAgent",
] as const;

export type OwnerDoor = keyof typeof VERBS | `admin.${(typeof CHANGES)[number]}`;

export const OWNER_DOORS: readonly OwnerDoor[] = [
  ...CHANGES.map((name) => `admin.${name}` as const),
  ...(Object.keys(VERBS) as (keyof typeof VERBS)[]),
];

/** Owner's doors that read no value that is there. */
export const OF_NO_SECRET: readonly OwnerDoor[] = [
  "admin.importSecrets",
  "admin.unsetSecret",
  "admin.grant",
  "admin.addAgent",
  "restore",
  "policy",
  "add-owner",
];

/**
 * The crawler's doors: a launch, the reading verbs, both packages, the server for models.
 *
 * @param session a server that runs already.
 */
export async function tryAsAgent(program: Program, session: McpConnection): Promise<Answer[]> {
  const answers = [
    ...(await tryBriefly(program)),
    await ofCommand(program, "get", ["get", REF, ...AS_CRAWLER]),
    await ofCommand(program, "export", ["export", "stripe", "--format", "json", ...AS_CRAWLER]),
    await ofCommand(program, "redact", ["redact", ...AS_CRAWLER], "text from the stream"),
    ...(await ofServer(program)),
    ...(await ofSession(session, "mcp, begun before:")),
  ];
  expectNoneStarted(program, answers);
  return answers;
}

/** A launch and both packages: one door for each reader of the format. */
export async function tryBriefly(program: Program): Promise<Answer[]> {
  const start = ["--no-redact", "--", "sh", "-c", 'touch "$HOME/started"; printenv API_KEY'];
  const answers = [
    await ofCommand(program, "launch", [...AS_CRAWLER, ...start]),
    ...(await ofScript(program, nodeReader, [], "node")),
    await ofPython(program),
  ];
  expectNoneStarted(program, answers);
  return answers;
}

function expectNoneStarted(program: Program, answers: readonly Answer[]): void {
  const starting = answers.filter(({ door }) => /^launch$|run/.test(door));
  if (starting.every(({ isOpen }) => !isOpen)) expect(existsSync(join(program.home, "started"))).toBe(false);
}

export async function tryAsOwner(
  program: Program,
  doors: readonly OwnerDoor[] = OWNER_DOORS,
): Promise<Answer[]> {
  const changes = CHANGES.filter((name) => doors.includes(`admin.${name}`));
  const answers = await ofScript(program, nodeOwner, [JSON.stringify(changes)], "admin");
  for (const [door, { args, ...more }] of Object.entries(VERBS)) {
    const input = "input" in more ? more.input : "";
    if (doors.includes(door as OwnerDoor)) answers.push(await ofCommand(program, door, args, input));
  }
  return answers;
}

async function ofCommand(
  program: Program,
  door: string,
  args: readonly string[],
  input = "",
): Promise<Answer> {
  const { status, stdout, stderr } = await program.run(args, { input });
  if (status !== 0) {
    expect(status, `${door}: ${stderr}`).toBe(args.includes("--") ? 125 : 1);
    expect(stdout, door).toBe("");
  }
  return { door, isOpen: status === 0, said: stdout + stderr };
}

async function ofScript(
  program: Program,
  file: string,
  args: readonly string[],
  by: string,
): Promise<Answer[]> {
  const { status, stdout, stderr } = await runFile(file, program, { args });
  expect(status, stderr).toBe(0);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const { name, ...told } = JSON.parse(line) as { name: string; code?: string; said: string };
    return { door: `${by}.${name}`, isOpen: told.code === undefined, ...told };
  });
}

async function ofPython(program: Program): Promise<Answer> {
  const options = { cwd: program.repo, extendEnv: false, reject: false } as const;
  const env = { ...program.env, PYTHONPATH: join(PYTHON, "src"), PYTHONDONTWRITEBYTECODE: "1" };
  const { stdout, stderr, exitCode } = await execa(join(PYTHON, ".venv/bin/python"), ["-c", READ_BY_PYTHON], {
    ...options,
    env,
  });
  expect(exitCode, stderr).toBe(0);
  const [word = ""] = stdout.split(" ", 1);
  const isOpen = word === "open";
  return { door: "python", isOpen, said: stdout + stderr, ...(isOpen ? {} : { code: word }) };
}

/** A server that starts now: it may be refused at once, or refuse its tools. */
async function ofServer(program: Program): Promise<Answer[]> {
  const { status, stdout, stderr } = await program.run(["mcp", ...AS_CRAWLER]);
  if (status !== 0) {
    expect([status, stdout]).toEqual([1, ""]);
    return [{ door: "mcp", isOpen: false, said: stderr }];
  }
  const session = await McpConnection.open(program);
  const answers = await ofSession(session, "mcp");
  await session.close();
  return answers;
}

async function ofSession(session: McpConnection, name: string): Promise<Answer[]> {
  const calls = {
    run_with_secrets: {
      command: ["sh", "-c", 'touch "$HOME/started"; echo started'],
      secrets: [REF],
    },
    get_secret: { name: REF },
    list_secrets: {},
  };
  const answers: Answer[] = [];
  for (const [tool, args] of Object.entries(calls)) {
    const { isError, text } = await session.call(tool, args);
    const [, code = "none told"] = /\(([a-z-]+)\): /.exec(text) ?? [];
    answers.push({ door: `${name} ${tool}`, isOpen: !isError, said: text, ...(isError ? { code } : {}) });
  }
  return answers;
}
