import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { storeOwnerKey } from "../../src/admin/owner-key-place.ts";
import { findOwnerKey } from "../../src/vault/owner-key.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { TestVault } from "../fixtures/vault.ts";

it("an owner key's file keeps its mode, is replaced where a link leads, and nothing of others' beside it is touched", async () => {
  const vault = await TestVault.make();
  const real = join(tempFolder(), "real.key");
  const plain = readFileSync(vault.ownerKeyPath(), "utf8");
  writeFileSync(real, plain, { mode: 0o400 });
  const link = join(tempFolder(), "link.key");
  symlinkSync(real, link);
  const left = join(dirname(real), `.real.key.vault-run-${"0a".repeat(16)}`);
  writeFileSync(left, "left by a kill", { mode: 0o400 });
  const others = [
    "real.key.new",
    "real.key.draft",
    ".real.key.vault-run-mine",
    `real.key.${"0a".repeat(16)}`,
  ];
  for (const name of others) writeFileSync(join(dirname(real), name), name);
  const key = await findOwnerKey(vault.machine, vault.id, link);
  await storeOwnerKey(key, Buffer.from(`# of mine\n${plain}`));
  expect(readFileSync(link, "utf8")).toBe(`# of mine\n${plain}`);
  expect(statSync(real).mode & 0o777).toBe(0o400);
  expect(readdirSync(dirname(real)).sort()).toEqual(["real.key", ...others].sort());
  for (const name of others) expect(readFileSync(join(dirname(real), name), "utf8")).toBe(name);
});
