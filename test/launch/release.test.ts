import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { AgentSession } from "../../src/launch/agent-session.ts";
import { type ProgramOptions, runProgram } from "../../src/launch/run-program.ts";
import { stateFolder } from "../../src/vault/machine.ts";
import type { SecretRecord } from "../../src/vault/schema.ts";
import { Secret } from "../../src/vault/secret.ts";
import { TestVault } from "../fixtures/vault.ts";

const template = await TestVault.template("classic", async (made) => {
  await made.addAgent("crawler");
  await made.set("stripe/API_KEY", "sk_live_value");
  await made.set("stripe/SHORT", "abc");
  await made.grant("crawler", "stripe");
});
let vault: TestVault;
let session: AgentSession;
let records: readonly SecretRecord[];
let bytes: Buffer[];
beforeEach(async () => {
  vault = template.copy();
  session = await vault.agent("crawler");
  records = session.grants([]).flatMap(({ group }) => session.vault.secrets(group));
  bytes = [];
});

const PROGRAM: Omit<ProgramOptions, "cwd"> = {
  command: ["true"],
  parentEnv: {},
  group: [],
  only: [],
  env: [],
  file: [],
  pipe: [],
  allowExpired: false,
  cleanEnv: false,
  pass: [],
  strictEnv: false,
  onLeak: "report",
  input: "ignore",
  stdout: undefined,
  stderr: undefined,
  signal: undefined,
};

/** Keeps the bytes of the values themselves, which are overwritten in place. */
function keep(values: readonly Secret[]): void {
  for (const value of values) bytes.push(value.bytes());
}

const left = () => bytes.map((each) => each.toString("latin1").replaceAll("\0", ""));

describe("values that were opened", () => {
  it("are overwritten where what was to be made of them fails", async () => {
    const released = session.release(records, { action: "sdk" }, (values) => {
      keep(values);
      throw new RangeError("no place");
    });
    await expect(released).rejects.toThrow("no place");
    expect(left()).toEqual(["", ""]);
  });

  it("are overwritten where the pull cannot be recorded", async () => {
    const released = session.release(records, { action: "sdk" }, (values) => {
      keep(values);
      const log = join(stateFolder(vault.machine, session.vault.id), "audit.jsonl");
      rmSync(log, { force: true });
      mkdirSync(log, { recursive: true });
    });
    await expect(released).rejects.toMatchObject({ code: "audit" });
    expect(left()).toEqual(["", ""]);
  });

  it("are overwritten where the program that was to get them is not started after all", async () => {
    const disposed = vi.spyOn(Secret.prototype, "dispose");
    onTestFinished(() => disposed.mockRestore());
    const running = runProgram(session, { ...PROGRAM, cwd: vault.machine.cwd }, vault.machine, (text) => {
      throw new RangeError(text);
    });
    await expect(running).rejects.toThrow("too short to be redacted from the output: stripe/SHORT");
    const refs = disposed.mock.contexts.map((secret) => (secret as Secret).ref);
    expect(new Set(refs)).toEqual(new Set(["stripe/API_KEY", "stripe/SHORT"]));
  });
});
