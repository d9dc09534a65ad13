import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, inject, it } from "vitest";
import { inSession } from "../fixtures/keychain.ts";
import { Program } from "../fixtures/program.ts";

let plain = "";
const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await made.set("stripe/API_KEY", "sk_live_value");
  plain = readFileSync(ownerKey(made), "utf8");
});
const moved = await Program.template(async (made) => {
  await execa("cp", ["-a", `${template.home}/.`, made.home]);
  const { status, stderr } = await inSession(made, "vault-run keychain");
  if (status !== 0) throw new Error(stderr);
});
let program: Program;
beforeEach(() => {
  program = moved.copy();
});

function ownerKey(of: Program): string {
  const folder = join(of.home, ".config/vault-run");
  return join(folder, readdirSync(folder)[0] ?? "", "owner.key");
}

const GET = "vault-run get stripe/API_KEY";
const MARKER =
  /^# vault-run owner key: it is in the keychain[^\n]*\n# keychain: vault-run ([0-9a-f]{32}\/[0-9a-f]{32})\n$/;

describe("the owner's key in the system's keychain", () => {
  it("is in no file, opens in a later session, and comes back as it was", async () => {
    expect(readFileSync(ownerKey(program), "utf8")).toMatch(MARKER);
    expect(statSync(ownerKey(program)).mode & 0o777).toBe(0o600);
    const identity = /^AGE-SECRET-KEY-\S+$/m.exec(plain)?.[0] ?? "";
    const found = await execa("grep", ["-rlF", identity, program.home], { reject: false });
    expect(found).toMatchObject({ exitCode: 1, stdout: "", stderr: "" });
    expect(await inSession(program, GET)).toMatchObject({ status: 0, stdout: "sk_live_value", stderr: "" });
    const back = await inSession(program, "vault-run keychain; vault-run keychain --remove");
    expect(back.status).toBe(0);
    expect(back.stderr).toMatch(/^vault-run: the owner key is in the keychain already[^\n]*\n.* file again/);
    expect(readFileSync(ownerKey(program), "utf8")).toBe(plain);
    expect(await program.must(["get", "stripe/API_KEY"])).toBe("sk_live_value");
  });

  it("is gone from there when it is back in its file, and is then missed by a copy that says it is there", async () => {
    const marker = readFileSync(ownerKey(program));
    await inSession(program, "vault-run keychain --remove");
    writeFileSync(ownerKey(program), marker);
    const { status, stdout, stderr } = await inSession(program, GET);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("the keychain does not hold the owner key that this file says is there");
  });

  it("may have a passphrase there too", async () => {
    const path = join(program.home, "passphrase");
    writeFileSync(path, "five random words it is", { mode: 0o600 });
    const env = { VAULT_RUN_OWNER_PASSPHRASE_FILE: path };
    const marker = readFileSync(ownerKey(program), "utf8");
    const put = await inSession(program, `vault-run passphrase && ${GET}`, { env });
    expect(put).toMatchObject({ status: 0, stdout: "sk_live_value" });
    expect(readFileSync(ownerKey(program), "utf8")).toBe(marker);
    expect((await inSession(program, GET)).stderr).toContain("the owner key has a passphrase");
    await inSession(program, "vault-run keychain --remove", { env });
    expect(readFileSync(ownerKey(program), "utf8")).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
  });
});

describe("a machine without a keychain that lasts", () => {
  const refusal =
    /^vault-run: the keychain of this system cannot be used: [^\n]+\n {2}use it in a desktop session/m;

  it("is told so, and the key stays where it is: nothing goes to the kernel's keyring", async () => {
    const still = template.copy();
    const refused = await still.run(["keychain"]);
    expect(refused).toMatchObject({ status: 1, stdout: "", stderr: expect.stringMatching(refusal) });
    const locked = await inSession(still, "vault-run keychain", { locked: true });
    expect(locked).toMatchObject({ status: 1, stdout: "", stderr: expect.stringMatching(refusal) });
    expect(readFileSync(ownerKey(still), "utf8")).toBe(plain);
    const account = MARKER.exec(readFileSync(ownerKey(program), "utf8"))?.[1] ?? "none";
    expect(readFileSync("/proc/keys", "utf8")).not.toContain(account);
  });

  it("opens no key that is said to be there, and nothing is changed", async () => {
    const before = program.snapshot();
    const set = await program.run(["set", "a/B"], { input: "value-of-b" });
    expect(set).toMatchObject({ status: 1, stdout: "", stderr: expect.stringMatching(refusal) });
    const locked = await inSession(program, GET, { locked: true });
    expect(locked).toMatchObject({ status: 1, stdout: "", stderr: expect.stringMatching(refusal) });
    expect(program.snapshot()).toBe(before);
  });

  it("is told where the optional package is missing, and does all else without it", async () => {
    const path = program.env.PATH?.split(delimiter).with(0, inject("plainBinFolder")).join(delimiter) ?? "";
    const { stderr } = await program.run(["list"], { env: { PATH: path } });
    expect(stderr).toContain("the optional package @napi-rs/keyring is not installed");
    await template.copy().must(["list"], { env: { PATH: path } });
  });
});

describe("an agent's lookup", () => {
  it("never reaches the keychain (promise 4)", async () => {
    const script = `vault-run --agent crawler --key-file ${ownerKey(program)} -- true`;
    const { status, stderr } = await inSession(program, script);
    expect(status).toBe(125);
    expect(stderr).toContain("not a key file, it must hold exactly one age identity line");
  });
});
