import { type Dirent, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { DamagedAgeFile } from "../../age/damaged-age-file.ts";
import type { Identity } from "../../age/identity.ts";
import { open } from "../../age/open.ts";
import { readKeyFile } from "../../vault/key-file.ts";
import { MAX_VALUE_BYTES } from "../../vault/payload.ts";
import { Secret } from "../../vault/secret.ts";
import { type Timestamp, timestamp } from "../../vault/time.ts";
import { diskError } from "../../vault-error.ts";
import { type Entry, type Skipped, type Source, shownName } from "./source.ts";

// A vault of agent-vault, the program in Rust (github.com/ewimsatt/agent-vault, version 1 of its format): a folder
// .agent-vault with `secrets/GROUP/NAME.enc`, an age file of the value for X25519 keys, and `NAME.meta` beside it, YAML
// of one level, of which the line `expires:` is taken. Nothing in it is signed: whoever could write to it chose what
// stands there. Its names are file names; they become names that variables can have: api-key is API_KEY.

const FOLDER = ".agent-vault";
// What age adds to a value: a stanza of some 100 bytes for each agent, 16 bytes for each 64 KiB.
const MAX_SEALED_BYTES = 2 * MAX_VALUE_BYTES;

/** The vault's folder where `path` is one or holds one. */
export function findAgentVault(path: string): string | undefined {
  return [path, join(path, FOLDER)].find((folder) => existsSync(join(folder, "manifest.yaml")));
}

/** @param only the group to take; every group without it. */
export async function readAgentVault(
  folder: string,
  keyPath: string,
  only: string | undefined,
): Promise<Source> {
  const { identity } = readKeyFile(keyPath);
  const entries: Entry[] = [];
  const skipped: Skipped[] = [];
  const taken = new Set<string>();
  for (const path of sealedFiles(join(folder, "secrets"))) {
    const [group = "", ...rest] = relative(join(folder, "secrets"), path).slice(0, -".enc".length).split("/");
    if (only !== undefined && group !== only) continue;
    const spelled = `${shownName(group)}/${shownName(rest.join("-"))}`;
    const name = variableName(rest.join("_"));
    const opened = await openValue(path, identity, spelled);
    if (opened instanceof Secret && !taken.has(`${group}/${name}`)) {
      taken.add(`${group}/${name}`);
      entries.push({ group, name, value: opened, expiresAt: findExpiry(path) });
    } else {
      const why = opened instanceof Secret ? `another one is ${group}/${name} already` : opened;
      skipped.push({ name: spelled, why });
    }
  }
  return { entries, skipped, repeated: [], cut: [] };
}

/** Links are passed over: they may lead anywhere. */
function sealedFiles(folder: string): string[] {
  try {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true });
    const own = files.filter((file: Dirent) => file.isFile() && file.name.endsWith(".enc"));
    return own.map((file) => join(file.parentPath, file.name)).sort();
  } catch (error) {
    throw diskError(error, "read the secrets of", folder);
  }
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll(/[-. ]/g, "_");
}

/** The value, or why there is none. */
async function openValue(path: string, identity: Identity, spelled: string): Promise<Secret | string> {
  if (statSync(path).size > MAX_SEALED_BYTES) return "its value is larger than 1 MiB";
  try {
    const value = await open(readFileSync(path), identity);
    return value === undefined ? "it is sealed to other keys than this one" : new Secret(spelled, value);
  } catch (error) {
    if (error instanceof DamagedAgeFile) return "its age file is damaged";
    throw diskError(error, "read", path);
  }
}

function findExpiry(path: string): Timestamp | undefined {
  const meta = `${path.slice(0, -".enc".length)}.meta`;
  if (!existsSync(meta)) return undefined;
  const found = /^expires: *['"]?(\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d))/m.exec(
    readFileSync(meta, "utf8"),
  );
  const ms = Date.parse(found?.[1] ?? "");
  return Number.isNaN(ms) ? undefined : timestamp(ms);
}
