import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { AgentSession } from "../../src/launch/agent-session.ts";
import { type ProgramOptions, runProgram } from "../../src/launch/run-program.ts";
import { Secret } from "../../src/vault/secret.ts";
import { TestVault } from "../fixtures/vault.ts";

const template = await TestVault.template("classic", async (made) => {
  await made.addAgent("crawler");
  await made.set("stripe/API_KEY", "sk_live_51HabcdefghijKLMNOP");
  await made.set("stripe/BINARY", Buffer.from([1, 0, 255, 254, 1, 2, 3, 4]), { deliver: "file" });
  await made.set("stripe/PIN", "1234");
  await made.grant("crawler", "stripe");
});

// Every buffer that holds a value is seen here, and goes on to who asked for it.
let seen: Buffer[];
const bytes = Secret.prototype.bytes;
beforeEach(() => {
  seen = [];
  vi.spyOn(Secret.prototype, "bytes").mockImplementation(function (this: Secret) {
    const value = bytes.call(this);
    seen.push(value);
    return value;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

function expectOverwritten(): void {
  expect(seen.length).toBeGreaterThan(0);
  for (const value of seen) expect(value.every((byte) => byte === 0)).toBe(true);
}

function run(
  vault: TestVault,
  session: AgentSession,
  chosen: Partial<ProgramOptions>,
  warn: (text: string) => void = () => {},
) {
  const options: ProgramOptions = {
    command: ["true"],
    cwd: vault.repo,
    parentEnv: { PATH: "/usr/bin:/bin" },
    strictEnv: false,
    group: [],
    only: [],
    env: [],
    file: [],
    pipe: [],
    allowExpired: false,
    cleanEnv: false,
    pass: [],
    onLeak: "report",
    input: "ignore",
    stdout: undefined,
    stderr: undefined,
    signal: undefined,
  };
  return runProgram(session, { ...options, ...chosen }, vault.machine, warn);
}

it("overwrites every value where one cannot be injected", async () => {
  const vault = template.copy();
  await expect(
    run(vault, await vault.agent("crawler"), { env: ["AS_TEXT=stripe/BINARY"] }),
  ).rejects.toMatchObject({
    code: "bad-value",
  });
  expectOverwritten();
});

it("overwrites every value where the pull cannot be recorded", async () => {
  const vault = template.copy();
  const session = await vault.agent("crawler", {
    ...vault.machine,
    env: { VAULT_RUN_AUDIT_DIR: "/proc/self" },
  });
  await expect(run(vault, session, { only: ["stripe/API_KEY"] })).rejects.toMatchObject({ code: "audit" });
  expectOverwritten();
});

it("overwrites every value where the launch fails between the record and the program", async () => {
  const vault = template.copy();
  const warn = (text: string) => {
    throw new Error(text);
  };
  await expect(run(vault, await vault.agent("crawler"), { only: ["stripe/PIN"] }, warn)).rejects.toThrow(
    "too short",
  );
  expectOverwritten();
});

it("overwrites every value where no program could be started, and where one has ended", async () => {
  const vault = template.copy();
  const only = ["stripe/API_KEY"];
  const missing = run(vault, await vault.agent("crawler"), { only, command: ["no-such-program"] });
  await expect(missing).rejects.toMatchObject({ code: "usage" });
  expect((await run(vault, await vault.agent("crawler"), { only })).status).toBe(0);
  expectOverwritten();
});
