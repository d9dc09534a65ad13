import { rmSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { Suite } from "../../src/age/identity.ts";
import { makeLaunchers, OTHERS, versionOf } from "../behaviour/launchers.ts";
import type { Bench } from "../redact/bench.ts";
import type { Peer } from "../redact/peers.ts";
import { type BenchSecret, makeTokens, nameOf } from "../redact/secrets.ts";
import { CHILDREN, type Child, type Course } from "./measure.ts";
import { buildWithGo, isThere } from "./tools.ts";
import { AGENT, initRepository, makeVault, VAULT_RUN } from "./vaults.ts";

// What is launched and through what. The floors have no secrets; vault-run has 1, 10 and 50; the others have 10.

export const FLOOR = "node -e 0";
const COUNTS = [1, 10, 50] as const;
/** How many the others have, and the rows that are compared with them. */
const USUAL = 10;
const SUITES = ["pq", "classic"] as const satisfies readonly Suite[];
const SPAWN_ONLY = `require("child_process").spawn("true", [], { stdio: ["inherit", "pipe", "pipe"] })`;

export interface Field {
  readonly courses: readonly Course[];
  readonly versions: Readonly<Record<string, string>>;
  /** What is not compared because it is not there. */
  readonly missing: readonly string[];
}

export async function makeField(
  bench: Bench,
  peers: Readonly<Record<Peer, string>>,
  executable: string | undefined,
): Promise<Field> {
  buildWithGo(bench, "age");
  const secrets = makeTokens(USUAL);
  const launchers = await makeLaunchers(bench, peers, secrets);
  const others = launchers.flatMap(({ name, folder, env, launch }) =>
    bothChildren(name, folder, env, launch),
  );
  const age = await makeAge(bench, secrets);
  const agentVault = makeAgentVault(bench, secrets);
  const versions = Object.fromEntries(launchers.map(({ name, version }) => [name, version]));
  return {
    courses: [
      ...makeFloors(bench),
      ...makeVaultRuns(bench, executable),
      ...others,
      ...age.courses,
      ...agentVault,
    ],
    versions: { ...versions, ...age.versions },
    missing: [
      ...OTHERS.filter((name) => !(name in versions)),
      ...(age.courses.length === 0 ? [AGE] : []),
      ...(agentVault.length === 0 ? [AGENT_VAULT] : []),
    ],
  };
}

export function makeFloors(bench: Bench): Course[] {
  const own = { child: "true", cwd: bench.folder, env: cleanEnv(bench) } as const;
  return [
    { ...own, contender: FLOOR, command: ["node", "-e", "0"] },
    { ...own, contender: "node, spawning with pipes", command: ["node", "-e", SPAWN_ONLY] },
  ];
}

export function nameOfVaultRun(suite: Suite, secrets: number, options = ""): string {
  return `vault-run${options}, ${suite}, ${secrets} secret${secrets === 1 ? "" : "s"}`;
}

/** A launch from a vault, redacting unless the options say otherwise. */
export function launchFrom(
  bench: Bench,
  repo: string,
  contender: string,
  options: readonly string[] = [],
  program = VAULT_RUN,
): Course[] {
  const launch = (command: readonly string[]) => [program, "--agent", AGENT, ...options, "--", ...command];
  return bothChildren(contender, repo, cleanEnv(bench), launch);
}

function makeVaultRuns(bench: Bench, executable: string | undefined): Course[] {
  const courses: Course[] = [];
  for (const suite of SUITES) {
    for (const count of COUNTS) {
      const repo = makeVault(bench, `${suite}-${count}`, suite, makeTokens(count));
      const add = (name: string, ...options: string[]) =>
        courses.push(...launchFrom(bench, repo, nameOfVaultRun(suite, count, name), options));
      add("");
      add(" --no-redact", "--no-redact");
      if (suite !== "pq" || count !== USUAL) continue;
      add(", one as a file", "--file", "SECRET_0=group/SECRET_0");
      add(", one by a pipe", "--pipe", "SECRET_0=group/SECRET_0");
      if (executable === undefined) continue;
      const name = nameOfVaultRun(suite, count, ", the executable");
      courses.push(...launchFrom(bench, repo, name, [], executable));
    }
  }
  return courses;
}

const AGE = "age -d, launching nothing";

async function makeAge(
  bench: Bench,
  secrets: readonly BenchSecret[],
): Promise<Pick<Field, "courses" | "versions">> {
  const version = versionOf(bench, "age");
  if (version === undefined) return { courses: [], versions: {} };
  const cwd = bench.makeFolder("age");
  const identity = await generateX25519Identity();
  const lines = secrets.map(({ variable, value }) => `${variable}=${value}\n`);
  bench.file("age/key.txt", `${identity}\n`);
  bench.run(["age", "-r", await identityToRecipient(identity), "-o", "env.age"], cwd, lines.join(""));
  const command = ["age", "-d", "-i", "key.txt", "env.age"];
  return {
    courses: [{ contender: AGE, child: "true", command, cwd, env: cleanEnv(bench) }],
    versions: { age: version },
  };
}

const AGENT_VAULT = "agent-vault get, once a secret";

/** It launches nothing itself: a shell asks it for one secret after the other, and becomes the child. */
function makeAgentVault(bench: Bench, secrets: readonly BenchSecret[]): Course[] {
  // There are other programs of this name; this one has that verb, and no --version.
  if (!isThere(bench, "agent-vault", ["restore-agent", "--help"])) return [];
  const cwd = bench.makeFolder("agent-vault");
  initRepository(bench, cwd);
  const agentVault = (...words: string[]) => bench.run(["agent-vault", ...words], cwd);
  agentVault("init");
  agentVault("add-agent", AGENT);
  for (const secret of secrets) {
    const file = bench.file("value", secret.value);
    agentVault("set", nameOf(secret), "--from-file", file);
    rmSync(file);
  }
  agentVault("grant", AGENT, "group");
  const key = join(bench.folder, ".agent-vault/agents", `${AGENT}.key`);
  const gets = secrets.map(
    (secret) =>
      `${secret.variable}=$(agent-vault get ${nameOf(secret)} --key ${key}) && export ${secret.variable}`,
  );
  const script = `${gets.join(" && ")} && exec "$@"`;
  return bothChildren(AGENT_VAULT, cwd, cleanEnv(bench), (command) => ["sh", "-c", script, "sh", ...command]);
}

function bothChildren(
  contender: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
  launch: (command: readonly string[]) => readonly string[],
): Course[] {
  return (Object.keys(CHILDREN) as Child[]).map((child) => ({
    ...{ contender, child, cwd, env },
    command: launch(CHILDREN[child]),
  }));
}

/** No variable of whoever runs the bench. */
function cleanEnv({ path, folder }: Bench): Record<string, string> {
  return { PATH: path, HOME: folder };
}
