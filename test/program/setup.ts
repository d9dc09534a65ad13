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
    /** Like `binFolder`, of an installation without the optional packages. */
    readonly plainBinFolder: string;
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
  const tarball = join(folder, entry?.filename ?? "");
  const whole = await install(tarball, join(folder, "whole"), "--prefer-offline");
  const plain = await install(tarball, join(folder, "plain"), "--prefer-offline");
  // As where there is no such package for the system: npm then leaves it out.
  rmSync(join(plain.package, "node_modules"), { recursive: true });
  project.provide("binFolder", whole.bin);
  project.provide("packageFolder", whole.package);
  project.provide("plainBinFolder", plain.bin);
  return () => rmSync(folder, { recursive: true, force: true });
}

/** Installs as a user does, into a prefix of its own; the folder `bin` has the commands `node` and `vault-run`. */
async function install(
  tarball: string,
  folder: string,
  ...options: string[]
): Promise<{ bin: string; package: string }> {
  const prefix = join(folder, "prefix");
  const args = ["install", "--global", "--no-audit", "--no-fund", "--prefix", prefix, ...options, tarball];
  await execa("npm", args);
  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, "node"));
  symlinkSync(join(prefix, "bin/vault-run"), join(bin, "vault-run"));
  return { bin, package: join(prefix, "lib/node_modules/vault-run") };
}
