import { VaultError } from "../../vault-error.ts";
import type { ArrivalFinding } from "./incoming.ts";
import type { Lost } from "./lost-lines.ts";
import type { Lacking } from "./outgoing.ts";

// What is said where a log did anything but grow.

/**
 * @param who whose log it is.
 * @param ref its ref.
 */
export function arrivalError(who: string, ref: string, remote: string, finding: ArrivalFinding): VaultError {
  switch (finding.kind) {
    case "rewritten":
      return rewritten(
        `the log of ${who} was rewritten at ${remote}: ${gone(finding.lost)}`,
        `what was fetched is kept here; find out who pushed over it, and put it back: git push --force ${remote} ${ref}`,
      );
    case "shortened":
      return rewritten(
        `the log of ${who} was cut off at ${remote}: ${gone(finding.lost)}`,
        `they are kept here; find out who removed them, and put them back: git push ${remote} ${ref}`,
      );
    case "broken":
      return rewritten(
        `a commit in the log of ${who} at ${remote} does anything but add lines: ${finding.commit}`,
        `what stands before it was taken; find out who pushed it, and put that back: git push --force ${remote} ${ref}`,
      );
  }
}

export function lackingError(who: string, remote: string, lacking: Lacking): VaultError {
  if (lacking.gone.lines > 0) {
    return rewritten(
      `the log here is not what was pushed of ${who}: ${gone(lacking.gone)}`,
      "nothing more of it is pushed; see it with vault-run audit; docs/CLI.md says how to put a lost log back",
    );
  }
  if (lacking.isSure) {
    return rewritten(
      `another machine pushes as ${who}: ${remote} has ${counted(lacking.foreign)}, that were never in the log here`,
      "nothing more of it is pushed; give one of the two another host name, or a key of its own (vault-run rekey)",
    );
  }
  return rewritten(
    `the log here lacks what ${remote} has of ${who}: ${counted(lacking.foreign)}`,
    "if another machine has this name, rename one; if the log here was lost, docs/CLI.md says how to put it back",
  );
}

/** The remote itself said no. */
export function pushError(who: string, remote: string, reason: string): VaultError {
  return new VaultError(
    "git-failed",
    `${remote} did not take the log of ${who}: ${reason}`,
    "whoever pushes needs the right to make and move refs in refs/vault-run/audit/",
  );
}

function rewritten(message: string, hint: string): VaultError {
  return new VaultError("audit-rewritten", message, hint);
}

function gone(lost: Lost): string {
  return `${counted(lost)}, ${lost.lines === 1 ? "is" : "are"} gone`;
}

function counted({ lines, first }: Lost): string {
  const since =
    first === undefined ? "" : `, ${lines === 1 ? "" : "the first "}of ${first.replace("T", " ")} UTC`;
  return `${lines} ${lines === 1 ? "line" : "lines"}${since}`;
}
