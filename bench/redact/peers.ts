import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

// The peers are packages of bench/peers, pinned and locked there, so that nothing of them is installed with vault-run.
// varlock's helpers for macOS and 64-bit ARM, which only its own encryption uses, are replaced there by an empty package.

export const PEERS = ["dotenvx", "varlock"] as const;
export type Peer = (typeof PEERS)[number];

const FOLDER = resolve(import.meta.dirname, "../peers");
export const PACKAGES: Readonly<Record<Peer, string>> = { dotenvx: "@dotenvx/dotenvx", varlock: "varlock" };

/** What they document to keep them off the network and out of the machine's key stores. */
export const SILENT_PEERS = {
  DO_NOT_TRACK: "1",
  VARLOCK_TELEMETRY_DISABLED: "true",
  DOTENVX_NO_ARMOR: "true",
  DOTENVX_NO_NATIVE: "true",
  DOTENVX_NO_1PASSWORD: "true",
  DOTENVX_NO_BITWARDEN: "true",
};

export function commandOf(peer: Peer): string {
  return join(FOLDER, "node_modules/.bin", peer);
}

/** Installs what is pinned, where it is not there, and returns the versions. */
export function installPeers(path: string): Record<Peer, string> {
  if (!PEERS.every((peer) => versionOf(peer) === pinOf(peer))) {
    // The user's own npm configuration may say where packages come from.
    const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
      cwd: FOLDER,
      env: { ...process.env, PATH: path },
      stdio: ["ignore", 2, 2],
    });
    if (status !== 0) throw new Error("npm ci in bench/peers failed");
  }
  return { dotenvx: versionOf("dotenvx"), varlock: versionOf("varlock") };
}

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

function pinOf(peer: Peer): string | undefined {
  return readManifest(FOLDER).dependencies[PACKAGES[peer]];
}

function versionOf(peer: Peer): string {
  const folder = join(FOLDER, "node_modules", PACKAGES[peer]);
  return existsSync(folder) ? readManifest(folder).version : "";
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}
