import { AUDIT_TO, VAULT } from "./options.ts";
import type { Verb } from "./verb.ts";

// What stands beside the launcher on an agent's side.

export const AGENT_SIDE_VERBS: readonly Verb[] = [
  {
    name: "redact",
    takes: "",
    about: "pass standard input on to standard output, with what an agent was granted masked",
    options: [
      VAULT,
      { flag: "--agent NAME", about: "mask what this agent was granted (VAULT_RUN_AGENT)" },
      { flag: "--key-file FILE", about: "the agent's key file" },
      { flag: "--group G", about: "only this group; repeatable", multiple: true },
      { flag: "--only GROUP/NAME", about: "only this secret; repeatable", multiple: true },
      AUDIT_TO,
      { flag: "--quiet", about: "do not say at the end what was masked" },
    ],
    examples: [
      "journalctl -f | vault-run redact --agent crawler",
      "vault-run redact --agent crawler --only stripe/API_KEY < app.log",
    ],
    load: () => import("../commands/redact.ts"),
  },
  {
    name: "mcp",
    takes: "",
    about:
      "serve an agent's secrets to an MCP client on standard input and output: used by the model, not seen",
    options: [
      { flag: "--agent NAME", about: "whose secrets (VAULT_RUN_AGENT)" },
      { flag: "--key-file FILE", about: "the agent's key file" },
      VAULT,
      { flag: "--rate N", about: "how often one secret may be used within a minute (default: 60)" },
      {
        flag: "--allow-loopback",
        about: "let http_request go to localhost, by http too, for development",
      },
      AUDIT_TO,
      {
        flag: "--print-config CLIENT",
        about: "print what a client needs to start it, and serve nothing",
        choices: ["claude-code", "claude-desktop", "codex", "cursor", "vscode"],
      },
    ],
    examples: ["vault-run mcp --agent crawler", "vault-run mcp --agent crawler --print-config claude-code"],
    load: () => import("../commands/mcp.ts"),
  },
];
