import { describe, expect, it } from "vitest";
import { allowsCommand, formatCommandRule, parseCommandRule, parseOrigin } from "../../src/vault/policy.ts";
import { VaultError } from "../../src/vault-error.ts";

describe("a rule for commands", () => {
  it("is words with spaces between them, or a JSON array", () => {
    expect(parseCommandRule("gh  api")).toEqual(["gh", "api"]);
    expect(parseCommandRule('["node", "a script.js"]')).toEqual(["node", "a script.js"]);
    for (const rule of [["gh", "api"], ["/opt/my tools/run"], ["jq", '"a"'], ["[", "x"]] as const)
      expect(parseCommandRule(formatCommandRule(rule))).toEqual(rule);
  });

  it.each(["", " ", "[]", "[1]", '["a", ""]', "[", "bin/deploy", "./gh", "../gh", "gh\napi"])(
    "is not %j",
    (text) => {
      expect(() => parseCommandRule(text)).toThrow(VaultError);
    },
  );

  it("allows what begins with its words, word by word", () => {
    const policy = { commands: [["gh", "api"], ["true"]] };
    expect(allowsCommand(policy, ["gh", "api", "/user"])).toBe(true);
    expect(allowsCommand(policy, ["true"])).toBe(true);
    for (const command of [
      ["gh"],
      ["gh", "apix"],
      ["./gh", "api"],
      ["sh", "-c", "gh api"],
      ["env", "gh", "api"],
    ])
      expect(allowsCommand(policy, command), command.join(" ")).toBe(false);
    expect(allowsCommand({}, ["sh"])).toBe(true);
    expect(allowsCommand({ commands: [] }, ["sh"])).toBe(false);
  });
});

describe("an origin", () => {
  it("is scheme, host and port", () => {
    expect(parseOrigin("https://api.example.org")).toBe("https://api.example.org");
    expect(parseOrigin("https://api.example.org/")).toBe("https://api.example.org");
    expect(parseOrigin("https://api.example.org:8443")).toBe("https://api.example.org:8443");
    expect(parseOrigin("http://127.0.0.1:8080")).toBe("http://127.0.0.1:8080");
    expect(parseOrigin("http://localhost:8080")).toBe("http://localhost:8080");
  });

  it.each([
    "",
    "api.example.org",
    "https://api.example.org/v1",
    "https://api.example.org?x",
    "https://user@api.example.org",
    "https://api.example.org:443",
    "https://API.example.org",
    "https://*.example.org",
    "http://api.example.org",
    "http://localhost.example.org",
    "http://127.0.0.1.example.org",
    "http://2130706433",
    "file:///etc",
    "data:x",
  ])("is not %j", (text) => {
    expect(() => parseOrigin(text)).toThrow(VaultError);
  });

  it("is never repeated with what may be a secret in it", () => {
    for (const text of [
      "https://user:hunter2@api.example.org",
      "https://user:1/hunter2@api.example.org",
      "https://user:1?hunter2@api.example.org",
      "https://user:hunter2@",
      "user:hunter2@api.example.org",
      "http://user:hunter2@api.example.org",
      "https:\\\\user:hunter2@api.example.org",
      "https://api.example.org/hooks/hunter2",
      "https://api.example.org?key=hunter2",
      "https://api.example.org#hunter2",
    ]) {
      const { message, hint } = refusalOf(text);
      expect(`${message} ${hint}`, text).not.toMatch(/hunter2|user/);
    }
    expect(refusalOf("https://user:hunter2@api.example.org").hint).toContain("https://api.example.org");
    expect(refusalOf("https://API.example.org").message).toContain("API.example.org");
  });
});

function refusalOf(text: string): VaultError {
  try {
    parseOrigin(text);
  } catch (error) {
    if (error instanceof VaultError) return error;
    throw error;
  }
  throw new Error(`taken for an origin: ${text}`);
}
