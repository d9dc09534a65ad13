import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { armor, Encrypter } from "age-encryption";
import { beforeEach, describe, expect, it } from "vitest";
import { AgentSession } from "../../src/launch/agent-session.ts";
import type { Machine } from "../../src/vault/machine.ts";
import { findOwnerKey } from "../../src/vault/owner-key.ts";
import { VaultError } from "../../src/vault-error.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { TestVault } from "../fixtures/vault.ts";

const PASSPHRASE = "correct horse battery";
const VARIABLE = "VAULT_RUN_OWNER_PASSPHRASE_FILE";
const template = await TestVault.template("classic", (vault) => vault.addAgent("crawler"));
let vault: TestVault;
let plain: string;
beforeEach(async () => {
  vault = template.copy();
  plain = readFileSync(vault.ownerKeyPath(), "utf8");
  writeFileSync(vault.ownerKeyPath(), await sealed(plain));
});

/** At a work factor that costs a test nothing. */
async function sealed(text: string): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(PASSPHRASE);
  encrypter.setScryptWorkFactor(8);
  return armor.encode(await encrypter.encrypt(text));
}

/** A machine with a person who answers so, one answer after the other. */
function asked(answers: readonly string[], env: Record<string, string> = {}) {
  const questions: string[] = [];
  const given: Buffer[] = [];
  const askPassphrase = async (question: string) => {
    const answer = answers[questions.push(question) - 1];
    if (answer === undefined) throw new TypeError("asked too often");
    given.push(Buffer.from(answer));
    return given.at(-1) ?? Buffer.alloc(0);
  };
  return { machine: { ...vault.machine, env, askPassphrase } as Machine, questions, given };
}

const find = (machine: Machine) => findOwnerKey(machine, vault.id, undefined);

function passphraseFile(text: string, mode = 0o600): string {
  const path = join(tempFolder(), "passphrase");
  writeFileSync(path, text, { mode });
  return path;
}

describe("an owner's key with a passphrase", () => {
  it("opens with what the person at the terminal types, up to the third time, which is then wiped", async () => {
    const { machine, questions, given } = asked(["wrong", "", PASSPHRASE]);
    const { keyFile, text, hasPassphrase } = await find(machine);
    expect({ text: text.toString(), hasPassphrase }).toEqual({ text: plain, hasPassphrase: true });
    expect(plain).toContain(keyFile.identity.reveal());
    expect(questions).toEqual([
      "passphrase of the owner key (not shown)",
      "wrong passphrase, again: passphrase of the owner key (not shown)",
      "wrong passphrase, again: passphrase of the owner key (not shown)",
    ]);
    expect(given.every((answer) => answer.every((byte) => byte === 0))).toBe(true);
    const wrong = asked(["wrong", "wrong", "wrong", PASSPHRASE]);
    await expect(find(wrong.machine)).rejects.toThrow(/^wrong passphrase: .*owner\.key$/);
  });

  it("opens with the file that the variable names, with or without its final line break, and asks nobody", async () => {
    for (const end of ["", "\n", "\r\n"]) {
      const { machine } = asked([], { [VARIABLE]: passphraseFile(`${PASSPHRASE}${end}`) });
      expect((await find(machine)).text.toString()).toBe(plain);
    }
  });

  it.each([
    ["another passphrase", () => passphraseFile(`${PASSPHRASE}\n\n`), /holds another passphrase/],
    ["nothing", () => passphraseFile("\n"), /file is empty/],
    ["too much", () => passphraseFile("x".repeat(2000)), /not a passphrase file/],
    ["what others can read", () => passphraseFile(PASSPHRASE, 0o640), /others can read this passphrase file/],
    ["no file", () => join(tempFolder(), "none"), /cannot read the passphrase file \(ENOENT\)/],
    ["an empty name", () => "", /set but empty/],
  ])("is not asked for where the variable's file is there and has %s", async (_, make, message) => {
    const { machine, questions } = asked([PASSPHRASE], { [VARIABLE]: make() });
    await expect(find(machine)).rejects.toThrow(message);
    expect(questions).toEqual([]);
  });

  it("is refused with the next step where there is nobody to ask", async () => {
    const refusal = await find(vault.machine).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "passphrase", hint: expect.stringContaining(VARIABLE) });
  });

  it("is never asked for where the file is damaged or holds another kind of age file", async () => {
    const armored = readFileSync(vault.ownerKeyPath(), "utf8");
    for (const text of [armored.slice(0, -40), armored.replace("IHNjcnlwdC", "IHNjcnlwdD")]) {
      writeFileSync(vault.ownerKeyPath(), text);
      const { machine, questions } = asked([PASSPHRASE]);
      await expect(find(machine)).rejects.toThrow(/not a key file, the age file/);
      expect(questions).toEqual([]);
    }
    writeFileSync(vault.ownerKeyPath(), await sealed("no key"));
    await expect(find(asked([PASSPHRASE]).machine)).rejects.toThrow(/not a key file/);
    writeFileSync(vault.ownerKeyPath(), await sealed(await sealed(plain)));
    await expect(find(asked([PASSPHRASE]).machine)).rejects.toThrow(VaultError);
  });

  it("is checked like one without", async () => {
    writeFileSync(vault.ownerKeyPath(), await sealed(readFileSync(vault.keyPath("crawler"), "utf8")));
    await expect(find(asked([PASSPHRASE]).machine)).rejects.toThrow(/key of agent crawler/);
  });
});

describe("an agent's key", () => {
  it("is refused with a passphrase, which is not asked for (promise 4)", async () => {
    writeFileSync(vault.keyPath("crawler"), await sealed(readFileSync(vault.keyPath("crawler"), "utf8")));
    const { machine, questions } = asked([PASSPHRASE], { [VARIABLE]: passphraseFile(PASSPHRASE) });
    for (const keyFile of [undefined, vault.ownerKeyPath()])
      await expect(AgentSession.open(machine, { agent: "crawler", keyFile }, () => {})).rejects.toThrow(
        /an agent's key file cannot have a passphrase/,
      );
    expect(questions).toEqual([]);
  });
});
