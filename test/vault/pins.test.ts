import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { VerifyKey } from "../../src/age/signing-key.ts";
import { parseGroupName, parseSecretName } from "../../src/vault/names.ts";
import { groupPath, type RecordPath, secretPath, VAULT_PATH } from "../../src/vault/paths.ts";
import { type Pin, Pins } from "../../src/vault/pins.ts";
import { tempFolder } from "../fixtures/temp.ts";

const owner = Buffer.alloc(32, 7).toString("base64") as VerifyKey;
const other = Buffer.alloc(32, 8).toString("base64") as VerifyKey;
const owners = { current: [owner], former: [] };
const self = { pid: process.pid, host: "test-host", doing: "test" };
const group = groupPath(parseGroupName("stripe"));
const secret = secretPath(parseGroupName("stripe"), parseSecretName("API_KEY"));
const pin = (serial: number, fill = "a"): Pin => ({ serial, digest: fill.repeat(64) });

async function pinned(folder: string, ...entries: [RecordPath, Pin][]): Promise<Pins> {
  const pins = new Pins(folder);
  await pins.save(new Map([[VAULT_PATH, pin(1)], ...entries]), owners, self);
  return new Pins(folder);
}

describe("pins", () => {
  it("are kept per record and read back by another process", async () => {
    const pins = await pinned(tempFolder(), [group, pin(5)]);
    expect(pins.find(group)).toEqual(pin(5));
    expect(pins.find(secret)).toBeUndefined();
    expect(pins.findOwners()).toEqual(owners);
    expect(pins.pathsIn("groups/stripe" as never)).toEqual([group]);
    expect(pins.namesIn("groups")).toEqual(["stripe"]);
  });

  it("refuse an older record (A5, promise 6)", async () => {
    const pins = await pinned(tempFolder(), [group, pin(5)]);
    expect(() => pins.check(group, pin(4))).toThrow(/older/);
    expect(() => pins.check(group, pin(6, "b"))).not.toThrow();
  });

  it("refuse other bytes under the same serial (A6)", async () => {
    const pins = await pinned(tempFolder(), [group, pin(5)]);
    expect(() => pins.check(group, pin(5, "b"))).toThrow(/another record/);
    expect(() => pins.check(group, pin(5))).not.toThrow();
  });

  it("only ever rise, also when a slower process saves what it saw earlier", async () => {
    const folder = tempFolder();
    const slow = new Pins(folder);
    slow.find(group);
    await pinned(folder, [group, pin(9)]);
    await slow.save(new Map([[secret, pin(3)]]), owners, self);
    const pins = new Pins(folder);
    expect(pins.find(group)).toEqual(pin(9));
    expect(pins.find(secret)).toEqual(pin(3));
    await expect(slow.save(new Map([[group, pin(8)]]), owners, self)).resolves.toBeUndefined();
    expect(new Pins(folder).find(group)).toEqual(pin(9));
  });

  it("are not written when nothing is new", async () => {
    const folder = tempFolder();
    await pinned(folder, [group, pin(5)]);
    const file = join(folder, "pins/groups/stripe.json");
    const before = statSync(file).ino;
    await pinned(folder, [group, pin(5)]);
    expect(statSync(file).ino).toBe(before);
  });

  it("are private to the user", async () => {
    const folder = join(tempFolder(), "state");
    await pinned(folder, [group, pin(5)]);
    expect(statSync(join(folder, "pins")).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "pins/vault.json")).mode & 0o777).toBe(0o600);
  });

  it.each([
    "",
    "{",
    "{}",
    '{"records":{"../x":{"serial":1,"digest":"00"}}}',
    '{"records":{"vault.json":{"serial":"1"}}}',
    '{"records":{},"owners":[]}',
    '{"records":{},"owners":["x"]}',
    `{"records":{},"owners":["${owner}"],"formerOwners":"${owner}"}`,
    `{"records":{},"owners":["${owner}"],"formerOwners":["${owner}="]}`,
    `{"records":{},"owners":["${owner}"],"former":["${owner}"]}`,
  ])("that cannot be understood are an error, not an empty list: %j", (text) => {
    const folder = tempFolder();
    mkdirSync(join(folder, "pins"));
    writeFileSync(join(folder, "pins/vault.json"), text);
    expect(() => new Pins(folder).find(VAULT_PATH)).toThrow(/not a file of pins/);
  });

  it("remember who was an owner, for good, whether it was seen here or the vault says so", async () => {
    const folder = tempFolder();
    const [b, c, d] = [8, 9, 10].map((fill) => Buffer.alloc(32, fill).toString("base64") as VerifyKey);
    await pinned(folder);
    const save = (serial: number, current: unknown[], former: unknown[] = []) =>
      new Pins(folder).save(new Map([[VAULT_PATH, pin(serial)]]), { current, former } as never, self);
    await save(2, [owner, b]);
    expect(new Pins(folder).findOwners()).toEqual({ current: [owner, b], former: [] });
    await save(3, [owner], [c]);
    expect(new Pins(folder).findOwners()).toEqual({ current: [owner], former: [b, c] });
    await save(4, [d]);
    expect(new Pins(folder).findOwners()).toEqual({ current: [d], former: [b, c, owner] });
  });

  it("are not changed for a vault that lists a former owner, and no record of it is pinned", async () => {
    const folder = tempFolder();
    await new Pins(folder).save(new Map([[VAULT_PATH, pin(1)]]), { current: [owner], former: [other] }, self);
    const before = readFileSync(join(folder, "pins/vault.json"), "utf8");
    const back = { current: [owner, other], former: [] };
    await expect(new Pins(folder).save(new Map([[VAULT_PATH, pin(2)]]), back, self)).rejects.toThrow(
      /removed or replaced/,
    );
    expect(readFileSync(join(folder, "pins/vault.json"), "utf8")).toBe(before);
  });

  it("of one file that are refused keep no other file's from rising", async () => {
    const folder = tempFolder();
    const db = groupPath(parseGroupName("db"));
    await pinned(folder, [group, pin(5)], [db, pin(5)]);
    const seen = new Map([
      [secret, pin(3)],
      [group, pin(5, "b")],
      [db, pin(6)],
    ]);
    await expect(new Pins(folder).save(seen, owners, self)).rejects.toThrow(/another record/);
    const pins = new Pins(folder);
    expect([pins.find(group), pins.find(secret), pins.find(db)]).toEqual([pin(5), undefined, pin(6)]);
  });

  it("of a change rise where they are lower, and stay where another process knows newer records and owners", async () => {
    const folder = tempFolder();
    await pinned(folder, [group, pin(5)]);
    const raising = new Pins(folder);
    raising.find(group);
    raising.find(VAULT_PATH);
    const newer = { current: [owner, other], former: [] };
    await new Pins(folder).save(
      new Map([
        [VAULT_PATH, pin(9)],
        [group, pin(9)],
      ]),
      newer,
      self,
    );
    const made = new Map([
      [VAULT_PATH, pin(2)],
      [group, pin(7)],
      [secret, pin(3)],
    ]);
    await raising.raise(made, owners, self);
    const pins = new Pins(folder);
    expect([pins.find(VAULT_PATH), pins.find(group), pins.find(secret)]).toEqual([pin(9), pin(9), pin(3)]);
    expect(pins.findOwners()).toEqual(newer);
  });

  it("survive many processes' worth of savers at once", async () => {
    const folder = tempFolder();
    const names = Array.from({ length: 40 }, (_, i) =>
      secretPath(parseGroupName("stripe"), parseSecretName(`S${i}`)),
    );
    await Promise.all(
      names.map((path, i) =>
        new Pins(folder).save(new Map([[path, pin(i + 1)]]), owners, { ...self, pid: process.pid }),
      ),
    );
    const file = JSON.parse(readFileSync(join(folder, "pins/groups/stripe.json"), "utf8"));
    expect(Object.keys(file.records)).toHaveLength(40);
  });
});
