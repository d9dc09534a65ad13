import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { NAMESPACE, UNPRIVILEGED } from "../../test/fixtures/isolation.ts";
import { onStand, type Seen, type Stand, tiny } from "../../test/fixtures/stand.ts";
import { keepsPlaintext, VALUE } from "./contenders.ts";
import type { Contender } from "./launchers.ts";

// What is asked of each launcher. An answer is a few words for a table's cell.

const SIGNALS = ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH"];
const HEARING_S = 2.5;
const ORPHANS = 50;

export type Measure = (contender: Contender) => Promise<string>;

export const MEASURES: Readonly<Record<string, Measure>> = {
  "exit status 7": async (contender) => `${(await see(contender, {}, tiny("exits", 7))).status}`,
  "killed by TERM, by KILL": async (contender) => {
    const statuses = [];
    for (const signal of ["SIGTERM", "SIGKILL"])
      statuses.push((await see(contender, {}, tiny("dies", signal))).status);
    return statuses.join(", ");
  },
  "signals that reach it": async (contender) => {
    const counts = new Map<string, number>();
    for (const name of SIGNALS)
      counts.set(name, await heard(contender, {}, `SIG${name}`, { signal: `SIG${name}` }));
    const once = SIGNALS.filter((name) => counts.get(name) === 1);
    const others = SIGNALS.filter((name) => counts.get(name) !== 1).map(
      (name) => `${name} ${counts.get(name)}x`,
    );
    if ([...counts.values()].every((count) => count === 0)) return `none of ${SIGNALS.length}`;
    return [`${once.length} of ${SIGNALS.length} once`, ...others].join("; ");
  },
  "TERM takes": async (contender) => {
    const send = [{ signal: "SIGTERM" }];
    const { took, log } = await see(contender, { send }, [
      "sh",
      "-c",
      `trap 'echo got >> $LOG; exit 3' TERM; echo ready >> $LOG; i=0; while [ $i -lt 500 ]; do sleep 0.01; i=$((i+1)); done`,
    ]);
    return log.includes("got") ? `${took.toFixed(2)} s` : "never arrives";
  },
  "Ctrl-C on a terminal": async (contender) => {
    const counts = new Set<number>();
    for (let look = 0; look < 3; look++)
      counts.add(await heard(contender, TERMINAL, "SIGINT", { type: "\u0003" }));
    return [...counts]
      .sort()
      .map((count) => `${count}x`)
      .join(" or ");
  },
  "has a terminal on": async (contender) => {
    const { log } = await see(contender, TERMINAL, tiny("looks"));
    return `${/terminals (\d)/.exec(log)?.[1] ?? "?"} of 3 streams`;
  },
  "value shown on a terminal": async (contender) => {
    const { outputs } = await see(contender, TERMINAL, tiny("looks"));
    return yesNo(outputs.terminal?.text.includes(VALUE) === true);
  },
  "value shown in a pipe": async (contender) => {
    const { outputs } = await see(contender, {}, tiny("looks"));
    return yesNo(outputs.stdout?.text.includes(VALUE) === true);
  },
  "key in the program's environment": async (contender) => {
    if (contender.key === undefined) return "has no key";
    const { log } = await see(contender, {}, tiny("looks"));
    return yesNo(new RegExp(`^environment self .*${contender.key}`, "m").test(log));
  },
  "key readable in the launcher": async (contender) => {
    if (contender.key === undefined) return "has no key";
    const { log } = await see(contender, {}, UNPRIVILEGED, tiny("looks"));
    return yesNo(new RegExp(`^environment parent .*${contender.key}`, "m").test(log));
  },
  "descriptor 3 of the caller": async (contender) => {
    const { outputs } = await see(contender, { hold: [[3, "file"]] }, tiny("holds", 3));
    return outputs.stdout?.text.startsWith("3 0 b'held'") || outputs.stdout?.text.includes("held")
      ? "there"
      : "lost";
  },
  "order of 2>&1": async (contender) => {
    const { outputs } = await see(contender, { stdout: "pipe", stderr: "stdout" }, tiny("both"));
    const expected = Array.from({ length: 200 }, (_, i) => `line ${i}\n`).join("");
    return outputs.stdout?.text === expected ? "kept" : "lost";
  },
  "value written to a file": async (contender) =>
    keepsPlaintext(contender) ? "in its own file" : yesNo(await writesValue(contender)),
  "as PID 1: zombies of 50 orphans": async (contender) => {
    const script = `i=0; while [ $i -lt ${ORPHANS} ]; do (sleep 0.01 &); i=$((i+1)); done; sleep 1; ps -eo stat | grep -c '^Z' > "$LOG"; true`;
    const { log } = await see(contender, {}, NAMESPACE, ["sh", "-c", script]);
    return log.trim();
  },
  "as PID 1: TERM": async (contender) => {
    const script = `trap 'echo got >> "$LOG"' TERM; sleep 1; kill -TERM 1; i=0; while [ $i -lt 40 ]; do sleep 0.1; i=$((i+1)); done; echo end >> "$LOG"`;
    const { log } = await see(contender, {}, NAMESPACE, ["sh", "-c", script]);
    return log.includes("got") ? "reaches it" : log.includes("end") ? "lost" : "ends all unheard";
  },
};

const TERMINAL: Stand = { stdin: "tty", stdout: "tty", stderr: "tty" };

/** Runs a command through the launcher; with two commands the first is what runs the launcher. */
function see(contender: Contender, stand: Stand, ...commands: readonly (readonly string[])[]): Promise<Seen> {
  const command = commands.at(-1) ?? [];
  const around = commands.length > 1 ? (commands[0] ?? []) : [];
  const place = { home: contender.folder, repo: contender.folder, env: contender.env };
  return onStand(place, stand, [...around, ...contender.launch(command)]);
}

async function heard(
  contender: Contender,
  stand: Stand,
  name: string,
  sent: { signal: string } | { type: string },
): Promise<number> {
  const { log, status } = await see(contender, { ...stand, send: [sent] }, tiny("hears", name, HEARING_S));
  // A launcher that died of it leaves the program behind.
  if (status !== 9 && !log.includes("end"))
    await new Promise((resolve) => setTimeout(resolve, HEARING_S * 1000));
  return log.split("\n").filter((line) => line === name).length;
}

/** Whether a launch writes the value to anything that is a file on a disk. */
async function writesValue(contender: Contender): Promise<boolean> {
  const output = join(contender.folder, "trace");
  const strace = ["strace", "-ff", "-y", "-s", "4096", "-o", output, "-e", "trace=write,writev,pwrite64"];
  await see(contender, {}, strace, ["sh", "-c", 'echo "$API_KEY"']);
  const traces = readdirSync(contender.folder).filter((name) => name.startsWith("trace."));
  const lines = traces.flatMap((name) => readFileSync(join(contender.folder, name), "latin1").split("\n"));
  for (const name of traces) rmSync(join(contender.folder, name));
  const targets = lines
    .filter((line) => line.includes(VALUE))
    .map((line) => /\(\d+<([^>]*)>/.exec(line)?.[1] ?? "");
  return targets.some((target) => !/^(pipe|socket|UNIX|anon_inode|\/dev\/(shm|pts))/.test(target));
}

function yesNo(answer: boolean): string {
  return answer ? "yes" : "no";
}
