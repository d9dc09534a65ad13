import { findJournal } from "../../src/admin/journal.ts";
import { parseCard } from "../../src/admin/owner-card.ts";
import { DamagedAgeFile } from "../../src/age/damaged-age-file.ts";
import { Identity, parseRecipient } from "../../src/age/identity.ts";
import { findNativeKeys, type NativeKeys, openNatively } from "../../src/age/open-native.ts";
import { parsePassphraseFile } from "../../src/age/passphrase.ts";
import { parseVerifyKey } from "../../src/age/signing-key.ts";
import { blocksOf, textsOf } from "../../src/audit/blocks.ts";
import { parseLine } from "../../src/audit/line.ts";
import { findLaunch } from "../../src/cli/arguments.ts";
import { parseDotenv } from "../../src/cli/formats/dotenv.ts";
import { parseJson } from "../../src/cli/formats/json.ts";
import { parseVerbRequest } from "../../src/cli/verb-arguments.ts";
import { findHeadCommit, hasChangeUnderWay } from "../../src/git/head.ts";
import { createRedactor } from "../../src/redact/index.ts";
import { windowsOf } from "../../src/scan/content.ts";
import { findPlainEnv } from "../../src/scan/env-file.ts";
import { findFormats } from "../../src/scan/formats/formats.ts";
import { findKeys } from "../../src/scan/keys.ts";
import { parseKeyFile } from "../../src/vault/key-file.ts";
import { takeLock } from "../../src/vault/lock.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { ROOT_SCOPE } from "../../src/vault/paths.ts";
import { decodeValue } from "../../src/vault/payload.ts";
import { Pins } from "../../src/vault/pins.ts";
import { parseCommandRule, parseOrigin } from "../../src/vault/policy.ts";
import { decodeRecord, encodeRecord } from "../../src/vault/record.ts";
import { isTimestamp, parseAge, parseExpiry, parseMoment } from "../../src/vault/time.ts";
import { EDGE_TARGETS } from "./edge-targets.ts";
import { GIT_TARGETS } from "./git-targets.ts";
import { LIST_TARGETS } from "./list-targets.ts";
import { MCP_TARGETS } from "./mcp-targets.ts";
import {
  accepts,
  acceptsLater,
  cut,
  isLarge,
  requireSame,
  scratch,
  streamOf,
  type Target,
  withFile,
} from "./promises.ts";
import { CONTEXT, KEYS, RECORD_PATHS, VAULT } from "./seeds.ts";

// What reads bytes that others wrote, each as a function that throws where a promise is broken: an error leaves that is none of those
// named, something accepted has another spelling, an answer depends on how the bytes were cut.

const NOW_MS = Date.parse("2026-12-01T00:00:00Z");
const SECRET = "correct horse battery";

