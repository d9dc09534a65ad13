import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Bench } from "../redact/bench.ts";
import { PACKAGES, PEERS, type Peer } from "../redact/peers.ts";

// npm's packages as a user gets them: what comes over the network, and what lies on the disk afterwards, with what is
// optional and without.

const ROOT = resolve(import.meta.dirname, "../..");

export interface Installed {
  readonly bytes: number;
  readonly packages: number;
}

export interface PackageSize {
  readonly name: string;
  readonly version: string;
  readonly packed: number;
  readonly unpacked: number;
  readonly files: number;
  readonly installed: Installed;
  readonly plain: Installed;
}

export function measurePackages(bench: Bench, versions: Readonly<Record<Peer, string>>): PackageSize[] {
  const folder = bench.makeFolder("packages");
  const peers = PEERS.map((peer) => measure(bench, folder, `${PACKAGES[peer]}@${versions[peer]}`));
  return [measure(bench, folder, ROOT), ...peers];
}

function measure(bench: Bench, folder: string, what: string): PackageSize {
  const packed = JSON.parse(npm(bench, folder, "pack", "--json", "--ignore-scripts", what));
  const [entry] = Array.isArray(packed) ? packed : Object.values(packed);
  const tarball = join(folder, entry.filename);
  return {
    name: entry.name,
    version: entry.version,
    packed: entry.size,
    unpacked: entry.unpackedSize,
    files: entry.entryCount,
    installed: install(bench, folder, tarball),
    plain: install(bench, folder, tarball, "--omit=optional"),
  };
}

function install(bench: Bench, folder: string, tarball: string, ...options: readonly string[]): Installed {
  const project = join(folder, `project-${readdirSync(folder).length}`);
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{ "private": true }\n');
  npm(bench, project, "install", "--no-audit", "--no-fund", ...options, tarball);
  const files = filesUnder(join(project, "node_modules"));
  const isPackage = (path: string) => /node_modules\/(@[^/]+\/)?[^/@]+\/package\.json$/.test(path);
  return {
    bytes: files.reduce((sum, path) => sum + statSync(path).size, 0),
    packages: files.filter(isPackage).length,
  };
}

export function filesUnder(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The user's own npm configuration may say where packages come from. */
function npm(bench: Bench, cwd: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("npm", args, {
    cwd,
    env: { ...process.env, PATH: bench.path },
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} ended with ${status}: ${stderr}`);
  return stdout;
}
