import { hkdf, hmac } from "../../src/age/hkdf.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import type { BlockTable } from "../../src/audit/block-table.ts";
import { VerifiedBlocks } from "../../src/audit/verified-blocks.ts";
import { digest } from "../../src/vault/fingerprint.ts";
import { parseAgentName } from "../../src/vault/names.ts";
import { VAULT_PATH } from "../../src/vault/paths.ts";
import { SCHEMA_EDITION } from "../../src/vault/schema.ts";
import { VerifiedFiles } from "../../src/vault/verified-files.ts";
import { isLarge, type Target, withFile } from "./promises.ts";
import { KEYS, LISTED_BLOCK, LISTED_FILE, RECORD_PATHS, VAULT } from "./seeds.ts";

// The lists of what was verified before, each under a MAC. Of other bytes than those that were written nothing counts. The bytes are also
// tried with the MAC that they would have: then some may count, and none may do harm.

const BLOCKS_EDITION = 2;
const AGENT = parseAgentName("crawler");
const OWNERS = { current: [SigningKey.derive(KEYS.pq).verifyKey], former: [] };
const keyOf = (info: string) => hkdf(KEYS.classic.secretBytes(), "", info);

export const LIST_TARGETS: Readonly<Record<string, Target>> = {
  "verified-files": (bytes) => {
    if (countFiles(bytes) > 0) throw new Error("a list without its MAC counts");
    if (isLarge(bytes)) return false;
    const text = bytes.toString();
    const basis = JSON.stringify([SCHEMA_EDITION, VAULT, AGENT, [OWNERS.current, OWNERS.former]]);
    const mac = hmac(keyOf("vault-run/v1/verified"), basis, "\0", text).toString("base64");
    return countFiles(Buffer.from(`${mac}\n${text}`)) > 0;
  },
  "verified-blocks": (bytes) => {
    if (findBlock(bytes) !== undefined) throw new Error("a list without its MAC counts");
    if (isLarge(bytes)) return false;
    const basis = JSON.stringify([BLOCKS_EDITION, VAULT]);
    const mac = hmac(keyOf("vault-run/v1/verified-log"), basis, "\0", bytes);
    return findBlock(Buffer.concat([mac, bytes])) !== undefined;
  },
};

/** How many of the paths there are the list has this file at. */
function countFiles(content: Buffer): number {
  const folder = withFile(`verified/${AGENT}.json`, content);
  const by = { vault: VAULT, agent: AGENT, identity: KEYS.classic, sources: [], pinned: OWNERS };
  const list = new VerifiedFiles(folder, by);
  const pins = [VAULT_PATH, ...RECORD_PATHS].flatMap((path) => list.find(path, LISTED_FILE) ?? []);
  for (const { serial, digest: record } of pins)
    if (!Number.isSafeInteger(serial) || !/^[0-9a-f]{64}$/.test(record))
      throw new Error("a pin that is none");
  if (pins.length > 0) {
    list.add(VAULT_PATH, LISTED_FILE, { serial: 1, digest: digest("another") });
    list.save(OWNERS);
  }
  return pins.length;
}

function findBlock(content: Buffer): BlockTable | undefined {
  const folder = withFile("verified-log/key", content);
  const list = new VerifiedBlocks(`${folder}/verified-log/key`, VAULT, KEYS.classic);
  const table = list.find(LISTED_BLOCK);
  for (let line = 0; line < (table?.lines ?? 0); line++) lookAt(list, table!, line);
  list.save();
  return table;
}

/** As a reading does. */
function lookAt(list: VerifiedBlocks, table: BlockTable, line: number): void {
  if (table.isEmpty(line) || !table.isHeld(line)) return;
  const [shape, prev] = [table.shapeOf(line), table.prevOf(line)];
  if (shape !== undefined && list.shapeOf(shape) === null) throw new Error("a line that says nothing");
  if (prev !== undefined && table.digests.length < 6 * (prev + 1))
    throw new Error("a digest that is not there");
}
