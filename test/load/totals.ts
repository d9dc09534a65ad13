import type { Program } from "../fixtures/program.ts";

/** How many lines of each action the whole log has, and how many findings of each kind. */
export async function readTotals(
  program: Program,
): Promise<{ actions: Record<string, number>; findings: Record<string, number> }> {
  const { actions, findings } = JSON.parse((await program.run(["audit", "--totals", "--json"])).stdout);
  const counted = actions.map(({ action, lines }: { action: string; lines: number }) => [action, lines]);
  return { actions: Object.fromEntries(counted), findings: findings.counts };
}
