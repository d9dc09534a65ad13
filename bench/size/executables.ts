import { spawnSync } from "node:child_process";
import { existsSync, realpathSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import type { Bench } from "../redact/bench.ts";

// Programs that are one file each.

const ROOT = resolve(import.meta.dirname, "../..");
const NODES = join(ROOT, "test/nodes");

/** A node that can make the executable, which the tests have too. */
export function newestNode(bench: Bench): string {
  const node = join(NODES, `node_modules/node26-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(node)) return node;
  const env = { ...process.env, PATH: bench.path };
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: NODES,
    env,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) throw new Error("npm ci in test/nodes failed");
  return node;
}

export function executableWith(bench: Bench, node: string): string {
  const file = join(bench.makeFolder("executable"), "vault-run");
  bench.run([node, "scripts/executable.ts", file], ROOT);
  return file;
}

/** What is given, and of the others those that are installed. */
export function programsOf(
  bench: Bench,
  given: Readonly<Record<string, string>>,
): { name: string; bytes: number }[] {
  const others = ["sops", "fnox"].flatMap((name) => {
    const found = bench.path
      .split(delimiter)
      .map((folder) => join(folder, name))
      .find(existsSync);
    return found === undefined ? [] : [[name, realpathSync(found)] as const];
  });
  return [...Object.entries(given), ...others].map(([name, path]) => ({ name, bytes: statSync(path).size }));
}
