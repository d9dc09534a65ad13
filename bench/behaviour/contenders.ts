import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { Bench } from "../redact/bench.ts";
import { commandOf, installPeers } from "../redact/peers.ts";

// The launchers that are compared, each with the same secret in the form that it keeps secrets in, and with its key where
// it says that a machine without people has it: in a variable.

export const VALUE = "sk_live_51HabcdefghijKLMNOP";
const VARIABLE = "API_KEY";
const VAULT_RUN = resolve(import.meta.dirname, "../../bin/vault-run");

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

/** Those that are there: npm's always, sops and fnox where they are installed. */
export async function makeContenders(bench: Bench): Promise<Contender[]> {
  const peers = installPeers(bench.path);
  const contenders = [
    makeAlone(bench),
    ...makeVaultRun(bench),
    makeDotenvx(bench, peers.dotenvx),
    makeVarlock(bench, peers.varlock),
  ];
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const sops = versionOf(bench, "sops");
  if (sops !== undefined) contenders.push(makeSops(bench, sops, identity, recipient));
  const fnox = versionOf(bench, "fnox");
  if (fnox !== undefined) contenders.push(makeFnox(bench, fnox, identity, recipient));
  return contenders;
}

function makeAlone(bench: Bench): Contender {
  const env = { ...bench.env, [VARIABLE]: VALUE };
  return {
    name: "alone",
    version: "",
    folder: bench.makeFolder("alone"),
    env,
    key: undefined,
    launch: (command) => command,
  };
}

function makeVaultRun(bench: Bench): Contender[] {
  const folder = bench.makeFolder("vault-run");
  for (const words of [
    ["init", "-q"],
    ["config", "user.name", "Bench"],
    ["config", "user.email", "bench@example.org"],
  ]) {
    bench.run(["git", ...words], folder);
  }
  bench.run([VAULT_RUN, "init"], folder);
  bench.run([VAULT_RUN, "add-agent", "a", "--out", "a.key"], folder);
  bench.run([VAULT_RUN, "set", `group/${VARIABLE}`], folder, VALUE);
  bench.run([VAULT_RUN, "grant", "a", "group"], folder);
  const key = readFileSync(join(folder, "a.key"), "utf8");
  rmSync(join(folder, "a.key"));
  const version = bench.run([VAULT_RUN, "--version"], folder).toString().trim();
  const make = (name: string, options: readonly string[]): Contender => ({
    ...{ name, version, folder, key: /AGE-SECRET-KEY-\S+/.exec(key)?.[0] },
    env: { ...bench.env, VAULT_RUN_KEY: key },
    launch: (command) => [VAULT_RUN, "--quiet", ...options, "--", ...command],
  });
  return [make("vault-run", []), make("vault-run --no-redact", ["--no-redact"])];
}

function makeDotenvx(bench: Bench, version: string): Contender {
  const folder = bench.makeFolder("dotenvx");
  bench.file("dotenvx/.env", `${VARIABLE}="${VALUE}"\n`);
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

function makeVarlock(bench: Bench, version: string): Contender {
  const folder = bench.makeFolder("varlock");
  bench.file("varlock/.env.schema", `# ---\n# @sensitive\n${VARIABLE}="${VALUE}"\n`);
  const launch = (command: readonly string[]) => [commandOf("varlock"), "run", "--", ...command];
  return { name: "varlock", version, folder, env: bench.env, key: undefined, launch };
}

function makeSops(bench: Bench, version: string, key: string, recipient: string): Contender {
  const folder = bench.makeFolder("sops");
  const plain = bench.file("sops/plain.env", `${VARIABLE}=${VALUE}\n`);
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

function makeFnox(bench: Bench, version: string, key: string, recipient: string): Contender {
  const folder = bench.makeFolder("fnox");
  bench.file("fnox/fnox.toml", `[providers]\nage = { type = "age", recipients = ["${recipient}"] }\n`);
  bench.run(["fnox", "set", VARIABLE, "--provider", "age"], folder, VALUE);
  const launch = (command: readonly string[]) => ["fnox", "exec", "--", ...command];
  return { name: "fnox exec", version, folder, env: { ...bench.env, FNOX_AGE_KEY: key }, key, launch };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function versionOf(bench: Bench, command: string): string | undefined {
  const { status, stdout } = spawnSync(command, ["--version"], { env: bench.env, encoding: "utf8" });
  return status === 0 ? /\d+\.\d+\.\d+/.exec(stdout)?.[0] : undefined;
}

/** Whether any file that the launcher keeps holds the value. */
export function keepsPlaintext({ folder }: Contender): boolean {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return files.some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(VALUE));
}
