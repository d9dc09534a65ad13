import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { OwnerSession } from "../../src/admin/owner-session.ts";
import type { PlannedWrite } from "../../src/admin/plan.ts";
import type { Suite } from "../../src/age/identity.ts";
import type { Machine } from "../../src/vault/machine.ts";
import { encodeRecord } from "../../src/vault/record.ts";
import type { Bench } from "../redact/bench.ts";
import { type BenchSecret, nameOf } from "../redact/secrets.ts";

// Vaults to measure with: made through the command, and made larger through the program's own modules where that would
// take thousands of starts of it.

export const VAULT_RUN = resolve(import.meta.dirname, "../../bin/vault-run");
/** The agent that is granted `group`. */
export const AGENT = "crawler";

/** @returns the repository's folder. */
export function makeVault(bench: Bench, name: string, suite: Suite, secrets: readonly BenchSecret[]): string {
  const repo = bench.makeFolder(name);
  const vaultRun = (words: readonly string[], input = "") =>
    bench.run([VAULT_RUN, ...words, "--no-commit"], repo, input);
  initRepository(bench, repo);
  vaultRun(["init", ...(suite === "classic" ? ["--classic"] : [])]);
  vaultRun(["add-agent", AGENT]);
  for (const secret of secrets) vaultRun(["set", nameOf(secret)], secret.value);
  vaultRun(["grant", AGENT, "group"]);
  commitAll(bench, repo);
  return repo;
}

export function initRepository(bench: Bench, repo: string): void {
  for (const words of [
    ["init", "-q"],
    ["config", "user.name", "Bench"],
    ["config", "user.email", "bench@example.org"],
    // What git would do in the background after a large commit would run beside what is measured.
    ["config", "gc.auto", "0"],
  ]) {
    bench.run(["git", ...words], repo);
  }
}

export function commitAll(bench: Bench, repo: string): void {
  bench.run(["git", "add", "--all"], repo);
  bench.run(["git", "commit", "--quiet", "--message", "fill"], repo);
}

export function rootOf(repo: string): string {
  return join(repo, ".vault");
}

/** The bench's home, where the command keeps the owner's key. */
export function machineOf(bench: Bench, repo: string): Machine {
  return {
    env: {},
    cwd: repo,
    home: bench.folder,
    host: "bench",
    pid: process.pid,
    uid: process.getuid?.() ?? 0,
    now: Date.now,
  };
}

/** Writes what `plan` makes of the vault as it is, without the care that the program takes. */
export async function fill(
  bench: Bench,
  repo: string,
  plan: (session: OwnerSession) => Promise<PlannedWrite[]>,
): Promise<void> {
  const root = rootOf(repo);
  const writes = await plan(await OwnerSession.open(machineOf(bench, repo), root, undefined));
  for (const { path, record } of writes) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), encodeRecord(record));
  }
}
