import { findWriter } from "../../audit/writer.ts";
import type { Machine } from "../../vault/machine.ts";
import { VaultError } from "../../vault-error.ts";
import { takeIncoming } from "./incoming.ts";
import { arrivalError } from "./refusals.ts";
import { type SharingOptions, withSharing, writerName } from "./session.ts";

export interface Fetched {
  readonly remote: string;
  /** How many logs there are here now. */
  readonly logs: number;
  /** How many logs there are of keys that this clone does not know: they are not taken. */
  readonly unknown: number;
  readonly came: readonly { readonly who: string; readonly lines: number }[];
  /** One for each log that did anything but grow. */
  readonly findings: readonly VaultError[];
}

/**
 * Brings what every writer pushed whose key this clone knows of: anybody may push refs. The lines are verified by whoever
 * reads them.
 */
export function fetchAuditLogs(
  machine: Machine,
  options: SharingOptions,
  note: (text: string) => void,
): Promise<Fetched> {
  return withSharing(machine, options, note, async ({ plumbing, remote, readers }) => {
    if (!plumbing.canKeep) {
      throw new VaultError(
        "disk",
        "this repository cannot be written to, so there is no place for what others pushed",
        "run it as the user who has the repository, or in a clone of your own",
      );
    }
    const unknown = new Set<string>();
    const arrivals = await takeIncoming(plumbing, remote, (ref) => {
      const isKnown = readers.has(findWriter(ref)?.key ?? "");
      if (!isKnown) unknown.add(ref);
      return isKnown;
    });
    return {
      remote,
      unknown: unknown.size,
      logs: arrivals.filter(({ held }) => held !== undefined).length,
      came: arrivals.flatMap(({ writer, lines }) =>
        lines === 0 ? [] : [{ who: writerName(writer, readers), lines }],
      ),
      findings: arrivals.flatMap(({ writer, ref, finding }) =>
        finding === undefined ? [] : [arrivalError(writerName(writer, readers), ref, remote, finding)],
      ),
    };
  });
}
