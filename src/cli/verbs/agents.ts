import { AUDIT_TO, CHANGES, JSON_OUT, OWNER_KEY, out, READS, VAULT, YES } from "./options.ts";
import type { Verb } from "./verb.ts";

// Who reads.

export const AGENTS_VERBS: readonly Verb[] = [
  {
    name: "add-agent",
    takes: "<agent>",
    about: "make an agent and its key file",
    options: [
      out("your configuration folder"),
      { flag: "--description TEXT", about: "what this agent is" },
      ...CHANGES,
    ],
    examples: [
      "vault-run add-agent crawler --out crawler.key",
      "vault-run add-agent crawler --out - | ssh host 'umask 077; cat > crawler.key'",
    ],
    load: () => import("../commands/add-agent.ts"),
  },
  {
    name: "remove-agent",
    takes: "<agent>",
    about: "remove an agent and give new keys to every group it had",
    options: [...CHANGES, JSON_OUT],
    examples: ["vault-run remove-agent crawler"],
    load: () => import("../commands/remove-agent.ts"),
  },
  {
    name: "rekey",
    takes: "[agent]",
    about: "a new key in place of one that others may have, and new keys for every group that it opened",
    options: [
      { flag: "--owner", about: "your own key instead of an agent's" },
      { flag: "--passphrase", about: "put one on your new key (asked for anyway where the old one has one)" },
      out("beside your other keys"),
      ...CHANGES,
      JSON_OUT,
    ],
    examples: ["vault-run rekey crawler --out crawler.key", "vault-run rekey --owner"],
    load: () => import("../commands/rekey.ts"),
  },
  {
    name: "restore",
    takes: "<agent>",
    about: "the agent's own key file back, from escrow; recorded",
    options: [out("your configuration folder"), VAULT, OWNER_KEY, AUDIT_TO, YES],
    examples: ["vault-run restore crawler --out crawler.key"],
    load: () => import("../commands/restore.ts"),
  },
  {
    name: "agents",
    takes: "",
    about: "list the agents and their groups",
    options: READS,
    examples: ["vault-run agents --json"],
    load: () => import("../commands/agents.ts"),
  },
];
