import type { Plumbing } from "./plumbing.ts";

// Refs here and in another repository, by their whole names. Nothing is ever forced.

/** How many refs one push may name: they are arguments. */
const MOST_PUSHED = 500;

export type Refs = ReadonlyMap<string, string>;

/** The refs below a folder of refs, with the commits they name. */
export async function listRefs(plumbing: Plumbing, folder: string): Promise<Refs> {
  return parseRefs(await plumbing.read(["for-each-ref", "--format=%(objectname)%09%(refname)", folder]));
}

/** The same in another repository. */
export async function listRemoteRefs(plumbing: Plumbing, remote: string, folder: string): Promise<Refs> {
  return parseRefs(await plumbing.read(["ls-remote", "--quiet", "--refs", "--", remote, `${folder}*`]));
}

function parseRefs(text: string): Refs {
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(
    lines.map((line) => {
      const [id = "", ref = ""] = line.split("\t");
      return [ref, id];
    }),
  );
}

/** Fetches what refs name; no ref here moves. */
export async function fetchObjects(
  plumbing: Plumbing,
  remote: string,
  refs: readonly string[],
): Promise<void> {
  if (refs.length === 0) return;
  const nothingElse = ["--no-tags", "--no-prune", "--refmap=", "--no-recurse-submodules", "--no-filter"];
  const args = ["fetch", "--quiet", "--no-write-fetch-head", ...nothingElse, "--stdin", "--", remote];
  await plumbing.run(args, { input: refs.map((ref) => `${ref}\n`).join("") });
}

/** Moves a ref of this repository from a commit, or from nothing, to another. */
export async function moveRef(
  plumbing: Plumbing,
  ref: string,
  to: string,
  from: string | undefined,
): Promise<void> {
  await plumbing.run(["update-ref", "--no-deref", ref, to, from ?? "0".repeat(to.length)]);
}

/** Pushes commits to refs, each by itself. What was not taken, with the reason that git gives. */
export async function pushRefs(plumbing: Plumbing, remote: string, commits: Refs): Promise<Refs> {
  const refused = new Map<string, string>();
  const all = [...commits].map(([ref, commit]) => `${commit}:${ref}`);
  for (let at = 0; at < all.length; at += MOST_PUSHED) {
    const nothingElse = ["--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no"];
    // Of the versions of a file, those next to each other are alike. Looking further takes twice the time and finds nothing.
    const pack = ["-c", "pack.window=2"];
    const args = [
      ...pack,
      "push",
      "--porcelain",
      ...nothingElse,
      "--",
      remote,
      ...all.slice(at, at + MOST_PUSHED),
    ];
    const { ok, output, talk } = await plumbing.ask(args);
    const before = refused.size;
    for (const line of output.toString().split("\n")) {
      const [, ref, reason] = /^!\t[^:\t]+:([^\t]+)\t(.*)$/.exec(line) ?? [];
      if (ref !== undefined) refused.set(ref, said(talk) ?? reason ?? "");
    }
    if (!ok && refused.size === before) await plumbing.run(args);
  }
  return refused;
}

/** What the other side itself had to say. */
function said(talk: string): string | undefined {
  const lines = talk.split("\n").flatMap((line) => /^remote: (.*\S)/.exec(line)?.[1] ?? []);
  return lines.length === 0 ? undefined : lines.join(" ");
}

/** Whether a commit is another one or stands before it in history. */
export async function isBefore(plumbing: Plumbing, commit: string, other: string): Promise<boolean> {
  return (await plumbing.ask(["merge-base", "--is-ancestor", commit, other])).ok;
}

/** Whether what a ref names is a commit itself: a ref may name anything. */
export async function isCommit(plumbing: Plumbing, id: string): Promise<boolean> {
  const { ok, output } = await plumbing.ask(["cat-file", "-t", id]);
  return ok && output.toString().trim() === "commit";
}
