import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HookEvent } from "../../git/hooks.ts";
import { shellWord } from "../../vault/names.ts";
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
  /** What makes the manager put its own hook where git runs it, where it has not. A file that is tracked runs nothing. */
  readonly missing: string | undefined;
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
    return lefthookIn(top, lefthook ?? "lefthook.yml", hooks, event);
  if (existsSync(join(top, ".pre-commit-config.yaml")) || present.includes("pre-commit.com"))
    return preCommitIn(top, hooks, event);
  return undefined;
}

function huskyIn(hooks: string, event: HookEvent): Manager {
  const folder = hooks.replace(/\/_$/, "");
  const missing = isHook(join(hooks, event), "") ? undefined : installOf("husky", hooks, event);
  return manager("husky", join(folder, event), [SCANS[event]], { sign: signOf(event), missing });
}

function lefthookIn(top: string, file: string, hooks: string, event: HookEvent): Manager {
  // It puts what git hands a hook in the place of {1}.
  const scan = SCANS[event].replace('"$1"', "{1}");
  const lines = [
    `${event}:`,
    "  commands:",
    "    vault-run:",
    `      run: ${scan}`,
    ...(event === "pre-push" ? ["      use_stdin: true"] : []),
  ];
  const missing = isHook(join(hooks, event), "lefthook") ? undefined : installOf("lefthook", hooks, event);
  // Two events may have the same scan: it counts where it stands below its own.
  const part = (text: string) => sectionOf(text, event);
  return manager("lefthook", join(top, file), lines, { sign: signOf(event), missing, part });
}

/** What YAML has below a key at the margin. */
function sectionOf(text: string, key: string): string {
  const [, after = ""] = text.split(new RegExp(`^${key}:`, "m"), 2);
  return after.split(/\n(?=[^\s#])/, 1)[0] ?? "";
}

function preCommitIn(top: string, hooks: string, event: HookEvent): Manager {
  // The framework keeps what git says on standard input to itself, and gives the range in variables.
  const scan =
    event === "pre-push"
      ? `sh -c 'vault-run scan --range "\${PRE_COMMIT_FROM_REF:-${NOTHING}}..\${PRE_COMMIT_TO_REF:-HEAD}"'`
      : SCANS[event];
  const lines = [
    "# below repos:",
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
  const missing = isHook(join(hooks, event), "pre-commit.com")
    ? undefined
    : installOf("pre-commit", hooks, event);
  return manager("pre-commit", join(top, ".pre-commit-config.yaml"), lines, {
    sign: `id: vault-run-${event}`,
    missing,
  });
}

interface Signs {
  readonly sign: string;
  readonly missing: string | undefined;
  /** Where in the file it must stand. */
  readonly part?: (text: string) => string;
}

function manager(
  name: Manager["name"],
  file: string,
  lines: readonly string[],
  { sign, missing, part = (text) => text }: Signs,
): Manager {
  const text = part(existsSync(file) ? readFileSync(file, "utf8") : "");
  const isAdded = hasLine(text, sign);
  return { name, file, lines, isAdded, missing };
}

/** Whether a line has it that is no comment. */
export const hasLine = (text: string, sign: string): boolean =>
  text.split("\n").some((line) => line.includes(sign) && !line.trim().startsWith("#"));

const signOf = (event: HookEvent): string => SCANS[event].replace(/ --remote.*$/, "");

/** Whether git runs a hook there, which names the program that is to run. */
function isHook(path: string, name: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return readFileSync(path, "latin1").includes(name);
  } catch {
    return false;
  }
}

function installOf(name: Manager["name"], hooks: string, event: HookEvent): string {
  if (name === "lefthook") return "lefthook install";
  if (name === "pre-commit") return `pre-commit install --hook-type ${event}`;
  return hooks.endsWith("/_") ? "npx husky" : `chmod +x ${shellWord(join(hooks, event))}`;
}
