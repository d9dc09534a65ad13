// What a hook needs that is moved beside itself. It may go by the path that it is run by, `$0`: a dispatcher takes its name
// for the event, or runs what stands in "$0".d. A shell that reads the script, in place of running it, tells it the path of
// before. Nothing does so for other languages: where they look at it, the hook has to stay.

/** How it is run from its new place: `shell` is the command of its first line. */
export type Way = { readonly kind: "itself" | "not" } | { readonly kind: "read"; readonly shell: string };

const OWN_PATH = /\$\{?0\b|\$PROGRAM_NAME\b|\bargv\[0\]|\bprocess\.argv\[1\]/;
/** The folder stays the same. */
const FOLDER = /\bdirname\s+(?:--\s+)?"?\$\{?0\}?"?|\$\{0%\/\*\}/g;
/** So does what a link leads to. */
const TARGET = /\b(?:readlink|realpath)\s+(?:-\w+\s+)*(?:--\s+)?"?\$\{?0\}?"?/g;
const SHELL = /^#! ?(\/(?:[\w.-]+\/)*(?:env )?(?:ba|da)?sh(?: -[efux]+)?) *$/;

export function findWay(text: string, isLink: boolean): Way {
  const kept = text.replaceAll(FOLDER, "");
  if (!OWN_PATH.test(isLink ? kept.replaceAll(TARGET, "") : kept)) return { kind: "itself" };
  // A shell that reads it has a name of its own for it there, and a link is none under the path of before.
  const isTold = text.includes("BASH_SOURCE") || (isLink && kept.search(TARGET) !== -1);
  const shell = SHELL.exec(text.split("\n", 1)[0] ?? "")?.[1];
  return shell === undefined || isTold ? { kind: "not" } : { kind: "read", shell };
}
