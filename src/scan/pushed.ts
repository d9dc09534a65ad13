import { gitText } from "../git/stream.ts";
import { type NamedObjects, readNamed } from "../git/tags.ts";
import { VaultError } from "../vault-error.ts";

// What git tells hooks on standard input, one line for each ref: `pre-push` gets LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID,
// `pre-receive` OLD-ID NEW-ID REF. A LOCAL-REF is what was typed, which may have spaces: `:/fix bug`.

const ID = "[0-9a-f]{40}(?:[0-9a-f]{24})?";
const PRE_PUSH = new RegExp(`^.+ (${ID}) \\S+ (${ID})$`, "s");
const PRE_RECEIVE = new RegExp(`^(${ID}) (${ID}) \\S+$`);
const NOTHING = /^0+$/;

export interface Pushed {
  /** The commits that it would bring, as revisions. Undefined where it brings none. */
  readonly revisions: readonly string[] | undefined;
  /** What its refs name that is no commit. */
  readonly contents: NamedObjects["contents"];
}

/**
 * What a push would bring: what the other side has, by what is known of it, is left out.
 *
 * @param remote the name of the other side. What another has says nothing of it.
 */
export async function readPushed(folder: string, lines: string, remote: string | undefined): Promise<Pushed> {
  const added: string[] = [];
  const had = new Set<string>();
  let receives = false;
  for (const line of lines.split("\n").filter((text) => text !== "")) {
    const pushed = PRE_PUSH.exec(line);
    const received = PRE_RECEIVE.exec(line);
    const [brought, before] = pushed !== null ? [pushed[1], pushed[2]] : [received?.[2], received?.[1]];
    if (brought === undefined || before === undefined) throw notAHook();
    receives ||= pushed === null;
    if (!NOTHING.test(brought)) added.push(brought);
    if (!NOTHING.test(before)) had.add(before);
  }
  const { commits, contents } = await readNamed(folder, added);
  if (commits.length === 0) return { revisions: undefined, contents };
  // A server has on its own refs what it has; a clone knows what it fetched.
  const there = receives ? ["--not", "--all"] : await fetchedOf(folder, remote);
  const known = await commitsAmong(folder, [...had]);
  return { revisions: [...commits, ...known.map((id) => `^${id}`), ...there], contents };
}

/** Of a place that is no remote of this repository nothing was fetched. */
async function fetchedOf(folder: string, remote: string | undefined): Promise<string[]> {
  const remotes = (await gitText(folder, ["remote"])).split("\n");
  if (remote === undefined || remote === "" || !remotes.includes(remote)) return [];
  const nested = remotes.filter((name) => name.startsWith(`${remote}/`));
  const others = nested.map((name) => `--exclude=refs/remotes/${name}/*`);
  return ["--not", ...others, `--glob=refs/remotes/${remote}/*`];
}

/** Those that are here, also where a tag leads to one. */
async function commitsAmong(folder: string, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const asked = ids.map((id) => `${id}^{commit}\n`).join("");
  const lines = (await gitText(folder, ["cat-file", "--batch-check=%(objecttype)"], asked)).split("\n");
  return ids.filter((_, at) => lines[at] === "commit");
}

function notAHook(): VaultError {
  return new VaultError(
    "usage",
    "standard input is not what git tells a pre-push or pre-receive hook",
    "--pushed is for such a hook; name a range with --range A..B otherwise",
  );
}
