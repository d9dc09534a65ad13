import { CHANGES, JSON_OUT, READS } from "./options.ts";
import type { Verb } from "./verb.ts";

// Who may read what.

export const ACCESS_VERBS: readonly Verb[] = [
  {
    name: "grant",
    takes: "<agent> <group>",
    about: "let an agent open a group",
    options: [{ flag: "--expires WHEN", about: "90d, 12h, 2027-01-31 or an RFC 3339 time" }, ...CHANGES],
    examples: ["vault-run grant crawler stripe", "vault-run grant crawler stripe --expires 30d"],
    load: () => import("../commands/grant.ts"),
  },
  {
    name: "policy",
    takes: "<group>",
    about: "show or change what a model may do with a group's secrets through vault-run mcp",
    options: [
      { flag: "--reveal", about: "let get_secret show the values" },
      { flag: "--no-reveal", about: "keep them hidden again (the default)" },
      {
        flag: "--allow-command CMD",
        about: "run_with_secrets starts only commands that begin with these words ('gh api'); repeatable",
        multiple: true,
      },
      { flag: "--forbid-command CMD", about: "take such a beginning out again; repeatable", multiple: true },
      { flag: "--any-command", about: "bind the group to no commands any more" },
      {
        flag: "--allow-origin ORIGIN",
        about: "http_request may send these secrets there, https://api.example.org; repeatable",
        multiple: true,
      },
      { flag: "--forbid-origin ORIGIN", about: "take an origin out again; repeatable", multiple: true },
      ...CHANGES,
      JSON_OUT,
    ],
    examples: [
      "vault-run policy stripe --allow-origin https://api.stripe.com",
      "vault-run policy github --allow-command gh --no-reveal",
      "vault-run policy stripe",
    ],
    load: () => import("../commands/policy.ts"),
  },
  {
    name: "revoke",
    takes: "<agent> <group>",
    about: "take a group from an agent: new group key, every secret sealed again, rotation list printed",
    options: [...CHANGES, JSON_OUT],
    examples: ["vault-run revoke crawler stripe"],
    load: () => import("../commands/revoke.ts"),
  },
  {
    name: "rotation",
    takes: "",
    about: "which current values someone no longer authorised could have read",
    options: READS,
    examples: ["vault-run rotation"],
    statuses: { 1: "refused, or there is something to replace" },
    load: () => import("../commands/rotation.ts"),
  },
];
