import type { Progress } from "../admin/plan.ts";
import type { Clock } from "../vault/time.ts";
import type { Console } from "./console.ts";

const WORTH_SHOWING = 20;
const UPDATE_MS = 100;
/** Before that a rate is a guess. */
const RATE_MS = 500;

/** Shows how far the work is on a terminal, at most ten times a second. */
export function progressLine(
  console: Pick<Console, "showsProgress" | "progress" | "clearProgress">,
  now: Clock,
  doing: string,
): Progress {
  let begun = { at: 0, done: Number.POSITIVE_INFINITY };
  let shownAt = Number.NEGATIVE_INFINITY;
  return (done, total) => {
    if (!console.showsProgress || total < WORTH_SHOWING) return;
    const at = now();
    // The first piece of work, or the next work of the same kind.
    if (done <= begun.done) begun = { at, done };
    if (done >= total) {
      console.clearProgress();
      return;
    }
    if (at - shownAt < UPDATE_MS) return;
    shownAt = at;
    const percent = Math.floor((100 * done) / total);
    const pace = paceOf(done - begun.done, total - done, at - begun.at);
    console.progress(`${doing} ${done}/${total} (${percent} %)${pace}`);
  };
}

/** Shows how many lines of logs were read so far. How many there are nobody knows before. */
export function readingOf(console: Pick<Console, "progress">, now: Clock): (lines: number) => void {
  let shownAt = now();
  return (lines) => {
    const at = now();
    if (at - shownAt < UPDATE_MS) return;
    shownAt = at;
    console.progress(`reading the audit logs, ${lines} lines`);
  };
}

function paceOf(since: number, left: number, ms: number): string {
  if (ms < RATE_MS || since < 1) return "";
  const perSecond = (since * 1000) / ms;
  const rate = perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toString();
  return `, ${rate}/s, ${spanOf(Math.ceil(left / perSecond))} left`;
}

function spanOf(seconds: number): string {
  return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
