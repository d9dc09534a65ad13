import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";

// Every refusal is recorded, by whatever key there was at hand, and nothing was handed over.

const VALUE = "sk_live_51HabcdefghijKLMNOP";
const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  for (const agent of ["crawler", "other", "late"]) await made.must(["add-agent", agent]);
  await made.set("stripe/API_KEY", VALUE);
  await made.set("mail/API_KEY", `${VALUE}-mail`);
  await made.must(["grant", "crawler", "stripe"]);
});
let program: Program;
let before: number;
beforeEach(() => {
  program = template.copy();
  before = program.auditLines().length;
});

const keys = () => join(program.home, ".config/vault-run", program.vaultId);
const agentKey = (agent: string) => join(keys(), `agents/${agent}.key`);
const started = () => existsSync(join(program.home, "started"));
const LAUNCH = ["--", "sh", "-c", 'touch "$HOME/started"; echo "$API_KEY"'];

/** Runs what is refused. The one line that the log has of it. */
async function denied(args: readonly string[], env: Record<string, string> = {}) {
  const isLaunch = args.includes("--");
  const { status, stdout, stderr } = await program.run(args, { env, input: "from the stream" });
  expect(status, stderr).toBe(isLaunch ? 125 : 1);
  expect(stdout).toBe("");
  expect(stderr).not.toContain(VALUE);
  expect(started()).toBe(false);
  const lines = program.auditLines().slice(before);
  expect(lines, stderr).toHaveLength(1);
  before++;
  expect(JSON.stringify(lines)).not.toContain(VALUE);
  const { action, reason, agent, command } = lines[0]!;
  expect(action).toBe("denied");
  return { reason, agent, command };
}

const OF_SH = { agent: "crawler", command: "sh" };
const OF_VERB = { agent: "crawler", command: undefined };

async function expectVerified(): Promise<void> {
  const { status, stdout } = await program.run(["audit", "--json"]);
  expect(status, stdout).toBe(0);
}

