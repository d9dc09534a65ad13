import { resolve } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";

const SERVER = resolve(import.meta.dirname, "../fixtures/leaky-server.js");
const VALUES = {
  PLAIN: "ghp_plain0123456789token",
  ODD: 'quote " backslash \\ slash / tab\t é ✓ </script> & %22',
  PEM: `-----BEGIN KEY-----\n${"MIIEvQIBADANBgkqhkiG9w0B".repeat(3)}\n${"AQEFAASCBKcwggSjAgEAAoIB".repeat(3)}\n-----END KEY-----`,
};

it("a server that is launched keeps its framing while values are masked in what it sends", async () => {
  const program = Program.empty();
  await program.must(["init", "--classic"]);
  await program.must(["add-agent", "crawler"]);
  for (const [name, value] of Object.entries(VALUES)) await program.set(`group/${name}`, value);
  await program.must(["grant", "crawler", "group"]);
  for (const mode of ["legacy", { pin: "2026-07-28" }] as const) {
    const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
    const transport = new StdioClientTransport({
      command: "vault-run",
      args: ["--agent", "crawler", "--", "node", SERVER],
      env: program.env,
      cwd: program.repo,
      stderr: "ignore",
    });
    await client.connect(transport);
    const received: unknown[] = [client.getInstructions(), await client.listTools()];
    // Many at once: messages come in one chunk, and in parts.
    const calls = Array.from({ length: 20 }, () => client.callTool({ name: "leak", arguments: {} }));
    for (const answer of await Promise.all(calls)) {
      expect(answer.content).toHaveLength(13);
      expect(answer.structuredContent).toMatchObject({
        nested: { values: Object.keys(VALUES).map((name) => `[REDACTED:group/${name}]`) },
      });
      received.push(answer);
    }
    const text = JSON.stringify(received);
    for (const piece of ["ghp_plain", "backslash", "MIIEvQIB", "AQEFAASC", "Z2hwX3BsYWlu", "6768705f706c"])
      expect(text, piece).not.toContain(piece);
    await client.close();
  }
});
