import type { Readable, Writable } from "node:stream";
import { createRedactor } from "../redact/index.ts";
import type { Machine } from "../vault/machine.ts";
import { parseGroupName, parseSecretRef } from "../vault/names.ts";
import { type AgentOptions, AgentSession } from "./agent-session.ts";
import { reportLeaks, warnOfShort } from "./leaks.ts";
import { grantedSecrets, type SelectionOptions } from "./select.ts";
import { writtenWhole } from "./standard-streams.ts";
import { RedactedStream } from "./stream.ts";

export interface RedactStreamOptions extends AgentOptions, Pick<SelectionOptions, "group" | "only"> {
  readonly quiet: boolean;
}

export interface RedactStreamSurroundings {
  readonly machine: Machine;
  readonly from: Readable;
  readonly to: Writable;
  readonly warn: (text: string) => void;
}

/**
 * Passes a stream on to its end with what the agent was granted masked, values whose time has passed among them. The
 * values are opened for that alone, which is a pull like any other: recorded first, as `redact`.
 */
export async function redactStream(
  options: RedactStreamOptions,
  { machine, from, to, warn }: RedactStreamSurroundings,
): Promise<void> {
  const session = await AgentSession.open(machine, options, warn);
  const redactor = await session.recordingDenials(undefined, () => {
    const secrets = grantedSecrets(
      session,
      options.group.map(parseGroupName),
      options.only.map(parseSecretRef),
    );
    return session.release(secrets, { action: "redact" }, (values) => {
      const made = createRedactor(values.map((value) => ({ name: value.ref, value: value.bytes() })));
      for (const value of values) value.dispose();
      return made;
    });
  });
  warnOfShort(redactor, warn);
  try {
    await new RedactedStream(from, writtenWhole(to), redactor.stream("stdin"), () => {}).passAll();
  } finally {
    await reportLeaks(session, redactor.leaks(), options, undefined, warn);
  }
}
