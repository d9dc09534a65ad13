import type { HookEvent } from "../../git/hooks.ts";
import type { Console } from "../console.ts";
import type { Guard } from "./guards.ts";

/** What git makes without the hooks of COMMIT_EVENTS. */
export const WITHOUT_HOOK =
  "not what cherry-pick, revert, rebase and am make; for that: vault-run hook install --on pre-push";

export function sayInstalled(console: Console, { event, path }: Guard): void {
  console.say(`every ${SUBJECTS[event]} is looked through: ${path}`);
}

const SUBJECTS: Readonly<Record<HookEvent, string>> = {
  "pre-commit": "git commit",
  "pre-merge-commit": "git merge",
  "pre-push": "push",
  "pre-receive": "push that comes in",
};
