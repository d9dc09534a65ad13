import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inheritedEnvironment } from "../../src/launch/environment.ts";
import { tempFolder } from "../fixtures/temp.ts";

const identity = "AGE-SECRET-KEY-1THEIDENTITYINUSE";
const plain = { cleanEnv: false, pass: [] };

describe("the child's environment (promise 3, A16)", () => {
  it("has no variable that leads to an identity", () => {
    const parent = {
      PATH: "/bin",
      VAULT_RUN_KEY: identity,
      VAULT_RUN_KEY_FILE: "/k",
      VAULT_RUN_OWNER_KEY_FILE: "/o",
      VAULT_RUN_OWNER_PASSPHRASE_FILE: "/p",
      MY_COPY: `x${identity}y`,
      VAULT_RUN_AGENT: "crawler",
    };
    expect(inheritedEnvironment(parent, plain, identity)).toEqual({
      PATH: "/bin",
      VAULT_RUN_AGENT: "crawler",
    });
  });

  it("keeps systemd's credentials folder unless our key lies in it", () => {
    const folder = tempFolder();
    expect(inheritedEnvironment({ CREDENTIALS_DIRECTORY: folder }, plain, identity)).toEqual({
      CREDENTIALS_DIRECTORY: folder,
    });
    mkdirSync(join(folder, "keys"));
    writeFileSync(join(folder, "keys/vault-run-key"), identity);
    const parent = { CREDENTIALS_DIRECTORY: join(folder, "keys") };
    expect(inheritedEnvironment(parent, plain, identity)).toEqual({});
    const passed = { cleanEnv: true, pass: ["CREDENTIALS_DIRECTORY"] };
    expect(inheritedEnvironment(parent, passed, identity)).toEqual({});
  });

  it("takes names for what they are", () => {
    const parent = Object.assign(Object.create(null), { constructor: "a", ["__proto__"]: "b" });
    expect(Object.entries(inheritedEnvironment(parent, plain, identity))).toEqual(Object.entries(parent));
  });

  it("starts from a short list when clean, and --pass adds to it but brings no identity back", () => {
    const parent = {
      PATH: "/bin",
      HOME: "/h",
      LC_ALL: "C",
      TERM: "xterm",
      AWS_SECRET_ACCESS_KEY: "x",
      KEPT: "y",
      VAULT_RUN_KEY: identity,
    };
    const child = inheritedEnvironment(parent, { cleanEnv: true, pass: ["KEPT", "VAULT_RUN_KEY"] }, identity);
    expect(child).toEqual({ PATH: "/bin", HOME: "/h", LC_ALL: "C", TERM: "xterm", KEPT: "y" });
  });
});
