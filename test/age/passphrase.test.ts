import { armor, Decrypter, Encrypter } from "age-encryption";
import { describe, expect, it } from "vitest";
import { openWithPassphrase, parsePassphraseFile, sealWithPassphrase } from "../../src/age/passphrase.ts";

const PASSPHRASE = Buffer.from("correct horse bättery");
const open = (file: string, passphrase = PASSPHRASE) =>
  openWithPassphrase(parsePassphraseFile(file), passphrase);

/** As age-encryption itself makes one. */
async function sealed(text: string, workFactor: number): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(PASSPHRASE.toString());
  encrypter.setScryptWorkFactor(workFactor);
  return armor.encode(await encrypter.encrypt(text));
}

describe("a file that opens with a passphrase", () => {
  it("is one that age-encryption opens, at the work factor that age itself takes", async () => {
    const file = await sealWithPassphrase(Buffer.from("text\n"), PASSPHRASE);
    expect(Buffer.from(armor.decode(file)).toString("latin1")).toMatch(
      /^age-encryption.org\/v1\n-> scrypt \S+ 18\n/,
    );
    const decrypter = new Decrypter();
    decrypter.addPassphrase(PASSPHRASE.toString());
    expect(await decrypter.decrypt(armor.decode(file), "text")).toBe("text\n");
  });

  it("opens where age-encryption made it, and with no other passphrase", async () => {
    const file = await sealed("text\n", 8);
    expect((await open(file))?.toString()).toBe("text\n");
    expect((await open(`\n${file.replaceAll("\n", "\r\n")}\n`))?.toString()).toBe("text\n");
    expect(await open(file, Buffer.from("correct horse"))).toBeUndefined();
  });

  it("may not ask for hours of work, nor for a key instead of a passphrase", async () => {
    const binary = Buffer.from(armor.decode(await sealed("text", 8))).toString("latin1");
    const asking = (stanza: string) =>
      armor.encode(Buffer.from(binary.replace(/-> scrypt (\S+) 8/, stanza), "latin1"));
    expect(await open(asking("-> scrypt $1 8"))).toBeDefined();
    for (const factor of ["21", "22", "30", "62"])
      expect(() => parsePassphraseFile(asking(`-> scrypt $1 ${factor}`))).toThrow(/too much work/);
    for (const stanza of [
      "-> scrypt $1 0",
      "-> scrypt $1 08",
      "-> scrypt $1 999",
      "-> scrypt $1",
      "-> X25519 $1",
    ])
      expect(() => parsePassphraseFile(asking(stanza)), stanza).toThrow(/does not open with a passphrase/);
  });

  it("is refused where it was altered or cut, which is not called a wrong passphrase", async () => {
    const file = await sealed("text\n", 8);
    const bytes = Buffer.from(armor.decode(file));
    for (const at of [bytes.indexOf("---") + 6, bytes.length - 1]) {
      const altered = Buffer.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ 1;
      await expect(open(armor.encode(altered)), `${at}`).rejects.toThrow(/damaged/);
    }
    await expect(open(armor.encode(bytes.subarray(0, -1)))).rejects.toThrow(/damaged/);
    for (const cut of [file.slice(0, -20), file.replace(/\n.{64}\n/, "\n")])
      expect(() => parsePassphraseFile(cut)).toThrow(/damaged|does not open with a passphrase/);
    const doubled = bytes
      .toString("latin1")
      .replace("\n---", "\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 8\nAAAA\n---");
    await expect(open(armor.encode(Buffer.from(doubled, "latin1")))).rejects.toThrow(/damaged/);
  });
});
