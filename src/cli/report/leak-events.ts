import type { AuditLine } from "../../audit/event.ts";
import type { ReadLine } from "../../audit/finding.ts";
import type { LeakEvent } from "../../report/data.ts";

/** The newest events in which something was masked: so many that a page can hold them. */
export const MOST_EVENTS = 1000;

/** Takes them out of the lines that go by. */
export class LeakEvents {
  #events: LeakEvent[] = [];

  add(lines: readonly ReadLine[]): void {
    for (const found of lines)
      if (found.status === "verified" && found.shape.action === "leak")
        this.#events.push(eventOf(found.line));
    if (this.#events.length > 2 * MOST_EVENTS) this.#events = newest(this.#events);
  }

  /** Oldest first. */
  list(): readonly LeakEvent[] {
    return newest(this.#events);
  }
}

function eventOf({ time, host, agent, key, command, leaks = [] }: AuditLine): LeakEvent {
  // A line may hold more than it must: nothing of that comes along.
  const known = leaks.map(({ secret, stream, encoding, count }) => ({ secret, stream, encoding, count }));
  return { time, host, agent: agent ?? null, key, command: command ?? null, leaks: known };
}

function newest(events: readonly LeakEvent[]): LeakEvent[] {
  return [...events].sort((a, b) => (a.time < b.time ? -1 : 1)).slice(-MOST_EVENTS);
}
