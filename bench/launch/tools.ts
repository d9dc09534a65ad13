import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { type Bench, TOOLS } from "../redact/bench.ts";

// Peers that are no npm packages: used where they are on the PATH, and those of Go's made where go is.

const MODULES = {
  age: "filippo.io/age/cmd/...@v1.3.2",
  sops: "github.com/getsops/sops/v3/cmd/sops@v3.13.3",
} as const;

/** Builds a program into a folder of the bench's own, which is kept, where it is not on the PATH and go is. */
export function buildWithGo(bench: Bench, program: keyof typeof MODULES): void {
  if (isThere(bench, program, ["--version"]) || !isThere(bench, "go", ["version"])) return;
  mkdirSync(TOOLS, { recursive: true });
  // The user's own settings may say where modules come from.
  const { status } = spawnSync("go", ["install", MODULES[program]], {
    env: { ...process.env, GOBIN: TOOLS },
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) console.error(`${program} could not be built, and is left out`);
}

export function isThere(bench: Bench, program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { env: bench.env }).status === 0;
}
