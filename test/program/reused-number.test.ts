import { join, resolve } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { NAMESPACE } from "../fixtures/isolation.ts";
import { Program } from "../fixtures/program.ts";

const FIXTURE = resolve(import.meta.dirname, "../fixtures/reused-number.py");
const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await made.must(["add-agent", "crawler"]);
  await made.set("stripe/API_KEY", "sk_live_51HabcdefghijKLMNOP");
  await made.must(["grant", "crawler", "stripe"]);
});

it("sends no signal to the number of a program that ended, which another process may have by now", async () => {
  const program = template.copy();
  const launcher = ["vault-run", "--agent", "crawler", "--on-leak", "kill", "--"];
  const [command, ...words] = [...NAMESPACE, "python3", FIXTURE, join(program.home, "number"), ...launcher];
  const { stdout } = await execa(command, words, { cwd: program.repo, env: program.env, extendEnv: false });
  expect(JSON.parse(stdout)).toEqual({ status: 120, masked: true, otherRuns: true });
});
