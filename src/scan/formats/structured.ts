import { type FormatRule, isRandom } from "./rule.ts";

// Secrets that are told by what is around them: tokens that say what they are, and passwords in addresses.

/** What stands where a password would, in code and docs. */
const PLACEHOLDER =
  /^(?:[<[{(].*|.*[>\]})]|\$.*|%.*%?|\*+|\.+|x+|X+|_+|-+|#.*|:.*|(?:my|your|the|db|user|some|example|test|default|super)?[-_.]?(?:pass|passw|passwd|password|passwort|pwd|pw|secret|token|apikey|api[-_]?key|key|user|username|admin|root|guest|postgres|mysql|redis|mongo|changeme|change[-_]me|example|foo|bar|baz|test|placeholder|redacted|hidden|null|none|undefined|string|value)[-_.]?\d{0,4}(?:here)?)$/i;

const ASKS_FOR_ONE = /replace|change_?me|placeholder|example|your[_-]|insert_|_here$/i;
const MIN_PASSWORD = 4;

export function isPassword(text: string): boolean {
  if (text.length < MIN_PASSWORD || new Set(text).size < 3) return false;
  return !PLACEHOLDER.test(text) && !ASKS_FOR_ONE.test(text) && !/[$%]\{|\{\{|<%|%[sd]|\$\(/.test(text);
}

const SCHEMES =
  "postgres(?:ql)?(?:\\+\\w+)?|mysql(?:\\+\\w+)?|mariadb(?:\\+\\w+)?|mongodb(?:\\+srv)?|rediss?|amqps?|mssql(?:\\+\\w+)?|sqlserver|cockroachdb|clickhouse|couchbase|neo4j(?:\\+s)?|bolt|cassandra|nats|kafka|mqtts?|ldaps?|smtps?|imaps?|s?ftps?|ssh|git|https?|wss?|cloudinary|oracle|snowflake|db2|influxdb|elasticsearch|etcd|vnc|rdp|socks5?h?";

export const STRUCTURED_RULES: readonly FormatRule[] = [
  {
    rule: "jwt",
    what: "a JSON web token",
    anchors: ["eyJ"],
    form: /(?<![\w-])(eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{16,})(?![\w-])/dg,
    isReal: (secret) => isRandom(secret) && isWebToken(secret),
  },
  {
    rule: "jwt",
    what: "a JSON web token in base64",
    anchors: ["ZXlK"],
    form: /(?<![A-Za-z0-9+/])(ZXlK[A-Za-z0-9+/_-]{60,}={0,2})(?![A-Za-z0-9+/])/dg,
    isReal: (secret) => isWebToken(Buffer.from(secret, "base64").toString("latin1")),
  },
  {
    rule: "authorization",
    what: "a header that authorises",
    anchors: ["uthorization", "UTHORIZATION", "-Token", "-token", "pi-Key", "pi-key", "PI-KEY"],
    form: /(?:Authorization|X-Api-Key|Api-Key|X-Auth-Token|Private-Token|X-Vault-Token)["'`]?\s{0,2}[:=]\s{0,3}["'`]?(?:(?:Bearer|Basic|Token|ApiKey)\s+)?([\w+/=.~-]{16,1024})(?![\w+/=.~-])/dgi,
    isReal: (secret) => isRandom(secret) && /\d/.test(secret) && !/^[A-Za-z_.-]+\d?$/.test(secret),
  },
  {
    rule: "command-password",
    what: "a password on a command line",
    anchors: ["curl"],
    form: /\bcurl\b(?:[^\r\n|;&\\]|\\\r?\n){0,400}?\s(?:-u|--user)[ =]?["']?[^\s:"']{0,64}:([^\s"']{3,128})(?=["'\s]|$)/dgm,
    isReal: isPassword,
  },
  {
    rule: "connection-string",
    what: "an address with a password",
    anchors: ["://"],
    form: new RegExp(
      `(?<![A-Za-z0-9+.-])(?:jdbc:)?(?:${SCHEMES})://[^\\s:@/"'\`<>{}$]{0,128}:([^\\s@/"'\`<>]{3,256})@(?=[\\w[.-])`,
      "dg",
    ),
    isReal: isPassword,
  },
  {
    rule: "connection-string",
    what: "a connection string with a password",
    anchors: ["assword", "wd=", "WD=", "ASSWORD"],
    form: /(?:(?:Server|Data Source|Host|Addr(?:ess)?|Database|User ?Id|Uid|Username|Endpoint|jdbc:[a-z:]{1,40}\/\/[^\s"'?;&]{1,200}[?;&])[^"'`\r\n]{0,300}?[;?&] ?)(?:Password|Pwd|password)=([^;"'`\s&]{4,128})/dgi,
    isReal: isPassword,
  },
];

/** Whether the first part is what says how the rest is signed. */
function isWebToken(token: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString());
    return typeof header === "object" && header !== null;
  } catch {
    return false;
  }
}
