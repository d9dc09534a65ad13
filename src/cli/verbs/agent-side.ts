import { AUDIT_TO, asAgent, KEY_FILE, VAULT } from "./options.ts";
import type { Verb } from "./verb.ts";

const CLIENTS = ["claude-code", "claude-desktop", "codex", "cursor", "vscode"];
const SIGNALED = { "128 + n": "signal n ended it" };

// What stands beside the launcher on an agent's side.

export const AGENT_SIDE_VERBS: readonly Verb[] = [
  {
    name: "redact",
    takes: "",
    about: "pass standard input on to standard output, with what an agent was granted masked",
    options: [
      VAULT,
      asAgent("mask what this agent was granted"),
      KEY_FILE,
      { flag: "--group G", about: "only this group; repeatable", multiple: true },
      { flag: "--only GROUP/NAME", about: "only this secret; repeatable", multiple: true },
      AUDIT_TO,
      { flag: "--quiet", about: "do not say at the end what was masked" },
    ],
    examples: [
      "journalctl -f | vault-run redact --agent crawler",
      "vault-run redact --agent crawler --only stripe/API_KEY < app.log",
    ],
    statuses: SIGNALED,
    load: () => import("../commands/redact.ts"),
  },
  {
    name: "mcp",
    takes: "",
    about:
      "serve an agent's secrets to an MCP client on standard input and output: used by the model, not seen",
    options: [
      asAgent("whose secrets"),
      KEY_FILE,
      VAULT,
      { flag: "--rate N", about: "how often one secret may be used within a minute (default: 60)" },
      {
        flag: "--allow-loopback",
        about: "let http_request go to localhost, by http too, for development",
      },
      AUDIT_TO,
      {
        flag: "--print-config CLIENT",
        about: `print what this client needs to start it, and serve nothing: ${CLIENTS.join(", ")}`,
        choices: CLIENTS,
      },
    ],
    examples: ["vault-run mcp --agent crawler", "vault-run mcp --agent crawler --print-config claude-code"],
    statuses: SIGNALED,
    load: () => import("../commands/mcp.ts"),
  },
];
