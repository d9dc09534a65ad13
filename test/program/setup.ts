import { existsSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
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
    /** A project in which the tarball was installed, and nothing else. */
    readonly projectFolder: string;
    /** The `node` of each major version that the package is for. */
    readonly nodes: Readonly<Record<"22" | "24" | "26", string>>;
    readonly tarball: string;
  }
}

/** Packs this package and installs the tarball, without any devDependency, into an empty prefix elsewhere. */
export default async function setup(project: TestProject): Promise<() => void> {
  const root = resolve(import.meta.dirname, "../..");
  const folder = keptTempFolder();
  for (const script of ["setup.sh", "python.sh"]) await execa("sh", [`scripts/${script}`], { cwd: root });
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
  const own = join(folder, "project");
  mkdirSync(own);
  writeFileSync(join(own, "package.json"), '{ "name": "project", "private": true }\n');
  await execa("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", tarball], { cwd: own });
  project.provide("projectFolder", own);
  project.provide("nodes", await installNodes(join(root, "test/nodes")));
  project.provide("tarball", tarball);
  project.provide("binFolder", whole.bin);
  project.provide("packageFolder", whole.package);
  project.provide("plainBinFolder", plain.bin);
  return () => rmSync(folder, { recursive: true, force: true });
}

/** Installs those of its lock file that are not there yet. */
async function installNodes(folder: string): Promise<Record<"22" | "24" | "26", string>> {
  const path = (major: string) =>
    join(folder, "node_modules", `node${major}-${process.platform}-${process.arch}`, "bin/node");
  const nodes = { "22": path("22"), "24": process.execPath, "26": path("26") };
  const installed = join(folder, "node_modules/.package-lock.json");
  const isThere = Object.values(nodes).every((node) => existsSync(node));
  if (!isThere || statSync(installed).mtimeMs < statSync(join(folder, "package-lock.json")).mtimeMs)
    await execa("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder });
  return nodes;
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
