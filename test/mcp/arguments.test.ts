import { describe, expect, it } from "vitest";
import { parseArguments } from "../../src/mcp/arguments.ts";
import * as http from "../../src/mcp/http/schemas.ts";
import * as run from "../../src/mcp/run-schemas.ts";
import { hasControls } from "../../src/vault/names.ts";
import { VaultError } from "../../src/vault-error.ts";

const REQUEST = { method: "GET", url: "https://a.example", auth: { as: "bearer", secret: "a/B" } };
const SENT = "sk_live_sent\u001b[2J";

describe("arguments that do not fit", () => {
  it.each([
    ["the name of a header", http.input, { ...REQUEST, headers: { [SENT]: "x" } }],
    ["the name of a header with another value", http.input, { ...REQUEST, headers: { [SENT]: 1 } }],
    ["a header's value", http.input, { ...REQUEST, headers: { "X-A": SENT } }],
    ["the name of a field", http.input, { ...REQUEST, [SENT]: 1 }],
    ["the name of a field within", http.input, { ...REQUEST, auth: { ...REQUEST.auth, [SENT]: 1 } }],
    ["a choice", http.input, { ...REQUEST, method: SENT, auth: { as: SENT } }],
    ["a secret", run.input, { command: ["true"], secrets: [SENT, { name: SENT, as: SENT, variable: SENT }] }],
  ])("are refused without what was sent: %s", (_, schema, given) => {
    let refusal: unknown;
    try {
      parseArguments(schema, given);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(VaultError);
    const { code, message, hint } = refusal as VaultError;
    expect(code).toBe("usage");
    expect(message + hint).not.toContain("sk_live");
    expect(hasControls(message + hint)).toBe(false);
  });
});
