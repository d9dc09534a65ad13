import { SpawnFailure } from "../launch/child.ts";
import { dryRun, launch, type Surroundings } from "../launch/launch.ts";
import { formatRef } from "../vault/names.ts";
import type { LaunchRequest } from "./arguments.ts";
import type { Console } from "./console.ts";
import { DONE } from "./exit-status.ts";

/** `vault-run [options] -- COMMAND`. Resolves to the child's exit status. */
export async function runLaunch(
  request: LaunchRequest,
  around: Surroundings,
  console: Console,
): Promise<number> {
  if (request.dryRun) {
    const rows = (await dryRun(request.options, around)).map(({ secret, variable, as }) => [
      variable,
      formatRef(secret),
      as,
    ]);
    console.table([["VARIABLE", "SECRET", "AS"], ...rows]);
    return DONE;
  }
  try {
    return await launch(request.options, around);
  } catch (error) {
    if (!(error instanceof SpawnFailure)) throw error;
    console.error(error.reason);
    return error.status;
  }
}
