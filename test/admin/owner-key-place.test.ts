import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { storeOwnerKey } from "../../src/admin/owner-key-place.ts";
import { findOwnerKey } from "../../src/vault/owner-key.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { TestVault } from "../fixtures/vault.ts";

it("an owner key's file keeps its mode, is replaced where a link leads, and what a kill left is not taken for it", async () => {
  const vault = await TestVault.make();
  const real = join(tempFolder(), "real.key");
  const plain = readFileSync(vault.ownerKeyPath(), "utf8");
  writeFileSync(real, plain, { mode: 0o400 });
  const link = join(tempFolder(), "link.key");
  symlinkSync(real, link);
  writeFileSync(`${real}.new`, "left by a kill", { mode: 0o644 });
  const key = await findOwnerKey(vault.machine, vault.id, link);
  await storeOwnerKey(key, Buffer.from(`# of mine\n${plain}`));
  expect(readFileSync(link, "utf8")).toBe(`# of mine\n${plain}`);
  expect(statSync(real).mode & 0o777).toBe(0o400);
  expect(() => statSync(`${real}.new`)).toThrow(/ENOENT/);
});
