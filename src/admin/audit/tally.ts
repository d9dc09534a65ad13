import type { Alike } from "../../audit/alike-lines.ts";
import type { LineShape } from "../../audit/finding.ts";
import { isPull, type Readers } from "../../audit/reader.ts";
import { type Timestamp, timestamp } from "../../vault/time.ts";
import type { ActionTotal, Actor, DayTotal, DenialTotal, LeakTotal, PullTotal } from "./answers.ts";
import { isMeant, type LineFilter, secretsIn, splitRef } from "./filter.ts";

const DAY_CHARACTERS = 10;

type Open<T> = { -readonly [K in keyof T]: T[K] };
type OpenPulls = Open<Omit<PullTotal, "hosts">> & { readonly hosts: Set<string> };
/** Alike lines, with their times in words. */
type Counted = { readonly shape: LineShape; readonly count: number } & Record<"first" | "last", Timestamp>;

/** Counts along while verified lines go by. Its size follows from how many agents and secrets there are, not lines. */
export class Tally {
  readonly #readers: Readers;
  readonly #filter: LineFilter;
  readonly #withDays: boolean;
  readonly #actions = new Map<string, Open<ActionTotal>>();
  readonly #pulls = new Map<string, OpenPulls>();
  readonly #days = new Map<string, Open<DayTotal>>();
  readonly #leaks = new Map<string, Open<LeakTotal>>();
  readonly #denials = new Map<string, Open<DenialTotal>>();

  constructor(readers: Readers, filter: LineFilter, withDays: boolean) {
    this.#readers = readers;
    this.#filter = filter;
    this.#withDays = withDays;
  }

  /** @param alike verified, and let through by the filter. */
  add({ shape, count, first, last }: Alike): void {
    const { action } = shape;
    entry(this.#actions, action, () => ({ action, lines: 0 })).lines += count;
    const line = { shape, count, first: timestamp(first), last: timestamp(last) };
    const actor = this.#actorOf(shape);
    const who = `${actor.agent ?? ""} ${actor.owner ?? ""}`;
    if (isPull(action)) this.#addPulls(line, actor, who);
    if (action === "leak") this.#addLeaks(line, actor, who);
    if (action === "denied") this.#addDenial(line, actor, who);
  }

  list() {
    const pulls = [...this.#pulls.values()].map((total) => ({ ...total, hosts: [...total.hosts].sort() }));
    return {
      actions: inOrder(this.#actions.values(), ({ action }) => [action]),
      totals: inOrder(pulls, (total) => named(total)),
      days: inOrder(this.#days.values(), (total) => [total.day, ...named(total)]),
      leaks: inOrder(this.#leaks.values(), (total) => [...named(total), total.stream, total.encoding]),
      denials: inOrder(this.#denials.values(), (total) => [total.agent, total.owner, total.reason]),
    } satisfies Record<string, readonly object[]>;
  }

  #actorOf({ key }: LineShape): Actor {
    const reader = this.#readers.get(key);
    return reader?.agent === undefined
      ? { agent: null, owner: reader?.owner ?? key }
      : { agent: reader.agent, owner: null };
  }

  #addPulls(line: Counted, actor: Actor, who: string): void {
    const { shape, count, first, last } = line;
    const counted = new Set<string>();
    for (const { group, name } of secretsIn(this.#filter, shape)) {
      const id = `${who} ${group}/${name}`;
      // A value that went into two variables was pulled once.
      if (counted.has(id)) continue;
      counted.add(id);
      const made = () => ({ ...actor, group, name, pulls: 0, first, last, hosts: new Set<string>() });
      const total = entry(this.#pulls, id, made);
      total.pulls += count;
      span(total, line);
      total.hosts.add(shape.host);
      if (!this.#withDays) continue;
      const day = first.slice(0, DAY_CHARACTERS);
      entry(this.#days, `${id} ${day}`, () => ({ ...actor, group, name, day, pulls: 0 })).pulls += count;
    }
  }

  #addLeaks(line: Counted, actor: Actor, who: string): void {
    const { first, last } = line;
    for (const { secret, stream, encoding, count } of line.shape.leaks ?? []) {
      const [group, name] = splitRef(secret);
      if (!isMeant(this.#filter, group, name)) continue;
      const made = () => ({ ...actor, group, name, stream, encoding, count: 0, first, last });
      const total = entry(this.#leaks, `${who} ${secret} ${stream} ${encoding}`, made);
      total.count += count * line.count;
      span(total, line);
    }
  }

  #addDenial(line: Counted, actor: Actor, who: string): void {
    const { reason = "" } = line.shape;
    const { first, last } = line;
    const made = () => ({ ...actor, reason, count: 0, first, last });
    const total = entry(this.#denials, `${who} ${reason}`, made);
    total.count += line.count;
    span(total, line);
  }
}

function entry<T>(map: Map<string, T>, id: string, make: () => T): T {
  let found = map.get(id);
  if (found === undefined) {
    found = make();
    map.set(id, found);
  }
  return found;
}

/** Lines do not come quite in the order of their times. */
function span(total: { first: string; last: string }, { first, last }: Counted): void {
  if (first < total.first) total.first = first;
  if (last > total.last) total.last = last;
}

/** Agents before owners. */
function named({ agent, owner, group, name }: Actor & { group: string; name: string }): (string | null)[] {
  return [agent, owner, group, name];
}

function inOrder<T>(totals: Iterable<T>, by: (total: T) => readonly (string | null)[]): T[] {
  return [...totals].sort((a, b) => compare(by(a), by(b)));
}

/** What is null comes last. */
function compare(a: readonly (string | null)[], b: readonly (string | null)[]): number {
  for (const [i, left] of a.entries()) {
    const right = b[i] ?? null;
    if (left === right) continue;
    if (left === null || right === null) return left === null ? 1 : -1;
    return left < right ? -1 : 1;
  }
  return 0;
}
