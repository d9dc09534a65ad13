import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { Bench } from "../redact/bench.ts";
import { commandOf, type Peer } from "../redact/peers.ts";
import type { BenchSecret } from "../redact/secrets.ts";

// The other launchers, each with the same secrets in the form that it keeps secrets in, and with its key where it says that
// a machine without people has it: in a variable.

export interface Contender {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** What opens its secrets; undefined where it has none. */
  readonly key: string | undefined;
  /** The command that launches one. */
  launch(command: readonly string[]): readonly string[];
}

/** Those that have to be installed by whoever wants to see them compared. */
export const OTHERS = ["sops exec-env", "fnox exec"] as const;

/** npm's always, sops and fnox where they are installed. */
export async function makeLaunchers(
  bench: Bench,
  peers: Readonly<Record<Peer, string>>,
  secrets: readonly BenchSecret[],
): Promise<Contender[]> {
  const launchers = [makeDotenvx(bench, peers.dotenvx, secrets), makeVarlock(bench, peers.varlock, secrets)];
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const sops = versionOf(bench, "sops");
  if (sops !== undefined) launchers.push(makeSops(bench, sops, identity, recipient, secrets));
  const fnox = versionOf(bench, "fnox");
  if (fnox !== undefined) launchers.push(makeFnox(bench, fnox, identity, recipient, secrets));
  return launchers;
}

function makeDotenvx(bench: Bench, version: string, secrets: readonly BenchSecret[]): Contender {
  const folder = bench.makeFolder("dotenvx");
  bench.file("dotenvx/.env", secrets.map(({ variable, value }) => `${variable}="${value}"\n`).join(""));
  bench.run([commandOf("dotenvx"), "encrypt"], folder);
  const key =
    /DOTENV_PRIVATE_KEY="?([0-9a-f]+)/.exec(readFileSync(join(folder, ".env.keys"), "utf8"))?.[1] ?? "";
  rmSync(join(folder, ".env.keys"));
  const launch = (command: readonly string[]) => [
    commandOf("dotenvx"),
    "run",
    "--redact",
    "--quiet",
    "--",
    ...command,
  ];
  return {
    name: "dotenvx --redact",
    version,
    folder,
    env: { ...bench.env, DOTENV_PRIVATE_KEY: key },
    key,
    launch,
  };
}

function makeVarlock(bench: Bench, version: string, secrets: readonly BenchSecret[]): Contender {
  const folder = bench.makeFolder("varlock");
  const items = secrets.map(({ variable, value }) => `# @sensitive\n${variable}="${value}"\n`);
  bench.file("varlock/.env.schema", `# ---\n${items.join("\n")}`);
  const launch = (command: readonly string[]) => [commandOf("varlock"), "run", "--", ...command];
  return { name: "varlock", version, folder, env: bench.env, key: undefined, launch };
}

function makeSops(
  bench: Bench,
  version: string,
  key: string,
  recipient: string,
  secrets: readonly BenchSecret[],
): Contender {
  const folder = bench.makeFolder("sops");
  const lines = secrets.map(({ variable, value }) => `${variable}=${value}\n`);
  const plain = bench.file("sops/plain.env", lines.join(""));
  bench.file("sops/secrets.env", bench.run(["sops", "encrypt", "--age", recipient, "plain.env"], folder));
  rmSync(plain);
  // It takes one string for a shell.
  const launch = (command: readonly string[]) => [
    "sops",
    "exec-env",
    "secrets.env",
    command.map(quoted).join(" "),
  ];
  return { name: "sops exec-env", version, folder, env: { ...bench.env, SOPS_AGE_KEY: key }, key, launch };
}

function makeFnox(
  bench: Bench,
  version: string,
  key: string,
  recipient: string,
  secrets: readonly BenchSecret[],
): Contender {
  const folder = bench.makeFolder("fnox");
  bench.file("fnox/fnox.toml", `[providers]\nage = { type = "age", recipients = ["${recipient}"] }\n`);
  for (const { variable, value } of secrets)
    bench.run(["fnox", "set", variable, "--provider", "age"], folder, value);
  const launch = (command: readonly string[]) => ["fnox", "exec", "--", ...command];
  return { name: "fnox exec", version, folder, env: { ...bench.env, FNOX_AGE_KEY: key }, key, launch };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Undefined where there is no such program. */
export function versionOf(bench: Bench, command: string): string | undefined {
  const { status, stdout } = spawnSync(command, ["--version"], { env: bench.env, encoding: "utf8" });
  return status === 0 ? /\d+\.\d+\.\d+/.exec(stdout)?.[0] : undefined;
}
