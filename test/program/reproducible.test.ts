import { hash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { tempFolder } from "../fixtures/temp.ts";

// Anyone who has the sources and the same node can make the package again, and compare it byte for byte.

const ROOT = resolve(import.meta.dirname, "../..");

/** The sources at a place of their own, built and packed there. */
async function buildIn(folder: string, env: Record<string, string>): Promise<Record<string, string>> {
  const { stdout } = await execa("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
  });
  for (const file of stdout.split("\n")) {
    if (file.startsWith("test/")) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file));
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const settings = { cwd: folder, env: { SOURCE_DATE_EPOCH: "1700000000", ...env } };
  await execa("npm", ["run", "--silent", "build"], settings);
  await execa("npm", ["pack", "--silent"], settings);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => {
    return /^dist\/|^[^/]*\.tgz$/.test(name) && statSync(join(folder, name)).isFile();
  });
  const digestOf = (name: string) => hash("sha256", readFileSync(join(folder, name)));
  return Object.fromEntries(names.sort().map((name) => [name, digestOf(name)]));
}

it("is the same package, byte for byte, wherever and whenever it is built", async () => {
  const here = await buildIn(join(tempFolder(), "a"), {});
  const there = await buildIn(join(tempFolder(), "another-folder-with-a-longer-name"), {
    TZ: "Pacific/Auckland",
    LC_ALL: "C",
    ANYTHING: "x".repeat(3000),
  });
  expect(Object.keys(here).filter((name) => name.startsWith("dist/code/"))).not.toEqual([]);
  expect(Object.keys(here).filter((name) => name.endsWith(".tgz"))).toHaveLength(1);
  expect(there).toEqual(here);
});