describe("an agent's refusal is recorded", () => {
  it.each([
    ["a group that was not granted", ["--group", "mail"], "not-granted"],
    ["a secret that was not granted", ["--only", "mail/API_KEY"], "not-granted"],
    ["a secret that there is not", ["--only", "stripe/NONE"], "unknown-secret"],
  ])("at a launch with %s, and at its dry run", async (_, options, reason) => {
    const args = ["--agent", "crawler", ...options, ...LAUNCH];
    expect(await denied(args)).toEqual({ reason, ...OF_SH });
    expect(await denied(["--dry-run", ...args])).toEqual({ reason, ...OF_SH });
    await expectVerified();
  });

  it("at get, export and redact", async () => {
    const as = ["--agent", "crawler"];
    expect(await denied(["get", "mail/API_KEY", ...as])).toEqual({ reason: "not-granted", ...OF_VERB });
    expect(await denied(["get", "stripe/NONE", ...as])).toEqual({ reason: "unknown-secret", ...OF_VERB });
    expect(await denied(["export", "mail", "--format", "json", ...as])).toEqual({
      reason: "not-granted",
      ...OF_VERB,
    });
    expect(await denied(["redact", "--group", "mail", ...as])).toEqual({ reason: "not-granted", ...OF_VERB });
    await expectVerified();
  });

  it("where the grant was revoked, and where it or the value has expired", async () => {
    const soon = () => new Date(Date.now() + 3000).toISOString();
    const passed = () => new Promise((resolve) => setTimeout(resolve, 3100));
    const launch = ["--agent", "crawler", ...LAUNCH];
    await program.set("stripe/API_KEY", `${VALUE}2`, "--expires", soon());
    await passed();
    before++;
    expect(await denied(launch)).toEqual({ reason: "expired", ...OF_SH });
    expect(await denied(["get", "stripe/API_KEY", "--agent", "crawler"])).toMatchObject({
      reason: "expired",
    });
    await program.must(["grant", "crawler", "stripe", "--expires", soon()]);
    await passed();
    before++;
    expect(await denied([...launch.slice(0, 2), "--allow-expired", ...LAUNCH])).toEqual({
      reason: "expired",
      ...OF_SH,
    });
    expect(await denied(["redact", "--agent", "crawler"])).toMatchObject({ reason: "expired" });
    await program.must(["revoke", "crawler", "stripe"]);
    before++;
    expect(await denied(["--agent", "crawler", "--group", "stripe", ...LAUNCH])).toMatchObject({
      reason: "not-granted",
    });
    await expectVerified();
  });

  it("where the key is another agent's, in the name of that one", async () => {
    const wrong = { reason: "wrong-key", agent: "other", command: "sh" };
    expect(await denied(["--agent", "crawler", "--key-file", agentKey("other"), ...LAUNCH])).toEqual(wrong);
    await expectVerified();
    const args = ["get", "stripe/API_KEY", "--agent", "crawler", "--key-file", agentKey("other")];
    expect(await denied(args)).toEqual({ ...wrong, command: undefined });
    await expectVerified();
  });

  it("where the key is an owner's, without an agent's name", async () => {
    const args = ["--agent", "crawler", "--key-file", join(keys(), "owner.key"), ...LAUNCH];
    expect(await denied(args)).toEqual({ reason: "wrong-key", agent: undefined, command: "sh" });
    await expectVerified();
  });

  it("where the key was replaced, or its agent removed", async () => {
    const old = join(program.home, "old.key");
    cpSync(agentKey("crawler"), old);
    await program.must(["rekey", "crawler", "--out", "../new.key"]);
    before++;
    const args = ["--agent", "crawler", "--key-file", old, ...LAUNCH];
    expect(await denied(args)).toEqual({ reason: "wrong-key", ...OF_SH });
    await program.must(["remove-agent", "crawler"]);
    before++;
    expect(await denied(args)).toEqual({ reason: "unknown-agent", ...OF_SH });
    await expectVerified();
  });

  it("where the vault is not what the key or the machine knows", async () => {
    const file = join(program.repo, ".vault/vault.json");
    const good = readFileSync(file, "utf8");
    const sig = good.indexOf('"sig": "') + 10;
    writeFileSync(file, `${good.slice(0, sig)}${good[sig] === "A" ? "B" : "A"}${good.slice(sig + 1)}`);
    const args = ["--agent", "crawler", ...LAUNCH];
    expect(await denied(args)).toEqual({ reason: "record-signature", ...OF_SH });
    // In the log of the vault that the key is for, and none is begun for what another claims to be.
    writeFileSync(file, good.replaceAll(program.vaultId, "f".repeat(32)));
    const named = ["--agent", "crawler", "--key-file", agentKey("crawler"), ...LAUNCH];
    expect(await denied(named)).toEqual({ reason: "wrong-vault", ...OF_SH });
    expect(existsSync(join(program.home, ".local/state/vault-run", "f".repeat(32)))).toBe(false);
    writeFileSync(file, good);
    await expectVerified();
  });

  it("where the log cannot be written is a refusal all the same, and that is said", async () => {
    const env = { VAULT_RUN_AUDIT_DIR: "/proc/self" };
    const { status, stderr } = await program.run(["--agent", "crawler", "--group", "mail", ...LAUNCH], {
      env,
    });
    expect(status).toBe(125);
    expect(stderr).toMatch(
      /^vault-run: cannot write the audit record .*\nvault-run: crawler was not granted/,
    );
    expect(started()).toBe(false);
  });
});

describe("an owner's refusal is recorded", () => {
  const byOwner = { agent: undefined, command: undefined };

  it("at get, export and restore", async () => {
    expect(await denied(["get", "stripe/NONE"])).toEqual({ reason: "unknown-secret", ...byOwner });
    expect(await denied(["export", "none", "--format", "json"])).toEqual({
      reason: "unknown-group",
      ...byOwner,
    });
    expect(await denied(["restore", "nobody", "--out", "-"])).toEqual({
      reason: "unknown-agent",
      ...byOwner,
    });
    await expectVerified();
  });

  it("where the key is a former owner's, or an agent's", async () => {
    const old = join(program.home, "old.key");
    cpSync(join(keys(), "owner.key"), old);
    await program.must(["add-owner", "bea", "--out", "../bea.key"]);
    const bea = ["--owner-key-file", join(program.home, "bea.key")];
    await program.must(["remove-owner", "owner", "--yes", ...bea]);
    before += 2;
    for (const verb of [
      ["get", "stripe/API_KEY"],
      ["list"],
      ["grant", "late", "mail"],
      ["restore", "crawler"],
    ])
      expect(await denied([...verb, "--owner-key-file", old])).toEqual({ reason: "wrong-key", ...byOwner });
    const args = ["get", "stripe/API_KEY", "--owner-key-file", agentKey("crawler")];
    expect(await denied(args)).toEqual({ reason: "wrong-key", ...OF_VERB });
    const { status, stdout } = await program.run(["audit", "--json", ...bea]);
    expect(status, stdout).toBe(0);
  });
});
