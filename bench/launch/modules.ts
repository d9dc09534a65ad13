import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Bench } from "../redact/bench.ts";
import { makeTokens, nameOf } from "../redact/secrets.ts";
import { launchFrom, makeFloors } from "./contenders.ts";
import { type Course, type CourseResult, measureCourses } from "./measure.ts";
import { AGENT, makeVault } from "./vaults.ts";

// A program that opens the vault itself, beside a launch that hands over: both start node, find and verify the same, open
// the same values and write the same line of the audit log; then the one is done and the other becomes `true`.

const COUNT = 10;
const MODULE = pathToFileURL(resolve(import.meta.dirname, "../../dist/index.js"));

export const FIRST_GET = "node, openVault and the first get";
export const LAUNCH_OF_ONE = "vault-run --no-redact, the same secret";
const ENV_OF_ALL = `node, openVault and env, ${COUNT} secrets`;
const LAUNCH_OF_ALL = `vault-run --no-redact, the same ${COUNT}`;

export function measureModules(bench: Bench, turns: number): CourseResult[] {
  const secrets = makeTokens(COUNT);
  const [first] = secrets;
  if (first === undefined) throw new TypeError("no secret to measure with");
  const repo = makeVault(bench, "modules", "pq", secrets);
  const program = (contender: string, use: string): Course => {
    const source = `import { openVault } from ${JSON.stringify(MODULE)}; const vault = await openVault({ agent: ${JSON.stringify(AGENT)} }); ${use}`;
    const file = bench.file(`${contender}.mjs`, source);
    return {
      ...{ contender, child: "true", cwd: repo, command: ["node", file] },
      env: { PATH: bench.path, HOME: bench.folder },
    };
  };
  const launch = (contender: string, ...options: string[]) =>
    launchFrom(bench, repo, contender, ["--no-redact", ...options]).filter(({ child }) => child === "true");
  return measureCourses(
    [
      ...makeFloors(bench).slice(0, 1),
      program(FIRST_GET, `(await vault.get("${nameOf(first)}")).reveal();`),
      ...launch(LAUNCH_OF_ONE, "--only", nameOf(first)),
      program(ENV_OF_ALL, "(await vault.env()).reveal();"),
      ...launch(LAUNCH_OF_ALL),
    ],
    turns,
  );
}
