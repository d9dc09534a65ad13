import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import type { TestProject } from "vitest/node";
import { keptTempFolder } from "../fixtures/temp-folder.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A folder with the commands `node` and `vault-run`, the latter from the packed and installed tarball. */
    readonly binFolder: string;
    /** Where the package was installed. */
    readonly packageFolder: string;
  }
}

/** Packs this package and installs the tarball, without any devDependency, into an empty prefix elsewhere. */
export default async function setup(project: TestProject): Promise<() => void> {
  const root = resolve(import.meta.dirname, "../..");
  const folder = keptTempFolder();
  await execa("sh", ["scripts/setup.sh"], { cwd: root });
  const { stdout } = await execa("npm", ["pack", "--json", "--pack-destination", folder], { cwd: root });
  const packed: unknown = JSON.parse(stdout);
  const [entry] = (Array.isArray(packed) ? packed : Object.values(packed as object)) as {
    filename: string;
  }[];
  const prefix = join(folder, "prefix");
  await execa("npm", [
    "install",
    "--global",
    "--offline",
    "--no-audit",
    "--no-fund",
    "--prefix",
    prefix,
    join(folder, entry?.filename ?? ""),
  ]);
  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, "node"));
  symlinkSync(join(prefix, "bin/vault-run"), join(bin, "vault-run"));
  project.provide("binFolder", bin);
  project.provide("packageFolder", join(prefix, "lib/node_modules/vault-run"));
  return () => rmSync(folder, { recursive: true, force: true });
}
