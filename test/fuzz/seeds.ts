import { existsSync, readdirSync, readFileSync } from "node:fs";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Identity } from "../../src/age/identity.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { BlockTable } from "../../src/audit/block-table.ts";
import { formatAuditLine } from "../../src/audit/event.ts";
import { canonicalText } from "../../src/vault/canonical.ts";
import { digest } from "../../src/vault/fingerprint.ts";
import { parseKeyFile } from "../../src/vault/key-file.ts";
import { parseSecretRef, type VaultId } from "../../src/vault/names.ts";
import type { RecordPath } from "../../src/vault/paths.ts";
import { encodeValue, secretContext } from "../../src/vault/payload.ts";
import { HIDDEN_VALUE } from "./vault.ts";

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
export const VAULT = "0c686a6aea187a7cf577c40d072b8e65" as VaultId;
export const CONTEXT = secretContext({
  vault: VAULT,
  ...REF,
  epoch: 1,
  valueId: "00000000000000000000000000000000",
} as Parameters<typeof secretContext>[0]);

const KEY = SigningKey.derive(KEYS.classic);
const card = {
  ...{ type: "owner-card", vault: VAULT, name: "second", verifyKey: KEY.verifyKey },
  recipient: JSON.parse(vaults.classic.files["agents/crawler/agent.json"] ?? "").recipient,
};
const OWNER_CARD = JSON.stringify({
  ...card,
  sig: KEY.sign(Buffer.from(`vault-run/owner-card/v1\0${canonicalText(card)}`)),
});
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

