import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Bench } from "../redact/bench.ts";
import { filesUnder } from "./packages.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** The Python package's, built as for a release. */
export function wheelOf(bench: Bench): { packed: number; unpacked: number; files: number } {
  const folder = bench.makeFolder("wheel");
  run("sh", "scripts/python.sh");
  const python = join(ROOT, "python/.venv/bin/python");
  run(python, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, "python");
  const wheel = join(folder, readdirSync(folder).find((name) => name.endsWith(".whl")) ?? "");
  const unpacked = bench.makeFolder("wheel-unpacked");
  run(python, "-m", "zipfile", "--extract", wheel, unpacked);
  const files = filesUnder(unpacked);
  return {
    packed: statSync(wheel).size,
    unpacked: files.reduce((sum, path) => sum + statSync(path).size, 0),
    files: files.length,
  };
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${stderr}`);
}
