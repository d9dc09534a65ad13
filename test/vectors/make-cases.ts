import { brokenCases } from "./cases/broken.ts";
import { movedCases } from "./cases/moved.ts";
import { namedCases } from "./cases/named.ts";
import { olderCases } from "./cases/older.ts";
import { readingsCases } from "./cases/readings.ts";
import { refusedCases } from "./cases/refused.ts";
import { swappedCases } from "./cases/swapped.ts";
import type { Made } from "./make-vault.ts";
import type { Case } from "./vectors.ts";
import { makeWorld } from "./world.ts";

/** Every refusal, each as someone would bring it about, and some readings that are none. */
export async function makeCases(made: Made, other: Made): Promise<Case[]> {
  const world = await makeWorld(made, other);
  return [
    ...readingsCases(world),
    ...swappedCases(world),
    ...(await movedCases(world)),
    ...olderCases(world),
    ...namedCases(world),
    ...brokenCases(world),
    ...refusedCases(world),
  ];
}
