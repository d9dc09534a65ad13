import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { PlannedWrite } from "../../src/admin/plan.ts";
import { planSet } from "../../src/admin/plans/set.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { Secret } from "../../src/vault/secret.ts";
import { change } from "../fixtures/owner.ts";
import { Program } from "../fixtures/program.ts";
import { CASES, type Case, IDLE } from "../redact/cases.ts";

// The worked cases of the redactor, as a real child prints them. Pauses are the redactor's own affair, and no vault
// holds an empty value: of these cases the rest.

const PRINTER = `
import base64, json, sys, time
for chunk in json.load(sys.stdin):
    sys.stdout.buffer.write(base64.b64decode(chunk))
    sys.stdout.buffer.flush()
    time.sleep(0.003)
`;
const toBytes = (data: string | Uint8Array): Buffer =>
  typeof data === "string" ? Buffer.from(data) : Buffer.from(data);
const cases = CASES.map((example, number) => ({ ...example, group: `case-${number}` })).filter(
  ({ chunks }) => !chunks.includes(IDLE),
);
const valuesOf = ({ secrets }: Case) => secrets.map(toBytes).filter(({ length }) => length > 0);

const program = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await made.must(["add-agent", "crawler"]);
  // The first secret of a group makes the group, the others are sealed to it.
  for (const isFirst of [true, false]) {
    await change(made, async (session) => {
      const writes: PlannedWrite[] = [];
      for (const example of cases) {
        for (const [index, value] of valuesOf(example).entries()) {
          if ((index === 0) !== isFirst) continue;
          const options = { unsafeName: false, deliver: "file" } as const;
          const ref = parseSecretRef(`${example.group}/S${index}`);
          writes.push(...(await planSet(session, ref, new Secret("x", value), options)).plan.writes);
        }
      }
      return writes;
    });
  }
  for (const { group } of cases) await made.must(["grant", "crawler", group]);
});

describe("the worked cases through the launcher", () => {
  it.each(cases)("$name", async ({ group, chunks, want }) => {
    const args = ["--agent", "crawler", "--quiet", "--group", group, "--", "python3", "-c", PRINTER];
    const input = JSON.stringify(chunks.map((chunk) => toBytes(chunk as string).toString("base64")));
    const { env, repo: cwd } = program;
    const { stdout, exitCode } = await execa("vault-run", args, {
      input,
      env,
      cwd,
      extendEnv: false,
      encoding: "buffer",
      stripFinalNewline: false,
    });
    const shown = Buffer.from(stdout)
      .toString("latin1")
      .replace(/(\[REDACTED:case-\d+\/S\d+\])+/g, "[R]");
    expect({ exitCode, shown }).toEqual({ exitCode: 0, shown: toBytes(want).toString("latin1") });
  });
});
