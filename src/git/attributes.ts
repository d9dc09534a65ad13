import { relative } from "node:path";
import { VaultError } from "../vault-error.ts";
import { Plumbing } from "./plumbing.ts";
import type { Repository } from "./repository.ts";

// What git's attributes do to files that must keep their bytes. The nearest .gitattributes decides, above it those of the
// folders up to the work tree's top and of the user's own settings, and before all of them .git/info/attributes: so git is
// asked what holds, and no file is read.

export interface FileAttribute {
  /** From the work tree's top. */
  readonly path: string;
  /** As it is written in such a file: `filter=lfs`. */
  readonly attribute: string;
  /**
   * What git does by it: the bytes that are committed or checked out are others, everywhere or on machines with such
   * settings (`core.autocrlf`); two versions are mixed.
   */
  readonly does: "convert" | "convert-on-some" | "merge";
}

const NAMES = ["text", "crlf", "eol", "filter", "ident", "working-tree-encoding", "merge"];
const NONE = ["unspecified", "unset"];

/** The attributes by which git would not leave files (absolute) as they are, or would merge them by itself. */
export async function findAttributes(
  repository: Repository,
  paths: readonly string[],
): Promise<FileAttribute[]> {
  const input = paths.map((path) => `${relative(repository.workTree, path)}\0`).join("");
  const answer = await Plumbing.forReading(repository).run(["check-attr", "-z", "--stdin", ...NAMES], {
    input,
  });
  const words = answer.toString().split("\0");
  const found: FileAttribute[] = [];
  for (let at = 0; at + 2 < words.length; at += 3 * NAMES.length) {
    const value = new Map(NAMES.map((name, index) => [name, words[at + 3 * index + 2] ?? ""]));
    found.push(...effects(value).map((effect) => ({ path: words[at] ?? "", ...effect })));
  }
  return found;
}

/** The line for a folder's .gitattributes by which git leaves what is in it as it is, whatever is said elsewhere. */
export const AS_IT_IS = "* -text !filter !ident !working-tree-encoding !merge";

/** @throws {VaultError} `git-not-ready` where git would commit, or check out, other bytes than the files hold. */
export async function requireAsTheyAre(repository: Repository, paths: readonly string[]): Promise<void> {
  const found = (await findAttributes(repository, paths)).find(({ does }) => does === "convert");
  if (found === undefined) return;
  throw new VaultError(
    "git-not-ready",
    `git would change the bytes of a record, by the attribute ${found.attribute}: ${found.path}`,
    `see who says so (git check-attr -a ${found.path}) and take it out, or put this line into .vault/.gitattributes: ${AS_IT_IS}`,
  );
}

function effects(value: ReadonlyMap<string, string>): Omit<FileAttribute, "path">[] {
  const is = (name: string) => !NONE.includes(value.get(name) ?? "");
  // Where text is unset, git looks at neither of the others; where nothing is said, each of them stands for it.
  const ends =
    value.get("text") === "unset" ? [] : is("text") ? ["text"] : ["crlf", "eol"].filter((name) => is(name));
  const isLeftToSettings =
    ends.length === 0 && value.get("text") === "unspecified" && value.get("crlf") !== "unset";
  const converting = [...ends, ...["filter", "ident", "working-tree-encoding"].filter((name) => is(name))];
  const merging = is("merge") && value.get("merge") !== "set" ? ["merge"] : [];
  const written = (name: string) => (value.get(name) === "set" ? name : `${name}=${shown(value.get(name))}`);
  return [
    ...converting.map((name) => ({ attribute: written(name), does: "convert" as const })),
    ...(isLeftToSettings ? [{ attribute: "!text", does: "convert-on-some" as const }] : []),
    ...merging.map((name) => ({ attribute: written(name), does: "merge" as const })),
  ];
}

/** Whoever wrote it: for a terminal. */
function shown(value = ""): string {
  return value.replaceAll(/[^!-~]/g, "?").slice(0, 64);
}
