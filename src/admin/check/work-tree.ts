import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { AS_IT_IS, type FileAttribute, findAttributes } from "../../git/attributes.ts";
import type { Repository } from "../../git/repository.ts";
import { shellWord } from "../../vault/names.ts";
import { findPlace } from "../../vault/paths.ts";
import { ATTRIBUTES_PATH, journalPath } from "../journal.ts";
import type { Finding } from "./finding.ts";

/**
 * What git and an interrupted operation say of the vault's folder: what stands there is not what others will get.
 *
 * @param paths of the files in it.
 */
export async function checkWorkTree(
  repository: Repository,
  root: string,
  paths: readonly string[],
): Promise<Finding[]> {
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
      next: `see them, then commit or restore them: git status ${shellWord(folder)}`,
    });
  }
  return [...findings, ...(await checkAttributes(repository, root, paths))];
}

async function checkAttributes(
  repository: Repository,
  root: string,
  paths: readonly string[],
): Promise<Finding[]> {
  const records = paths.filter((path) => findPlace(path) !== undefined).map((path) => join(root, path));
  const attributes = await findAttributes(repository, records);
  const certain = attributes.filter(({ does }) => does !== "convert-on-some");
  const findings = [...Map.groupBy(certain, ({ attribute }) => attribute).values()].map(attributesFinding);
  const isMissing = !existsSync(join(root, ATTRIBUTES_PATH));
  if (isMissing || certain.length < attributes.length) {
    findings.push({
      level: "note",
      kind: "attributes",
      where: ATTRIBUTES_PATH,
      what: `git may change line ends in records: ${isMissing ? "no" : "nothing says otherwise in"} .vault/${ATTRIBUTES_PATH}`,
      next: isMissing ? "the next change by vault-run puts it back" : `put this line into it: ${AS_IT_IS}`,
    });
  }
  return findings;
}

/** Of one attribute, wherever it is said: a .gitattributes in the vault or above it, or a setting of this machine's alone. */
function attributesFinding([first, ...more]: readonly FileAttribute[]): Finding {
  const { path = "", attribute = "", does } = first ?? {};
  const effect =
    does === "merge" ? "git would mix two versions of a record" : "git would change the bytes of a record";
  const others = more.length === 0 ? "" : ` and ${more.length} more`;
  return {
    level: "error",
    kind: "attributes",
    where: path,
    what: `${effect}, by the attribute ${attribute}: ${path}${others}`,
    next: `see who says so (git check-attr -a ${shellWord(path)}) and take it out, or put this line into .vault/${ATTRIBUTES_PATH}: ${AS_IT_IS}`,
  };
}
