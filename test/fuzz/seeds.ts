import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Identity } from "../../src/age/identity.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { formatAuditLine } from "../../src/audit/event.ts";
import { parseKeyFile } from "../../src/vault/key-file.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import type { RecordPath } from "../../src/vault/paths.ts";
import { encodeValue, secretContext } from "../../src/vault/payload.ts";

// What fuzzing begins with: the vaults of test/vectors, whose keys are known to everyone, lines in the hand of each format,
// and what fuzzing found before that was new, in corpus/.

interface VectorVault {
  readonly keys: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

const CORPUS = new URL("corpus/", import.meta.url);
const vaults = { classic: read("classic"), pq: read("pq") };

function read(suite: string): VectorVault {
  return JSON.parse(readFileSync(new URL(`../vectors/vault-0.1.0-${suite}.json`, import.meta.url), "utf8"));
}

const keyOf = (suite: "classic" | "pq"): Identity =>
  parseKeyFile(vaults[suite].keys.crawler ?? "", "crawler's key").identity;

/** Whom the age files among the seeds are for. */
export const KEYS = { classic: keyOf("classic"), pq: keyOf("pq") };

export const RECORD_PATHS = Object.keys(vaults.classic.files).filter(isFirstOfKind) as RecordPath[];

const REF = parseSecretRef("stripe/API_KEY");
export const CONTEXT = secretContext({
  vault: "0c686a6aea187a7cf577c40d072b8e65",
  ...REF,
  epoch: 1,
  valueId: "00000000000000000000000000000000",
} as Parameters<typeof secretContext>[0]);

const AUDIT_LINE = formatAuditLine(
  {
    time: "2026-12-01T00:00:00.000Z",
    action: "get",
    key: "k",
    host: "h",
    uid: 0,
    id: "i",
    secrets: [],
  } as unknown as Parameters<typeof formatAuditLine>[0],
  SigningKey.derive(KEYS.classic),
);
const words = (...lines: string[]): string[] => lines.map((line) => line.replaceAll(" ", "\0"));
const records = RECORD_PATHS.map((path) => vaults.classic.files[path] ?? "");
const sealed = (suite: "classic" | "pq"): Buffer[] =>
  Object.entries(vaults[suite].files)
    .filter(([path]) => path.startsWith("agents/crawler/grants/"))
    .map(([, text]) => Buffer.from((JSON.parse(text) as { sealed?: string }).sealed ?? "", "base64"));

const SEEDS: Readonly<Record<string, readonly (string | Buffer)[]>> = {
  record: records,
  "age-classic": sealed("classic"),
  "age-pq": sealed("pq"),
  passphrase: [
    "-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBhYWFhYWFhYWFhYWFhYWFhYWFhYWFhIDE4Cg==\n-----END AGE ENCRYPTED FILE-----\n",
  ],
  payload: [encodeValue(CONTEXT, Buffer.from("a value")), encodeValue(CONTEXT, Buffer.from([255, 0]))],
  "key-file": Object.values(vaults.classic.keys),
  bech32: [KEYS.classic.reveal(), KEYS.pq.reveal(), "age1qqqq"],
  "audit-line": [AUDIT_LINE],
  "audit-blocks": [`${AUDIT_LINE}\n${AUDIT_LINE}\n`],
  pins: [`{"records":{"vault.json":{"serial":1,"digest":"${"0".repeat(64)}"}}}`],
  journal: ['{"version":1}'],
  policy: ["git push *", "https://api.example.org", "http://[::1]:8080"],
  arguments: words(
    "--agent crawler --only stripe/API_KEY -- node a.js",
    "set stripe/API_KEY --env X",
    "help",
    "audit --since 3d",
  ),
  dotenv: ["# c\nexport A=\"x\ny\" # z\nB='1'\nC=`2`\n"],
  json: ['{"A":"x","B":12345678901234567890,"C":[null],"D":"\\ud800"}'],
  scan: ["API_KEY=sk_live_abcdefghijklmnop\nAGE-SECRET-KEY-1\n", "\ufeffa\0b\0"],
  redactor: [
    "a correct horse battery b",
    "correct horse battcorrect horse battery",
    "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5",
  ],
  time: ["90d", "2027-01-31", "2027-01-31T00:00:00.5+01:00"],
  names: ["stripe/API_KEY", "../x/A"],
  "git-output": ["a\0b\0\0c"],
};

export function seedsOf(target: string): Buffer[] {
  const folder = new URL(`${target}/`, CORPUS);
  const found = existsSync(folder) ? readdirSync(folder).sort() : [];
  return [
    ...(SEEDS[target] ?? []).map((seed) => Buffer.from(seed as string)),
    ...found.map((name) => readFileSync(new URL(name, folder))),
  ];
}

export function corpusFolder(target: string): URL {
  return new URL(`${target}/`, CORPUS);
}

/** One path of each kind of record, and of tombstones. */
function isFirstOfKind(path: string, at: number, paths: readonly string[]): boolean {
  const kind = (of: string) => `${of.split("/").length} ${of.split("/")[0]} ${of.split("/")[2]?.length}`;
  return paths.findIndex((other) => kind(other) === kind(path)) === at;
}
