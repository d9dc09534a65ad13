import type { Pins } from "../../vault/pins.ts";
import type { Finding } from "./finding.ts";

/** Records that were read although this machine has seen newer ones, as another branch of the owner's has those. */
export function checkBranches(pins: Pins): Finding[] {
  return [...pins.newerElsewhere].map(([path, branch]) => ({
    level: "note",
    kind: "branch",
    where: path,
    what: `branch ${branch} has a newer one: .vault/${path}`,
    next: `merge it when it is to count here: git merge ${branch}`,
  }));
}
