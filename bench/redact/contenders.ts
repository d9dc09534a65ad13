import { join, resolve } from "node:path";
import type { Bench } from "./bench.ts";
import { commandOf, PEERS } from "./peers.ts";
import { type BenchSecret, nameOf } from "./secrets.ts";

// The programs that are measured side by side. Each starts a child with the same secrets and passes on what it prints:
// vault-run from a vault, its peers from their own files, each through its own command line.

export const CONTENDERS = ["plain pipe", "vault-run", ...PEERS] as const;
export type ContenderName = (typeof CONTENDERS)[number];

const VAULT_RUN = resolve(import.meta.dirname, "../../bin/vault-run");

export interface Contender {
  readonly name: ContenderName;
  readonly cwd: string;
  /** What the child's words are put behind. */
  readonly launcher: readonly string[];
}

export function makeContenders(bench: Bench, secrets: readonly BenchSecret[]): Contender[] {
  return [
    makePlainPipe(bench),
    { name: "vault-run", cwd: makeVault(bench, secrets), launcher: [VAULT_RUN, "--agent", "a", "--"] },
    {
      name: "dotenvx",
      cwd: makeEnvFile(bench, secrets),
      launcher: [commandOf("dotenvx"), "run", "--redact", "--quiet", "--"],
    },
    { name: "varlock", cwd: makeSchema(bench, secrets), launcher: [commandOf("varlock"), "run", "--"] },
  ];
}

export function makePlainPipe({ folder }: Bench): Contender {
  const launcher = [process.execPath, join(import.meta.dirname, "plain-pipe.js")];
  return { name: "plain pipe", cwd: folder, launcher };
}

function makeVault(bench: Bench, secrets: readonly BenchSecret[]): string {
  const repo = bench.makeFolder(`vault-${secrets.length}`);
  for (const words of [
    ["init", "-q"],
    ["config", "user.name", "Bench"],
    ["config", "user.email", "bench@example.org"],
  ]) {
    bench.run(["git", ...words], repo);
  }
  bench.run([VAULT_RUN, "init"], repo);
  bench.run([VAULT_RUN, "add-agent", "a"], repo);
  for (const secret of secrets) bench.run([VAULT_RUN, "set", nameOf(secret)], repo, secret.value);
  bench.run([VAULT_RUN, "grant", "a", "group"], repo);
  return repo;
}

function makeEnvFile(bench: Bench, secrets: readonly BenchSecret[]): string {
  const name = `dotenvx-${secrets.length}`;
  const folder = bench.makeFolder(name);
  bench.file(join(name, ".env"), secrets.map(({ variable, value }) => `${variable}="${value}"\n`).join(""));
  return folder;
}

function makeSchema(bench: Bench, secrets: readonly BenchSecret[]): string {
  const name = `varlock-${secrets.length}`;
  const folder = bench.makeFolder(name);
  const items = secrets.map(({ variable, value }) => `# @sensitive\n${variable}="${value}"\n`);
  bench.file(join(name, ".env.schema"), `# ---\n${items.join("\n")}`);
  return folder;
}
