import { AUDIT_ACTIONS } from "../../audit/actions.ts";
import { OWNER_KEY, READS, SHARES, VAULT } from "./options.ts";
import type { Verb } from "./verb.ts";

// Who pulled what.

export const AUDIT_VERBS: readonly Verb[] = [
  {
    name: "audit",
    takes: "",
    about: "who pulled what, on every machine whose log can be found, and whether the lines hold",
    options: [
      { flag: "--agent NAME", about: "only lines by this agent, or about it" },
      { flag: "--secret GROUP/NAME", about: "only lines about this secret" },
      { flag: "--group NAME", about: "only lines about this group" },
      { flag: "--since WHEN", about: "from then on: 90d (back from now), 2027-01-31 or an RFC 3339 time" },
      { flag: "--until WHEN", about: "before then" },
      {
        flag: "--action WORD",
        about: `only lines of this action: pull (all by which values were given), ${AUDIT_ACTIONS.join(", ")}; repeatable`,
        choices: ["pull", ...AUDIT_ACTIONS],
        multiple: true,
      },
      { flag: "--host HOST", about: "only lines of this machine" },
      { flag: "--key FINGERPRINT", about: "only lines signed with this key" },
      { flag: "--totals", about: "how often who pulled which secret, and what was refused" },
      { flag: "--could-read", about: "what each agent could have read, beside what it did read" },
      { flag: "--unpulled AGE", about: "the secrets that nobody pulled for that long: 90d, 12h, 8w" },
      { flag: "--leaks", about: "what was masked in whose output" },
      ...READS,
    ],
    examples: [
      "vault-run audit --since 7d",
      "vault-run audit --secret stripe/API_KEY --totals     # who pulled it",
      "vault-run audit --agent crawler --could-read",
      "vault-run audit --unpulled 90d",
    ],
    statuses: { 1: "refused, or something is wrong with the lines" },
    load: () => import("../commands/audit.ts"),
  },
  {
    name: "audit push",
    takes: "",
    about: "publish this machine's log through git, for the owner and as a witness; needs no key",
    options: SHARES,
    examples: ["vault-run audit push", "vault-run audit push --remote backup"],
    statuses: { 1: "refused, or something is wrong with a log" },
    load: () => import("../commands/audit-push.ts"),
  },
  {
    name: "audit fetch",
    takes: "",
    about: "bring the logs that others pushed",
    options: SHARES,
    examples: ["vault-run audit fetch && vault-run audit"],
    statuses: { 1: "refused, or a log did anything but grow" },
    load: () => import("../commands/audit-fetch.ts"),
  },
  {
    name: "report",
    takes: "",
    about: "one page for a browser: who may read what, who pulled what, what is due, what is wrong",
    options: [
      {
        flag: "--html FILE",
        about: "where the page goes, - for standard output; an older report is replaced",
      },
      { flag: "--open", about: "show it in the browser (without --html it is kept in your state folder)" },
      VAULT,
      OWNER_KEY,
    ],
    examples: ["vault-run report --open", "vault-run report --html report.html"],
    statuses: { 1: "refused, or no browser could be opened" },
    load: () => import("../commands/report.ts"),
  },
];
