import { readContents } from "../git/objects.ts";
import type { NamedObjects } from "../git/tags.ts";
import type { Content } from "./scanner.ts";

/** What refs name that is no commit, tags among it. */
export async function* taggedContents(
  folder: string,
  objects: NamedObjects["contents"],
): AsyncGenerator<Content> {
  if (objects.length === 0) return;
  for await (const { item, chunks } of readContents(folder, objects)) yield { file: item.path, chunks };
}
