import { findGitText } from "../git/stream.ts";
import { VaultError } from "../vault-error.ts";

// What git tells hooks on standard input, one line for each ref: `pre-push` gets LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID,
// `pre-receive` OLD-ID NEW-ID REF.

const ID = "[0-9a-f]{40}(?:[0-9a-f]{24})?";
const PRE_PUSH = new RegExp(`^\\S+ (${ID}) \\S+ (${ID})$`);
const PRE_RECEIVE = new RegExp(`^(${ID}) (${ID}) \\S+$`);
const NOTHING = /^0+$/;

/**
 * The commits that a push would bring, as revisions: what the other side has, by what is known of it, is left out.
 *
 * @returns undefined where it brings none.
 */
export async function pushedRevisions(folder: string, lines: string): Promise<string[] | undefined> {
  const added: string[] = [];
  const known = new Set<string>();
  let receives = false;
  for (const line of lines.split("\n").filter((text) => text !== "")) {
    const pushed = PRE_PUSH.exec(line);
    const received = PRE_RECEIVE.exec(line);
    const [brought, had] = pushed !== null ? [pushed[1], pushed[2]] : [received?.[2], received?.[1]];
    if (brought === undefined || had === undefined) throw notAHook();
    receives ||= pushed === null;
    if (!NOTHING.test(brought)) added.push(brought);
    if (!NOTHING.test(had) && (await isHere(folder, had))) known.add(`^${had}`);
  }
  if (added.length === 0) return undefined;
  // A server has on its own refs what it has; a clone knows what it fetched of the others'.
  return [...added, ...known, "--not", receives ? "--all" : "--remotes"];
}

async function isHere(folder: string, id: string): Promise<boolean> {
  return (await findGitText(folder, ["cat-file", "-t", id])) !== undefined;
}

function notAHook(): VaultError {
  return new VaultError(
    "usage",
    "standard input is not what git tells a pre-push or pre-receive hook",
    "--pushed is for such a hook; name a range with --range A..B otherwise",
  );
}
