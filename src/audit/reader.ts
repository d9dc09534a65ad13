import type { VerifyKey } from "../age/signing-key.ts";
import { keyFingerprint } from "../vault/fingerprint.ts";
import { PULL_ACTIONS } from "./actions.ts";
import type { LineShape } from "./finding.ts";

const PULLS: ReadonlySet<string> = new Set(PULL_ACTIONS);
const AGENT_ACTIONS: ReadonlySet<string> = new Set([...PULLS, "leak"]);

/** Someone who is or was an owner (no `agent`) or an agent of the vault. */
export interface Reader {
  readonly key: VerifyKey;
  readonly agent?: string;
  /** An owner's name, where it is known. */
  readonly owner?: string;
}

/** By the fingerprint of its key. Where a key is several readers' (an agent's key cannot become an owner's), the first is meant. */
export type Readers = ReadonlyMap<string, Reader>;

export function byFingerprint(readers: readonly Reader[]): Readers {
  return new Map(readers.toReversed().map((reader) => [keyFingerprint(reader.key), reader]));
}

export function isPull(action: string): boolean {
  return PULLS.has(action);
}

/**
 * An agent speaks for itself, and not of an owner's changes; an owner does not launch in an agent's name. A refusal is
 * signed by the key that was refused, in whosever name it was used.
 */
export function maySay(reader: Reader, { action, agent }: Pick<LineShape, "action" | "agent">): boolean {
  if (action === "denied") return true;
  if (reader.agent !== undefined) return agent === reader.agent && AGENT_ACTIONS.has(action);
  return !AGENT_ACTIONS.has(action) || agent === undefined;
}
