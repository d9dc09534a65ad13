import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HookEvent } from "../../git/hooks.ts";
import { SCANS } from "./hook-file.ts";

// Programs that own a repository's hooks: what is written into their folder they write over. They are told what to run, in
// their own file, which is the user's.

export interface Manager {
  readonly name: "husky" | "lefthook" | "pre-commit";
  /** The file that says what it runs. */
  readonly file: string;
  /** What to add there, line by line. */
  readonly lines: readonly string[];
  /** Whether it is there. */
  readonly isAdded: boolean;
}

/** A range from there is all of the history: of a branch that the other side has nothing of the framework names no beginning. */
const NOTHING = "0".repeat(40);
const LEFTHOOK_FILES = [
  "lefthook.yml",
  ".lefthook.yml",
  "lefthook.yaml",
  ".lefthook.yaml",
  ".config/lefthook.yml",
];

/**
 * The manager that rules the hooks of a work tree.
 *
 * @param top the work tree's top.
 * @param hooks the folder that git reports.
 * @param present the text of the hook that is there, if one is.
 */
export function findManager(
  top: string,
  hooks: string,
  present: string,
  event: HookEvent,
): Manager | undefined {
  if (/(?:^|\/)\.husky(?:\/_)?$/.test(hooks)) return huskyIn(hooks, event);
  const lefthook = LEFTHOOK_FILES.find((file) => existsSync(join(top, file)));
  if (lefthook !== undefined || /\blefthook\b/.test(present))
    return lefthookIn(top, lefthook ?? "lefthook.yml", event);
  if (existsSync(join(top, ".pre-commit-config.yaml")) || present.includes("pre-commit.com"))
    return preCommitIn(top, event);
  return undefined;
}

function huskyIn(hooks: string, event: HookEvent): Manager {
  const folder = hooks.replace(/\/_$/, "");
  return manager("husky", join(folder, event), [SCANS[event]], SCANS[event]);
}

function lefthookIn(top: string, file: string, event: HookEvent): Manager {
  const lines = [
    `${event}:`,
    "  commands:",
    "    vault-run:",
    `      run: ${SCANS[event]}`,
    ...(event === "pre-push" ? ["      use_stdin: true"] : []),
  ];
  return manager("lefthook", join(top, file), lines, SCANS[event]);
}

function preCommitIn(top: string, event: HookEvent): Manager {
  // The framework keeps what git says on standard input to itself, and gives the range in variables.
  const scan =
    event === "pre-push"
      ? `sh -c 'vault-run scan --range "\${PRE_COMMIT_FROM_REF:-${NOTHING}}..\${PRE_COMMIT_TO_REF:-HEAD}"'`
      : SCANS[event];
  const lines = [
    "repos:",
    "  - repo: local",
    "    hooks:",
    `      - id: vault-run-${event}`,
    "        name: vault-run scan",
    `        entry: ${scan}`,
    "        language: system",
    `        stages: [${event}]`,
    "        always_run: true",
    "        pass_filenames: false",
  ];
  return manager("pre-commit", join(top, ".pre-commit-config.yaml"), lines, `id: vault-run-${event}`);
}

function manager(name: Manager["name"], file: string, lines: readonly string[], sign: string): Manager {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const isAdded = text.split("\n").some((line) => line.includes(sign) && !line.trim().startsWith("#"));
  return { name, file, lines, isAdded };
}
