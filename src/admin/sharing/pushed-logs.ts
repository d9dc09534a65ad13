import { dirname } from "node:path";
import type { LogSource } from "../../audit/source.ts";
import { findWriter, WRITER_REFS } from "../../audit/writer.ts";
import { Plumbing } from "../../git/plumbing.ts";
import { listRefs } from "../../git/refs.ts";
import { Repository } from "../../git/repository.ts";
import { logChunks } from "./log-files.ts";

/**
 * What was pushed of the writers' logs, as this repository has it: what `audit push` pushed from here, and what `audit fetch`
 * brought.
 *
 * @param root the `.vault` folder.
 */
export async function pushedLogs(root: string): Promise<LogSource[]> {
  const plumbing = Plumbing.forReading(await Repository.find(dirname(root)));
  const refs = await listRefs(plumbing, WRITER_REFS);
  const logs = [...refs].flatMap(([ref, commit]) => {
    const writer = findWriter(ref);
    if (writer === undefined) return [];
    return [
      { ...writer, isLocal: false, isShared: true, name: ref, chunks: () => logChunks(plumbing, commit) },
    ];
  });
  // Those of one host link to each other's lines, and are read side by side.
  return logs.sort((a, b) => (a.host < b.host ? -1 : Number(a.host > b.host)));
}
