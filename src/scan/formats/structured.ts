import { type FormatRule, isRandom } from "./rule.ts";

// Secrets that are told by what is around them: tokens that say what they are, and passwords in addresses.

/** What stands where a password would, in code and docs. */
const PLACEHOLDER =
  /^(?:[<[{(].*|.*[>\]})]|\$.*|%.*%?|\*+|\.+|x+|X+|_+|-+|#.*|:.*|(?:my|your|the|db|user|some|example|test|default|super)?[-_.]?(?:pass|passw|passwd|password|passwort|pwd|pw|secret|token|apikey|api[-_]?key|key|user|username|admin|root|guest|postgres|mysql|redis|mongo|changeme|change[-_]me|example|foo|bar|baz|test|placeholder|redacted|hidden|null|none|undefined|string|value)[-_.]?\d{0,4}(?:here)?)$/i;

export function isPassword(text: string): boolean {
  return text.length >= 3 && !PLACEHOLDER.test(text) && !/[$%]\{|\{\{|<%|%[sd]|\$\(/.test(text);
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
    form: /(?:(?:Server|Data Source|Host|Addr(?:ess)?|Database|User ?Id|Uid|Username|Endpoint|jdbc:[a-z:]+\/\/[^\s"']{1,200}[?;&])[^"'`\r\n]{0,300}?[;?&] ?)(?:Password|Pwd|password)=([^;"'`\s&]{4,128})/dgi,
    isReal: isPassword,
  },
];

/** Whether the first part says how the token is signed. */
function isWebToken(token: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString());
    return (
      typeof header === "object" && header !== null && ("alg" in header || "typ" in header || "kid" in header)
    );
  } catch {
    return false;
  }
}
