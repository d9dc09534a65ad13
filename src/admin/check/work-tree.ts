import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import type { Repository } from "../../git/repository.ts";
import { ATTRIBUTES_PATH, journalPath } from "../journal.ts";
import type { Finding } from "./finding.ts";

/** What git and an interrupted operation say of the vault's folder: what stands there is not what others will get. */
export async function checkWorkTree(repository: Repository, root: string): Promise<Finding[]> {
  const folder = relative(repository.workTree, root);
  const findings: Finding[] = [];
  if (existsSync(journalPath(join(repository.gitFolder, "vault-run")))) {
    findings.push({
      level: "error",
      kind: "interrupted",
      where: journalPath(join(repository.gitFolder, "vault-run")),
      what: "an operation was interrupted and waits to be finished",
      next: "run any verb that changes the vault: it finishes the operation",
    });
  }
  const changed = await repository.changedFiles(folder);
  if (changed.length > 0) {
    findings.push({
      level: "note",
      kind: "uncommitted",
      where: folder,
      what:
        changed.length === 1
          ? `a file in .vault differs from the last commit: ${changed[0]}`
          : `${changed.length} files in .vault differ from the last commit: ${changed[0]} and ${changed.length - 1} more`,
      next: `see them, then commit or restore them: git status ${folder}`,
    });
  }
  if (!existsSync(join(root, ATTRIBUTES_PATH))) {
    findings.push({
      level: "note",
      kind: "attributes",
      where: ATTRIBUTES_PATH,
      what: `git may change line ends in records: no .vault/${ATTRIBUTES_PATH}`,
      next: "the next change by vault-run puts it back",
    });
  }
  return findings;
}
