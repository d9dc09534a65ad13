import { asAgent, CHANGES, JSON_OUT, KEY_FILE, READS, YES } from "./options.ts";
import type { Verb } from "./verb.ts";

// What must not leave in a commit.

export const GUARD_VERBS: readonly Verb[] = [
  {
    name: "scan",
    takes: "[path...]",
    about: "look for keys, the vault's own values and other secrets before they leave",
    options: [
      { flag: "--staged", about: "what the next commit would hold, as it is staged" },
      { flag: "--range A..B", about: "what the commits behind A up to B brought, and their messages" },
      { flag: "--history", about: "every commit there is, of all branches and tags" },
      { flag: "--pushed", about: "what git tells a pre-push or pre-receive hook on standard input" },
      {
        flag: "--remote NAME",
        about: "with --pushed, where a push goes: what was fetched from there is passed over",
      },
      { flag: "--sarif", about: "print SARIF 2.1.0, for code hosts" },
      asAgent("look for what this agent was granted instead of all values"),
      KEY_FILE,
      ...READS,
    ],
    examples: [
      "vault-run scan --staged",
      "vault-run scan --range origin/main..HEAD --sarif > scan.sarif",
      "vault-run scan --history --json",
      "git diff | vault-run scan -",
    ],
    statuses: { 1: "refused, or something was found" },
    load: () => import("../commands/scan.ts"),
  },
  {
    name: "allow",
    takes: "[fingerprint]",
    about: "let scan pass over a finding that is no secret, with a reason; list what is allowed",
    options: [
      { flag: "--reason TEXT", about: "why it is no secret; needed to allow" },
      { flag: "--remove", about: "no longer pass over it" },
      ...CHANGES,
      JSON_OUT,
    ],
    examples: [
      "vault-run allow",
      "vault-run allow FINGERPRINT --reason documentation",
      "vault-run allow FINGERPRINT --remove",
    ],
    load: () => import("../commands/allow.ts"),
  },
  {
    name: "hook",
    takes: "<action>",
    about: "have git run scan before a commit or a push: install, uninstall or status",
    options: [
      {
        flag: "--on EVENT",
        about:
          "pre-commit and pre-merge-commit (default), pre-push, or pre-receive (default on a server); repeatable",
        choices: ["pre-commit", "pre-merge-commit", "pre-push", "pre-receive"],
        multiple: true,
      },
      YES,
      JSON_OUT,
    ],
    examples: ["vault-run hook install", "vault-run hook install --on pre-push", "vault-run hook status"],
    statuses: { 1: "refused, or a line is left for you to put in or take out" },
    load: () => import("../commands/hook.ts"),
  },
];
