import { beforeEach, describe, expect, it } from "vitest";
import { type SelectionOptions, select } from "../../src/launch/select.ts";
import { formatRef } from "../../src/vault/names.ts";
import { VaultError } from "../../src/vault-error.ts";
import { TestVault } from "../fixtures/vault.ts";

const template = await TestVault.template("classic", async (made) => {
  for (const agent of ["crawler", "idle"]) await made.addAgent(agent);
  await made.set("stripe/API_KEY", "sk_live_value");
  await made.set("stripe/WEBHOOK", "whsec_value", { env: "STRIPE_WEBHOOK" });
  await made.set("mail/API_KEY", "mail_value");
  await made.set("files/CERT", "cert_value", { deliver: "file" });
  await made.set("shell/SEARCH", "a/b/c", { env: "PATH", unsafeName: true });
  await made.set("secret/HIDDEN", "hidden_value");
  for (const group of ["stripe", "files"]) await made.grant("crawler", group);
});
let vault: TestVault;
beforeEach(() => {
  vault = template.copy();
});

const none: SelectionOptions = { group: [], only: [], env: [], file: [], pipe: [], allowExpired: false };

async function chosen(options: Partial<SelectionOptions> = {}, agent = "crawler"): Promise<string[]> {
  return select(await vault.agent(agent), { ...none, ...options }).map(
    ({ secret, variable, as }) => `${variable}=${formatRef(secret)} ${as}`,
  );
}

async function codeOf(options: Partial<SelectionOptions>, agent = "crawler"): Promise<string> {
  try {
    return (await chosen(options, agent)).join();
  } catch (error) {
    if (error instanceof VaultError) return error.code;
    throw error;
  }
}

describe("what a launch injects", () => {
  it("is all that was granted, under each secret's own variable and delivery", async () => {
    expect(await chosen()).toEqual([
      "CERT=files/CERT file",
      "API_KEY=stripe/API_KEY env",
      "STRIPE_WEBHOOK=stripe/WEBHOOK env",
    ]);
  });

  it("narrows to groups and to single secrets", async () => {
    expect(await chosen({ group: ["files"] })).toEqual(["CERT=files/CERT file"]);
    expect(await chosen({ only: ["stripe/API_KEY"] })).toEqual(["API_KEY=stripe/API_KEY env"]);
    expect(await chosen({ group: ["files"], only: ["stripe/API_KEY"] })).toHaveLength(2);
  });

  it("goes under another variable, or several, where --env and --file say so", async () => {
    expect(
      await chosen({ only: ["stripe/API_KEY"], env: ["KEY=stripe/API_KEY", "KEY2=stripe/API_KEY"] }),
    ).toEqual(["KEY=stripe/API_KEY env", "KEY2=stripe/API_KEY env"]);
    expect(
      await chosen({ group: ["files"], env: ["CERT=files/CERT"], file: ["KEY_FILE=stripe/API_KEY"] }),
    ).toEqual(["CERT=files/CERT env", "KEY_FILE=stripe/API_KEY file"]);
  });

  it("is refused where two secrets want one variable, naming both and the way out", async () => {
    await vault.grant("crawler", "mail");
    await expect(chosen()).rejects.toThrow(
      /mail\/API_KEY and stripe\/API_KEY both want the variable API_KEY/,
    );
    expect(await chosen({ env: ["MAIL_KEY=mail/API_KEY"] })).toContain("MAIL_KEY=mail/API_KEY env");
    expect(await chosen({ group: ["stripe"] })).toHaveLength(2);
    expect(await codeOf({ only: ["stripe/API_KEY"], env: ["API_KEY=stripe/WEBHOOK"] })).toBe("collision");
  });

  it.each([
    ["a group that was not granted", { group: ["secret"] }, "not-granted"],
    ["a secret of such a group", { only: ["secret/HIDDEN"] }, "not-granted"],
    ["such a secret, by --env", { env: ["X=secret/HIDDEN"] }, "not-granted"],
    ["such a secret, by --file", { file: ["X=secret/HIDDEN"] }, "not-granted"],
    ["a group that does not exist", { group: ["nothing"] }, "not-granted"],
    ["a secret that does not exist", { only: ["stripe/NOTHING"] }, "unknown-secret"],
    ["a name outside the grammar", { group: ["../stripe"] }, "bad-name"],
    ["a variable outside the grammar", { env: ["A-B=stripe/API_KEY"] }, "bad-name"],
    ["a mapping without a secret", { env: ["API_KEY"] }, "usage"],
    ["a variable that loads code", { env: ["LD_PRELOAD=stripe/API_KEY"] }, "unsafe-name"],
    ["a variable that loads code, in lower case", { env: ["ld_preload=stripe/API_KEY"] }, "unsafe-name"],
  ])("is refused with %s", async (_, options, code) => {
    expect(await codeOf(options)).toBe(code);
  });

  it.each(["wJalrXUtnFEMI/K7MDENG", "postgres://u:pw@host/db", "sk_live_0123"])(
    "repeats nothing of what looks like a value where a secret is to be named: %s",
    async (value) => {
      for (const as of ["env", "file", "pipe"] as const) {
        const refusal = chosen({ [as]: [`TOKEN=${value}`] });
        await expect(refusal).rejects.toThrow(`--${as} names a secret, VAR=GROUP/NAME, and takes no value`);
        expect(await codeOf({ [as]: [`TOKEN=${value}`] })).toBe("usage");
      }
    },
  );

  it("is refused for an agent that was granted nothing", async () => {
    expect(await codeOf({}, "idle")).toBe("not-granted");
  });

  it("may be a variable that loads code where the owner marked the secret for it", async () => {
    await vault.grant("crawler", "shell");
    expect(await chosen({ group: ["shell"] })).toEqual(["PATH=shell/SEARCH env"]);
  });

  it("is refused where a value's time has passed, unless that is allowed", async () => {
    await vault.set("stripe/API_KEY", "sk_live_value2", { expiresAt: "2030-01-01T00:00:00.000Z" as never });
    expect(await chosen()).toHaveLength(3);
    vault.passTime(10 * 365 * 86_400_000);
    expect(await codeOf({})).toBe("expired");
    expect(await chosen({ group: ["files"] })).toHaveLength(1);
    expect(await chosen({ allowExpired: true })).toHaveLength(3);
  });
});
