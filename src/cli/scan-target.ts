import { commitIdOf, countCommits, findGitPlace, type GitPlace } from "../git/changes.ts";
import { findGitText } from "../git/stream.ts";
import { type NamedObjects, readAllTags } from "../git/tags.ts";
import { committedContents, fileContents, stagedContents, streamContent } from "../scan/contents.ts";
import { readPushed } from "../scan/pushed.ts";
import type { Content } from "../scan/scanner.ts";
import { taggedContents } from "../scan/tagged.ts";
import type { Machine } from "../vault/machine.ts";
import { VaultError } from "../vault-error.ts";
import type { CommandContext } from "./context.ts";
import { readStream } from "./input.ts";
import { progressOf } from "./owner-verb.ts";

// What the words of `scan` say is to be looked through.

export interface ScanTarget {
  readonly place: GitPlace | undefined;
  readonly contents: AsyncIterable<Content & { readonly mode?: number }>;
  /** The commit that a range begins behind. */
  readonly base: string | undefined;
  /** Whether this is all that ever was, of vaults before this one too. */
  readonly isHistory: boolean;
  /** Whether a commit is being made: what the vault's files are now may yet be taken back. */
  readonly isStaged: boolean;
  /** Whether these are files of this machine, as they are now. */
  readonly isHere: boolean;
}

const MODES = ["staged", "range", "history", "pushed"] as const;
/** What hooks are told. A push of a million refs is none. */
const MAX_LINES_BYTES = 64 * 1024 * 1024;
const NOTHING = /^0+$/;

export async function findTarget(context: CommandContext): Promise<ScanTarget> {
  const { machine, console } = context;
  const modes = MODES.filter((mode) => context.has(mode) || context.text(mode) !== undefined);
  const paths = context.words();
  if (modes.length + (paths.length > 0 ? 1 : 0) !== 1) {
    throw new VaultError(
      "usage",
      modes.length + paths.length === 0
        ? "nothing is named to look through"
        : "only one thing can be looked through",
      "name files or folders (- for standard input), or pass one of --staged, --range A..B, --history, --pushed",
    );
  }
  if (context.text("remote") !== undefined && modes[0] !== "pushed")
    throw new VaultError("usage", "--remote is for --pushed", "leave it out, or pass --pushed");
  const place =
    paths.length > 0 ? await findPlaceIfAny(machine) : await findGitPlace(machine.cwd, machine.env);
  const own = { place, base: undefined, isHistory: false, isStaged: false, isHere: false };
  if (paths.length > 0) {
    const top = place?.isBare === false ? place.folder : undefined;
    return { ...own, isHere: true, contents: namedContents(context, paths, top) };
  }
  const { folder } = requirePlace(place, machine.cwd);
  switch (modes[0]) {
    case "staged":
      return { ...own, isStaged: true, isHere: true, contents: stagedContents(folder) };
    case "range": {
      const range = await parseRange(folder, context.text("range") ?? "");
      return { ...own, base: range.base, contents: await commits(context, folder, range.revisions) };
    }
    case "history":
      return {
        ...own,
        isHistory: true,
        contents: await refs(context, folder, await everything(folder), await readAllTags(folder)),
      };
    default: {
      const lines = await readStream(console.input(), MAX_LINES_BYTES);
      const { revisions, contents } = await readPushed(folder, lines.toString(), context.text("remote"));
      return { ...own, contents: await refs(context, folder, revisions, contents) };
    }
  }
}

/** Files can be looked through where there is no git. */
async function findPlaceIfAny({ cwd, env }: Machine): Promise<GitPlace | undefined> {
  try {
    return await findGitPlace(cwd, env);
  } catch (error) {
    if (error instanceof VaultError && error.code === "git-missing") return undefined;
    throw error;
  }
}

/** Where HEAD is on no branch, its commits are of none. Before the first commit it is nothing. */
async function everything(folder: string): Promise<string[]> {
  const head = await findGitText(folder, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
  return head === undefined ? ["--all"] : ["--all", head];
}

async function* namedContents(
  { machine, console }: CommandContext,
  paths: readonly string[],
  top: string | undefined,
): AsyncGenerator<Content & { readonly mode?: number }> {
  for (const path of paths) {
    if (path === "-") yield streamContent(console.input());
    else yield* fileContents(machine.cwd, [path], top);
  }
}

async function commits(
  context: CommandContext,
  folder: string,
  revisions: readonly string[],
): Promise<AsyncIterable<Content>> {
  const progress = progressOf(context, "commits");
  const total = context.console.showsProgress ? await countCommits(folder, revisions) : 0;
  let done = 0;
  return committedContents(folder, revisions, () => progress(++done, total));
}

/** Commits, and what refs name that is none. */
async function refs(
  context: CommandContext,
  folder: string,
  revisions: readonly string[] | undefined,
  objects: NamedObjects["contents"],
): Promise<AsyncIterable<Content>> {
  const brought = revisions === undefined ? undefined : await commits(context, folder, revisions);
  return inTurn(brought, taggedContents(folder, objects));
}

async function* inTurn(
  first: AsyncIterable<Content> | undefined,
  second: AsyncIterable<Content>,
): AsyncGenerator<Content> {
  if (first !== undefined) yield* first;
  yield* second;
}

/** `A..B`, where either may be left out for HEAD; an A of zeros, as code hosts name what was not there, is nothing. */
async function parseRange(
  folder: string,
  text: string,
): Promise<{ base: string | undefined; revisions: string[] }> {
  const [, from = "", to = ""] = /^(.*?)\.{2,3}(.*)$/.exec(text) ?? [];
  if (from === "" && to === "") {
    throw new VaultError("usage", "a range is written A..B", "for instance --range origin/main..HEAD");
  }
  const tip = await commitIdOf(folder, to === "" ? "HEAD" : to);
  if (NOTHING.test(from)) return { base: undefined, revisions: [tip] };
  const base = await commitIdOf(folder, from === "" ? "HEAD" : from);
  return { base, revisions: [tip, `^${base}`] };
}

function requirePlace(place: GitPlace | undefined, cwd: string): GitPlace {
  if (place !== undefined) return place;
  throw new VaultError(
    "no-repository",
    `not inside a git repository: ${cwd}`,
    "go to one, or name files to look through",
  );
}
