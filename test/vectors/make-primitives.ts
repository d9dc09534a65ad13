import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Identity, parseRecipient } from "../../src/age/identity.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { keyFingerprint } from "../../src/vault/fingerprint.ts";
import { parseKeyFile } from "../../src/vault/key-file.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { findPlace } from "../../src/vault/paths.ts";
import { isDescription } from "../../src/vault/schema.ts";
import { isTimestamp } from "../../src/vault/time.ts";
import { isUnsafeVariable } from "../../src/vault/unsafe-names.ts";
import { makeSpellings } from "./make-spellings.ts";
import type { Made } from "./make-vault.ts";
import type { Primitives } from "./vectors.ts";

/** What both sides make of single texts: identities, recipients, times, names, key files. */
export function makePrimitives(made: readonly Made[]): Primitives {
  const keyFiles = made.map(({ owner }) => owner.keys.fresh ?? "");
  const identities = keyFiles.flatMap((text) => text.split("\n").filter((line) => line.startsWith("AGE-")));
  const recipients = made.map(({ files }) =>
    String(JSON.parse(files["agents/fresh/agent.json"] ?? "{}").recipient),
  );
  return {
    identities: identities.flatMap(nearly).map(identityOf),
    recipients: recipients.flatMap(nearly).map(judged((text) => parseRecipient(text) !== undefined)),
    times: TIMES.map(judged(isTimestamp)),
    descriptions: DESCRIPTIONS.map(judged(isDescription)),
    recordPaths: PATHS.map(judged((text) => findPlace(text) !== undefined)),
    refs: REFS.map(judged((text) => doesNotThrow(() => parseSecretRef(text)))),
    unsafeVariables: VARIABLES.map(judged(isUnsafeVariable)),
    spellings: makeSpellings(),
    keyFiles: keyFiles.flatMap(keyFilesLike).map((text) => ({ text, pins: pinsIn(text) })),
  };
}

const TIMES = [
  "2026-11-23T21:35:05.972Z",
  "2024-02-29T00:00:00.000Z",
  "2026-02-29T00:00:00.000Z",
  "2000-02-29T00:00:00.000Z",
  "1900-02-29T00:00:00.000Z",
  "0000-01-01T00:00:00.000Z",
  "9999-12-31T23:59:59.999Z",
  "2026-04-31T00:00:00.000Z",
  "2026-00-01T00:00:00.000Z",
  "2026-13-01T00:00:00.000Z",
  "2026-01-00T00:00:00.000Z",
  "2026-01-01T24:00:00.000Z",
  "2026-01-01T23:60:00.000Z",
  "2026-01-01T23:59:60.000Z",
  "2026-01-01T00:00:00Z",
  "2026-01-01T00:00:00.0000Z",
  "2026-01-01T00:00:00.000+00:00",
  "2026-01-01 00:00:00.000Z",
  "2026-01-01t00:00:00.000z",
  "2026-01-01T00:00:00.000Z\n",
  "２０２６-01-01T00:00:00.000Z",
  "",
];
const DESCRIPTIONS = [
  "x",
  'signs "events" and \\ more',
  "größe 密码 🔑",
  "x".repeat(1024),
  "x".repeat(1025),
  "ü".repeat(512),
  "ü".repeat(513),
  "",
  "a\nb",
  "a\u0000b",
  "a\u007fb",
  "a\u0085b",
  "a\u00a0b",
  "a\u061cb",
  "a\u200eb",
  "a\u200db",
  "a\u2028b",
  "a\u202eb",
  "a\u2066b",
  "a\u206ab",
  "a\ufeffb",
  "a\n",
];
const PATHS = [
  "vault.json",
  "allow.json",
  "other.json",
  "agents/a/agent.json",
  "agents/a/group.json",
  "groups/a/group.json",
  "groups/a/agent.json",
  "agents/a/grants/b.json",
  "agents/a/secrets/b.json",
  "groups/a/secrets/B.json",
  "groups/a/grants/b.json",
  "agents/A/agent.json",
  "agents/-a/agent.json",
  "agents/../agent.json",
  "agents/.a/agent.json",
  "agents/a_b.c-d/agent.json",
  `agents/${"a".repeat(64)}/agent.json`,
  `agents/${"a".repeat(65)}/agent.json`,
  "groups/a/secrets/9B.json",
  `groups/a/secrets/${"B".repeat(128)}.json`,
  `groups/a/secrets/${"B".repeat(129)}.json`,
  "groups/a/secrets/B.JSON",
  "groups/a/secrets/B.json/C.json",
  "groups//group.json",
  "/groups/a/group.json",
  "groups/a\n/group.json",
  "groups/a/secrets/B\n.json",
];
const REFS = [
  "a/B",
  "a/b",
  "A/B",
  "a/9B",
  "a",
  "a/",
  "/B",
  "a/B/C",
  "a/B=value",
  "a/B\n",
  "..//B",
  "a.b-c_d/_",
  "ä/B",
];
const FORMAT = readFileSync(join(import.meta.dirname, "../../docs/FORMAT.md"), "utf8");
const [, UNSAFE = ""] = /^## Appendix: unsafe variables$.*?^```text\n(.*?)^```/ms.exec(FORMAT) ?? [];
const VARIABLES = [
  ...UNSAFE.trim().split(/\s/),
  "path",
  "API_KEY",
  "LD_PRELOAD",
  "ld_audit",
  "LDAP_PASSWORD",
  "VAULT_RUN_KEY",
  "NPM_CONFIG_REGISTRY",
  "NPM_TOKEN",
  "GIT_CONFIG_COUNT",
  "GIT_TOKEN",
  "NODE_AUTH_TOKEN",
  "CARGO_REGISTRY_TOKEN",
  "CARGO_BUILD_JOBS",
  "LUA_PATH_5_4",
  "lua_init_5_4",
  "DOTNET_ROOT_X64",
  "DOTNET_TOKEN",
  "CORECLR_PROFILER_PATH",
  "COR_PROFILER",
  "COR_TOKEN",
  "pnpm_config_registry",
  "PNPM_TOKEN",
  "KUBECONFIG",
  "AWS_CONFIG_FILE",
];

