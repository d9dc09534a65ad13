import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Bench } from "../redact/bench.ts";
import { installPeers } from "../redact/peers.ts";
import { type Contender, makeLaunchers } from "./launchers.ts";

// What is compared: a program alone, and launched by vault-run and by the others.

export const VALUE = "sk_live_51HabcdefghijKLMNOP";
const VARIABLE = "API_KEY";
const VAULT_RUN = resolve(import.meta.dirname, "../../bin/vault-run");

/** Those that are there: npm's always, sops and fnox where they are installed. */
export async function makeContenders(bench: Bench): Promise<Contender[]> {
  const peers = installPeers(bench.path);
  const others = await makeLaunchers(bench, peers, [{ variable: VARIABLE, value: VALUE }]);
  return [makeAlone(bench), ...makeVaultRun(bench), ...others];
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

/** Whether any file that the launcher keeps holds the value. */
export function keepsPlaintext({ folder }: Contender): boolean {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return files.some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(VALUE));
}