export const TARGETS: Readonly<Record<string, Target>> = {
  ...EDGE_TARGETS,
  ...GIT_TARGETS,
  ...LIST_TARGETS,
  ...MCP_TARGETS,
  record: (bytes) =>
    RECORD_PATHS.some((path) =>
      accepts(() => requireSame(encodeRecord(decodeRecord(path, bytes)).toString(), bytes.toString())),
    ),
  "age-classic": (bytes) => opens(bytes, keysOf("classic")),
  "age-pq": (bytes) => opens(bytes, keysOf("pq")),
  passphrase: (bytes) => accepts(() => parsePassphraseFile(bytes.toString()), DamagedAgeFile),
  payload: (bytes) => accepts(() => decodeValue("a secret", CONTEXT, bytes)),
  "key-file": (bytes) => accepts(() => parseKeyFile(bytes.toString(), "a key file")),
  bech32: (bytes) => {
    const text = bytes.toString();
    const identity = Identity.parse(text);
    if (identity !== undefined) requireSame(identity.reveal(), text);
    return identity !== undefined || parseRecipient(text) !== undefined || parseVerifyKey(text) !== undefined;
  },
  "audit-line": async (bytes) => {
    let hasLine = false;
    for await (const block of blocksOf(logOf([bytes])))
      for (const line of textsOf(block.bytes))
        hasLine ||= typeof line === "string" && parseLine(line) !== undefined;
    return hasLine;
  },
  "audit-blocks": async (bytes) => {
    if (isLarge(bytes)) {
      for await (const _ of blocksOf(logOf(cut(bytes))));
      return true;
    }
    requireSame(await blockTexts([bytes]), await blockTexts(cut(bytes)));
    return true;
  },
  lock: (bytes) =>
    acceptsLater(async () => {
      const path = `${withFile("lock", bytes)}/lock`;
      const self = { pid: process.pid, host: "h", doing: "fuzz" };
      (await takeLock(path, self, { waitMs: 0 }))?.release();
    }),
  head: (bytes) => {
    const folder = `${withFile("work/.git/HEAD", bytes)}/work`;
    withFile("work/.git/packed-refs", bytes);
    withFile("linked/.git", bytes);
    hasChangeUnderWay(`${scratch()}/linked`);
    const commits = [findHeadCommit(folder), findHeadCommit(`${scratch()}/linked`)];
    if (!commits.every((commit) => commit === undefined || /^[0-9a-f]{40,64}$/.test(commit)))
      throw new Error("a commit that is none");
    return commits.some((commit) => commit !== undefined);
  },
  "owner-card": (bytes) => accepts(() => parseCard(bytes.toString(), VAULT)),
  pins: (bytes) => accepts(() => new Pins(withFile("pins/vault.json", bytes)).pathsIn(ROOT_SCOPE)),
  journal: (bytes) => accepts(() => findJournal(withFile("journal.json", bytes))),
  policy: (bytes) => {
    const isRule = accepts(() => parseCommandRule(bytes.toString()));
    // An origin's one spelling is taken for itself.
    return (
      accepts(() => {
        const origin = parseOrigin(bytes.toString());
        requireSame(parseOrigin(origin), origin);
      }) || isRule
    );
  },
  arguments: (bytes) => {
    const words = bytes.toString().split("\0");
    return accepts(() => findLaunch(words) ?? parseVerbRequest(words));
  },
  dotenv: (bytes) => accepts(() => parseDotenv(bytes.toString(), "a file")),
  json: (bytes) => accepts(() => parseJson(bytes.toString(), "a file")),
  scan: async (bytes) => {
    for await (const { readings } of windowsOf([bytes])) {
      for (const { text } of readings) {
        findKeys(text);
        findFormats(text);
      }
    }
    findPlainEnv(bytes, new Set(["API_KEY"]));
    return true;
  },
  redactor: (bytes) => {
    const output = redacted([bytes]);
    requireSame(redacted(cut(bytes)), output);
    if (output.includes(SECRET)) throw new Error("a secret stands in the output");
    return true;
  },
  time: (bytes) => {
    const text = bytes.toString();
    const moments = [parseMoment, parseExpiry].map((parse) =>
      accepts(() => {
        if (!isTimestamp(parse(text, NOW_MS))) throw new Error("a time that is none was taken");
      }),
    );
    return [...moments, accepts(() => parseAge(text))].includes(true);
  },
  names: (bytes) => accepts(() => parseSecretRef(bytes.toString())),
};

function opens(bytes: Buffer, keys: NativeKeys): boolean {
  let plaintext: Buffer | undefined;
  accepts(() => {
    plaintext = openNatively(bytes, keys);
  }, DamagedAgeFile);
  return plaintext !== undefined;
}

const madeKeys = new Map<string, NativeKeys>();

function keysOf(suite: "classic" | "pq"): NativeKeys {
  const keys = madeKeys.get(suite) ?? findNativeKeys(KEYS[suite]);
  if (keys === undefined) throw new Error("this runtime has no ML-KEM");
  madeKeys.set(suite, keys);
  return keys;
}

function logOf(pieces: readonly Buffer[]): Parameters<typeof blocksOf>[0] {
  return { chunks: () => streamOf(pieces) } as unknown as Parameters<typeof blocksOf>[0];
}

async function blockTexts(pieces: readonly Buffer[]): Promise<string> {
  let texts = "";
  for await (const { bytes } of blocksOf(logOf(pieces)))
    texts += `${bytes.toString("latin1")}
`;
  return texts;
}

function redacted(pieces: readonly Buffer[]): string {
  const stream = createRedactor([{ name: "group/NAME", value: SECRET }]).stream();
  const written = pieces.map((piece) => Buffer.from(stream.write(piece)));
  return Buffer.concat([...written, Buffer.from(stream.end())]).toString("latin1");
}