const frames = (...messages: object[]): string =>
  messages.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`).join("");
const greeting = [
  {
    id: 0,
    method: "initialize",
    params: {
      protocolVersion: "2025-11-25",
      capabilities: { elicitation: { url: {} } },
      clientInfo: { name: "a", version: "1" },
    },
  },
  { method: "notifications/initialized" },
];
const toolArguments = {
  list_secrets: { group: "shown", query: "key" },
  get_secret: { name: "shown/KEY" },
  run_with_secrets: {
    command: ["true", "x"],
    secrets: ["hidden/KEY", { name: "shown/KEY", as: "file", variable: "X" }],
    cwd: ".",
    stdin: "x",
    timeout_s: 1.5,
  },
  http_request: {
    method: "POST",
    url: "https://api.example.org/x?y#z",
    headers: { "X-A": "b" },
    body: "x",
    auth: { as: "basic", secret: "hidden/KEY", username: "u" },
    timeout_s: 2,
  },
  request_access: { name: "other/KEY", reason: "to go on" },
};
const call = (id: number | string, name: string, given: object, more: object = {}): object => ({
  id,
  method: "tools/call",
  params: { name, arguments: given, ...more },
});
const calls = Object.entries(toolArguments);
/** What a client of the later version says with every request. */
const envelope = {
  _meta: {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "a", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": { elicitation: { url: {} } },
    progressToken: 1,
  },
};
const http = (status: string, headers: readonly string[], body: string | Buffer = ""): Buffer =>
  Buffer.concat([
    Buffer.from([`HTTP/1.1 ${status}`, ...headers, "", ""].join("\r\n")),
    Buffer.from(body as string),
  ]);
const ECHO = `it is ${HIDDEN_VALUE}, and again: ${HIDDEN_VALUE}`;

/** What stands in a file, and the name of a block, on lists of what was verified. */
export const LISTED_FILE = Buffer.from("a file");
export const LISTED_BLOCK = "a".repeat(64);
const listed = { serial: 1, digest: "0".repeat(64), file: digest(LISTED_FILE) };
const shape = {
  vault: "v",
  action: "get",
  key: "k",
  host: "h",
  uid: 0,
  secrets: [{ group: "g", name: "N", valueId: "i" }],
};
const digestOf = (word: number): Uint32Array => new Uint32Array(6).fill(word);
const table = BlockTable.of([
  { at: 5, shape: 0, digest: digestOf(1), prev: undefined },
  null,
  undefined,
  { at: 6, shape: undefined, digest: digestOf(2), prev: digestOf(9) },
]).bytes();

const [ID, NO_ID] = ["5".repeat(40), "0".repeat(40)];
const CAT_FILE = `${ID} blob 3\nabc\n${ID} missing\n${ID} tag 0\n\n${ID} tree 2\nab\n`;

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
  pins: [
    JSON.stringify({
      records: { "vault.json": { serial: 1, digest: "0".repeat(64) } },
      ...{ owners: [KEY.verifyKey], formerOwners: [SigningKey.derive(KEYS.pq).verifyKey] },
    }),
  ],
  journal: [
    JSON.stringify({
      ...{ root: ".vault", branch: "refs/heads/main", message: "m", commit: true, event: { action: "set" } },
      ...{ token: "0".repeat(32), keyFile: { path: "/k", digest: "0".repeat(64) } },
      writes: [{ path: "vault.json", before: null, after: "{}" }],
      made: true,
    }),
  ],
  lock: [
    JSON.stringify({
      pid: 1,
      host: "other",
      doing: "set",
      started: "1",
      space: "pid:[1]",
      token: "0".repeat(32),
    }),
    JSON.stringify({ pid: 4194304, host: "h", doing: "set", started: "1", token: "0".repeat(32) }),
  ],
  head: ["ref: refs/heads/main\n", `${ID} refs/heads/main\n`, `${ID}\n`, "gitdir: ../work/.git\n"],
  "owner-card": [OWNER_CARD],
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
  "mcp-frames": [
    ...calls.map(([name, given]) => frames(...greeting, call(1, name, given))),
    ...calls.map(([name, given]) => frames(call("a", name, given, envelope))),
    frames(
      ...greeting,
      { id: 1, method: "tools/list", params: { cursor: "x" } },
      { id: 2, method: "ping" },
      { id: "3", method: "no/such" },
      { id: 4, result: {} },
      { method: "notifications/cancelled", params: { requestId: 1, reason: "x" } },
    ),
    frames(
      { id: 1, method: "server/discover", params: envelope },
      { id: 2, method: "tools/list", params: envelope },
    ),
  ],
  "mcp-arguments": [
    ...calls.map(([, given]) => JSON.stringify(given)),
    ...["bearer", "header", "query"].map((as) =>
      JSON.stringify({
        method: "GET",
        url: "https://a.example",
        auth: { as, secret: "a/B", header: "X-K", prefix: "token ", parameter: "k" },
      }),
    ),
  ],
  "mcp-answer": [
    http(
      "200 OK",
      ["Content-Type: text/plain; charset=utf-8", `X-Echo: ${HIDDEN_VALUE}`, "Set-Cookie: a=b"],
      ECHO,
    ),
    http("200 OK", ["Content-Encoding: gzip"], gzipSync(ECHO)),
    http("200 OK", ["Content-Encoding: deflate"], deflateSync(ECHO)),
    http("200 OK", ["Content-Encoding: br"], brotliCompressSync(ECHO)),
    http("200 OK", ["Content-Encoding: zstd"], zstdCompressSync(ECHO)),
    http(
      "200 OK",
      ["Transfer-Encoding: chunked", "Trailer: X"],
      `5\r\n${ECHO.slice(0, 5)}\r\n1b\r\n${ECHO.slice(5, 32)}\r\n0\r\nX: y\r\n\r\n`,
    ),
    http("302 Found", ["Location: /again?x=y#z"]),
    http("307 Elsewhere", ["Location: https://other.example/"], ECHO),
    Buffer.concat([
      http("100 Continue", []),
      http("103 Early Hints", ["Link: <a>"]),
      http("204 No Content", []),
    ]),
  ],
  "verified-files": [
    JSON.stringify(Object.fromEntries(["vault.json", ...RECORD_PATHS].map((path) => [path, listed]))),
  ],
  "verified-blocks": [
    Buffer.concat([
      Buffer.from(`${JSON.stringify({ shapes: [shape, null], blocks: { [LISTED_BLOCK]: table.length } })}\n`),
      table,
    ]),
  ],
  names: ["stripe/API_KEY", "../x/A"],
  "git-output": ["a\0b\0\0c"],
  "git-blobs": [CAT_FILE],
  "git-contents": [CAT_FILE],
  "git-branches": [CAT_FILE, `refs/heads/one:.vault/x missing\n${ID} blob 2\n{}\n${ID} tree 0\n\n`],
  "git-commits": [
    `${ID}\tone\n\0\n:000000 100644 ${NO_ID} ${ID} A\0a\tb\0${ID}\ttwo\n:x\n\0\n::100644 100644 100644 ${ID} ${ID} ${ID} MM\0c\0`,
  ],
  "git-lists": [
    `${ID}\t${ID} ${NO_ID}\t2026-11-29T11:33:23+00:00\tn\0\n:000000 100644 ${NO_ID} ${ID} A\0.vault/c\0${NO_ID}\t\tx\ty\0`,
    `100644 blob ${ID}\t.vault/a\tb\0 120000 blob ${ID}\t.vault/c\0`,
    `100644 ${ID} 1\ta\0` + `100644 ${ID} 2\ta\0` + `100644 ${ID} 3\ta\0`,
    `${ID}\trefs/x/a\n${NO_ID}\trefs/x/b\n`,
  ],
  completion: words(
    "set stripe/A",
    "--agent cr",
    "--env X=stripe/A",
    "--tty=",
    "help aud",
    "audit push --remote ",
    "-- x",
  ),
  "sdk-options": [
    JSON.stringify([
      "node",
      ["a.js"],
      {
        ...{ agent: "a", vault: "v", keyFile: "k", auditTo: "fd:3", group: ["g"], only: ["g/N"], pass: [] },
        ...{
          inject: { A: "g/N" },
          file: { B: "g/N" },
          pipe: { C: "g/N" },
          env: { D: "x" },
          cwd: ".",
          stdin: "ignore",
        },
        ...{
          cleanEnv: true,
          strictEnv: false,
          allowExpired: true,
          stdout: "capture",
          stderr: "inherit",
          onLeak: "kill",
        },
      },
    ]),
    JSON.stringify(["sh", [], { key: "AGE-SECRET-KEY-1", input: "x", signal: {} }]),
  ],
  report: ["</script><!-- <script> &lt; \u2028"],
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
