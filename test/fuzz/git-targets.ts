import { contentsIn } from "../../src/git/blobs.ts";
import { versionsIn } from "../../src/git/branches.ts";
import { commitsIn } from "../../src/git/changes.ts";
import { readHistory, readTree } from "../../src/git/history.ts";
import { readUnmerged } from "../../src/git/merge-state.ts";
import { Answers } from "../../src/git/objects.ts";
import type { Plumbing } from "../../src/git/plumbing.ts";
import { listRefs } from "../../src/git/refs.ts";
import type { Repository } from "../../src/git/repository.ts";
import { splitAtNul } from "../../src/git/stream.ts";
import { acceptsLater, collected, cut, isLarge, requireSame, streamOf, type Target } from "./promises.ts";

// What git prints: of names, messages and contents that whoever can push has chosen. No answer depends on how it comes in pieces.

const ITEMS = [{ blob: "a" }, { blob: "b" }, { blob: "c" }];
const BRANCHES = ["one", "two", "three"];

export const GIT_TARGETS: Readonly<Record<string, Target>> = {
  "git-output": sameInPieces((stream) => collected(splitAtNul(stream))),
  "git-blobs": sameInPieces((stream) => collected(contentsIn(stream, ITEMS.length))),
  "git-contents": sameInPieces(async (stream) => {
    const answers = new Answers(stream);
    const found: string[] = [];
    for (const item of ITEMS)
      for await (const { size, chunks } of answers.next(item)) {
        const content = Buffer.concat(await collected(chunks));
        if (content.length !== size) throw new Error("a content that is not as long as it says");
        found.push(content.toString("latin1"));
      }
    return found;
  }),
  "git-commits": sameInPieces((stream) => collected(commitsIn(stream))),
  "git-branches": (bytes) => {
    const found = versionsIn(bytes, BRANCHES);
    if (found.length > BRANCHES.length) throw new Error("more versions than branches");
    return found.length > 0;
  },
  "git-lists": async (bytes) => {
    const git = { read: async () => bytes.toString() };
    const [repository, plumbing] = [git as unknown as Repository, git as unknown as Plumbing];
    const readers = [
      () => readHistory(repository, ["HEAD"], []),
      () => readTree(repository, "HEAD", ".vault"),
      () => readUnmerged(repository),
      () => listRefs(plumbing, "refs/x/"),
    ];
    let isRead = false;
    for (const read of readers) {
      isRead = (await acceptsLater(read)) || isRead;
      // Each by itself, where it is measured.
      if (isLarge(bytes)) globalThis.gc?.();
    }
    return isRead;
  },
};

/** Whether it is read, and alike in one piece and in many. */
function sameInPieces(read: (stream: AsyncIterable<Buffer>) => Promise<unknown>): Target {
  return async (bytes) => {
    if (isLarge(bytes)) return acceptsLater(() => read(streamOf(cut(bytes))));
    const found: string[] = [];
    for (const pieces of [[bytes], cut(bytes)]) {
      let answer: unknown;
      await acceptsLater(async () => {
        answer = await read(streamOf(pieces));
      });
      found.push(JSON.stringify(answer) ?? "refused");
    }
    requireSame(found[1] ?? "", found[0] ?? "");
    return found[0] !== "refused";
  };
}