/** The text, and others of which all but one or two are none. */
function nearly(text: string): string[] {
  const data = text.lastIndexOf("1") + 1;
  const swapped = text[data + 8] === "Q" || text[data + 8] === "q" ? "p" : "q";
  const other = text === text.toUpperCase() ? swapped.toUpperCase() : swapped;
  return [
    text,
    text.slice(0, data + 8) + other + text.slice(data + 9),
    text.toUpperCase() === text ? text.toLowerCase() : text.toUpperCase(),
    text.slice(0, -1),
    `${text}${text.at(-1)}`,
    `${text}\n`,
    ` ${text}`,
    `${text.slice(0, data + 4)}1${text.slice(data + 5)}`,
    `${text.slice(0, data + 4)}é${text.slice(data + 5)}`,
    "",
  ];
}

const NEARLY_AGENT = [
  ...[
    "agents",
    "agen",
    "aagent",
    "gent",
    "agnet",
    "gaent",
    "agant",
    "#agent",
    "AGENT",
    "AgEnts",
    "agentẞ",
    "äagent",
  ],
  ...[
    "agentes",
    "gaetn",
    "ag-ntx",
    "tnega",
    "vaults",
    "valut",
    "onwer",
    "former_owner",
    "former-onwer",
    "formerowner",
  ],
  ...["created", "over", "", "former-owners.", "formr-onwer"],
];

function keyFilesLike(text: string): string[] {
  const line = (from: string) => text.split("\n").find((it) => it.startsWith(from)) ?? "";
  const with_ = (pin: string) => text.replace("# agent: fresh", pin);
  return [
    text,
    text.trimEnd(),
    text.replaceAll("\n", "\r\n"),
    text.replaceAll("\n", "\n\n"),
    `\ufeff${text}`,
    text.replace(/^AGE/m, "\u3000 AGE"),
    text.replace("# agent: fresh", "#agent:fresh"),
    text.replace("# agent: fresh", "#\u00a0agent\t:\u2003fresh  "),
    with_("# agent: Fresh"),
    with_("# agent: fresh friend"),
    with_("# agent fresh"),
    with_("# agent = fresh"),
    with_("# Agent: fresh"),
    ...NEARLY_AGENT.map((word) => with_(`# ${word}: fresh`)),
    ...["# vault-run agent: fresh", "#Vault-Run", "# vault-run agent keys: mine"].map(with_),
    ...["# for vault-run", "# vault-run owner key: another heading", "# public key: age1xyz"].map(with_),
    ...[" by ", "=", ": a", "+"].map((before) => with_(`# signs${before}${"A".repeat(43)}=`)),
    with_(`# agent: fresh\n# ${"A".repeat(43)}=`),
    with_("# agent: fresh\n# agent: fresh"),
    with_("# agent: fresh\n# note: anything: at all"),
    text.replace(line("# vault:"), "# vault: 0"),
    text.replace(line("# vault:"), `${line("# vault:")}\n${line("# vault:")}`),
    text.replace(line("# owner:"), "# owner: AAAA"),
    text.replace(line("# owner:"), `# owner: ${"A".repeat(42)}B=`),
    text.replace(line("# former-owner:"), "# former-owner: x"),
    text.replace(/^AGE.*\n/m, ""),
    `${text}${line("AGE-")}\n`,
    `${line("AGE-")}\n`,
    `${line("AGE-")} # a comment\n`,
    `-----BEGIN AGE ENCRYPTED FILE-----\n${text}`,
    "",
  ];
}

function identityOf(text: string): Primitives["identities"][number] {
  const identity = Identity.parse(text);
  if (identity === undefined) return { text, verifyKey: null, fingerprint: null };
  const { verifyKey } = SigningKey.derive(identity);
  return { text, verifyKey, fingerprint: keyFingerprint(verifyKey) };
}

function judged(accepts: (text: string) => boolean) {
  return (text: string) => ({ text, valid: accepts(text) });
}

export function pinsIn(text: string): Primitives["keyFiles"][number]["pins"] {
  try {
    const { agent, vault, owners, formerOwners } = parseKeyFile(text, "a key file");
    return {
      agent: agent ?? null,
      vault: vault ?? null,
      owners: [...owners].sort(),
      formerOwners: [...formerOwners].sort(),
    };
  } catch {
    return null;
  }
}

function doesNotThrow(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
