import { VaultError } from "../vault-error.ts";

/** A time in UTC as records hold it: `2027-01-31T00:00:00.000Z`, exactly 24 characters. */
export type Timestamp = string & { readonly __brand: "Timestamp" };

/** Milliseconds since 1970, UTC. The only clock that planning and reading see. */
export type Clock = () => number;

const FIRST_MS = Date.parse("0000-01-01T00:00:00.000Z");
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const MS_PER_UNIT: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** node's own promise of a timer is a module of its own, which a launch would load. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Not by toISOString: the first call of that has the runtime look for the machine's time zone, 0.2 to 10 ms. */
export function timestamp(ms: number): Timestamp {
  const at = new Date(ms);
  const two = (part: number) => `${part}`.padStart(2, "0");
  const date = `${`${at.getUTCFullYear()}`.padStart(4, "0")}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  return `${date}T${time}.${`${at.getUTCMilliseconds()}`.padStart(3, "0")}Z` as Timestamp;
}

export function isTimestamp(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text)) return false;
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && timestamp(ms) === text;
}

export function isPast(time: Timestamp, nowMs: number): boolean {
  return Date.parse(time) <= nowMs;
}

/** Parses what `--expires` takes: a span from now (`90d`, `12h`, `30m`, `8w`), a date, or an RFC 3339 time. */
export function parseExpiry(text: string, nowMs: number): Timestamp {
  const expiry = findTime(text, nowMs);
  if (expiry === undefined) {
    throw new VaultError(
      "bad-time",
      "not a time",
      "use a span (90d, 12h), a date (2027-01-31) or an RFC 3339 time",
    );
  }
  if (expiry > LAST_MS) {
    throw new VaultError(
      "bad-time",
      "further ahead than a time can be written",
      "give a time before the year 10000",
    );
  }
  if (expiry <= nowMs) {
    const when = timestamp(Math.max(expiry, FIRST_MS));
    throw new VaultError("bad-time", `already past: ${when}`, "give a time that lies ahead");
  }
  return timestamp(expiry);
}

/** Parses what `--since` takes: a span back from now (`90d`), a date, or an RFC 3339 time. */
export function parseMoment(text: string, nowMs: number): Timestamp {
  const span = findSpan(text);
  const moment = span === undefined ? findTime(text, nowMs) : nowMs - span;
  if (moment !== undefined && moment >= FIRST_MS && moment <= LAST_MS) return timestamp(moment);
  throw new VaultError(
    "bad-time",
    "not a time",
    "use a span back from now (90d, 12h), a date (2027-01-31) or an RFC 3339 time",
  );
}

/** Parses what `--stale` takes, a span (`90d`, `12h`, `30m`, `8w`), to milliseconds. */
export function parseAge(text: string): number {
  const age = findSpan(text);
  if (age !== undefined) return age;
  throw new VaultError("bad-time", "not an age", "use a span: 90d, 12h, 30m, 8w");
}

function findSpan(text: string): number | undefined {
  const span = /^([1-9]\d{0,5})([mhdw])$/.exec(text);
  return span === null ? undefined : Number(span[1]) * (MS_PER_UNIT[span[2] ?? ""] ?? 0);
}

function findTime(text: string, nowMs: number): number | undefined {
  const span = findSpan(text);
  if (span !== undefined) return nowMs + span;
  // Date.parse alone would take "2027-02-31" for the third of March and words in parentheses for nothing.
  const stamp = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/.exec(text);
  if (stamp === null) return undefined;
  const day = Date.parse(`${stamp[1]}T00:00:00Z`);
  if (Number.isNaN(day) || timestamp(day).slice(0, 10) !== stamp[1]) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
