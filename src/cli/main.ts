import {
  countDescriptors,
  type FoundDescriptor,
  inheritedDescriptors,
} from "../launch/inherited-descriptors.ts";
import { findReceiver, machineOf } from "../machine.ts";
import { MistypedWord, systemCode, VaultError } from "../vault-error.ts";
import { asksForLaunch, findLaunch, type LaunchRequest } from "./arguments.ts";
import { Console } from "./console.ts";
import { endProcess, exit } from "./end-process.ts";
import { LAUNCH_FAILED, REFUSED, VERB_STATUS } from "./exit-status.ts";
import { runLaunch } from "./run-launch.ts";

// The program's edge: the one place that reads the process's state, the one catch, and the one place that sets the exit
// status.

/** @param closeInspector closes node's inspector where it is open, which takes some milliseconds to look. */
export async function run(process: NodeJS.Process, closeInspector: () => void): Promise<void> {
  const words = process.argv.slice(2);
  // First: a console may open a terminal anew.
  const inherited = descriptorsOf(process, closeInspector);
  const console = new Console(process, process.env);
  let status: number;
  // What ends before it has a status has failed: an event loop with nothing left to do would end with 0.
  process.exitCode = asksForLaunch(words) ? LAUNCH_FAILED : REFUSED;
  try {
    refuseLoudNode(process);
    const launch = findLaunch(words);
    // A launch passes its child's output on, and its streams have their own answer to a failed write.
    if (launch === undefined || launch.dryRun) watchOutput(process, console);
    status = await (launch === undefined
      ? performVerb(words, process, inherited, console)
      : performLaunch(launch, process, inherited, console, closeInspector));
  } catch (error) {
    status = report(await withSuggestion(error, words), asksForLaunch(words), console);
  }
  // A launch has waited for its readers; what is left is what it gave up.
  const streams = [process.stdout, process.stderr];
  const waiting = asksForLaunch(words) ? streams.filter((stream) => !stream.writableNeedDrain) : streams;
  await endProcess(process, status, waiting);
}

/** What we were handed on. A signal in the first moments may have opened node's inspector: then there is a socket. */
function descriptorsOf(process: NodeJS.Process, closeInspector: () => void): FoundDescriptor[] {
  const found = inheritedDescriptors(process.env);
  if (!found.some(({ isSocket }) => isSocket)) return found;
  closeInspector();
  return inheritedDescriptors(process.env);
}

async function performLaunch(
  request: LaunchRequest,
  process: NodeJS.Process,
  inherited: readonly FoundDescriptor[],
  console: Console,
  closeInspector: () => void,
): Promise<number> {
  if (!request.options.redact) console.talkUnbuffered();
  const warn = (text: string) => console.say(text);
  const open = countDescriptors();
  const beforeValues = () => {
    if (countDescriptors() !== open) closeInspector();
  };
  const machine = machineOf(process);
  const receiver = await findReceiver(machine, request.auditTo, inherited);
  const around = {
    machine: receiver === undefined ? machine : { ...machine, auditReceiver: receiver },
    streams: process,
    signals: process,
    inherited: inherited.filter(({ fd }) => fd !== receiver?.fd),
    beforeValues,
    warn,
  };
  return runLaunch(request, around, console);
}

async function performVerb(
  words: readonly string[],
  process: NodeJS.Process,
  inherited: readonly FoundDescriptor[],
  console: Console,
): Promise<number> {
  const { runVerb } = await import("./run-verb.ts");
  const findMachine = async (auditTo: string | undefined) => {
    const machine = machineOf(process);
    const receiver = await findReceiver(machine, auditTo, inherited);
    return receiver === undefined ? machine : { ...machine, auditReceiver: receiver };
  };
  return runVerb(words, findMachine, console, process);
}

/**
 * With these, node itself prints environments and arguments, a launched program's among them, or gives everything in
 * memory to whoever connects, or to a file.
 */
function refuseLoudNode(process: NodeJS.Process): void {
  const words = [process.env.NODE_OPTIONS ?? "", ...process.execArgv].join(" ").replaceAll("_", "-");
  const revealing = /--(inspect|heapsnapshot|heap-prof|report)/.exec(words)?.[0];
  if (revealing !== undefined) {
    throw new VaultError(
      "usage",
      `${revealing} opens what is in memory, values included`,
      "start vault-run without it",
    );
  }
  const loud = ["NODE_DEBUG", "NODE_DEBUG_NATIVE"].find((variable) => (process.env[variable] ?? "") !== "");
  if (loud === undefined) return;
  throw new VaultError(
    "usage",
    `${loud} makes node print what it handles, values included`,
    `unset ${loud} for vault-run`,
  );
}

/** The same error, its hint what was most likely meant where that can be said. */
async function withSuggestion(error: unknown, words: readonly string[]): Promise<unknown> {
  const isVerbless = words[0]?.startsWith("-") === true && !words.includes("--");
  if (error instanceof VaultError && error.code === "usage" && isVerbless) {
    const { findLateVerb } = await import("./near-word.ts");
    const late = findLateVerb(words);
    if (late !== undefined) return late;
  }
  if (!(error instanceof MistypedWord)) return error;
  const { suggested } = await import("./near-word.ts");
  return suggested(error);
}

/** What no code of ours brings about. Who called may have had nothing to say of it. */
const OF_THE_MACHINE = new Set(["EIO", "EINTR", "EAGAIN", "ENOMEM", "ENOSPC", "EDQUOT", "EROFS", "ESTALE"]);

function report(error: unknown, isLaunch: boolean, console: Console): number {
  if (error instanceof VaultError) {
    console.error(error);
    return isLaunch ? LAUNCH_FAILED : VERB_STATUS[error.code];
  }
  if (systemCode(error) === "EMFILE" || systemCode(error) === "ENFILE") {
    console.error(
      new VaultError(
        "disk",
        `there are no descriptors left (${systemCode(error)})`,
        "raise the limit of open files: ulimit -n",
      ),
    );
    return isLaunch ? LAUNCH_FAILED : REFUSED;
  }
  if (OF_THE_MACHINE.has(systemCode(error) ?? "")) {
    const { syscall = "a call" } = error as NodeJS.ErrnoException;
    console.error(
      new VaultError(
        "disk",
        `the system refused a call (${syscall}, ${systemCode(error)})`,
        "look at this machine's disk and memory, and run the command again",
      ),
    );
    return isLaunch ? LAUNCH_FAILED : REFUSED;
  }
  // A defect. Its message may quote anything, so only where it happened is shown.
  console.say(
    `a defect in vault-run (${error instanceof Error ? error.name : typeof error}${systemCode(error) === undefined ? "" : ` ${systemCode(error)}`})`,
  );
  if (error instanceof Error)
    for (const line of (error.stack ?? "")
      .split("\n")
      .filter((text) => /^\s+at /.test(text))
      .slice(0, 4))
      console.detail(line.trim());
  console.detail("please report it with these lines; they hold no value");
  return isLaunch ? LAUNCH_FAILED : REFUSED;
}

/** A reader that went away (`vault-run list | head -1`) is no error of ours; a disk that is full is. */
function watchOutput(process: NodeJS.Process, console: Console): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      const code = systemCode(error);
      if (code === "EPIPE" || code === "ECONNRESET") return;
      console.error(
        new VaultError(
          "disk",
          `cannot write the output (${code ?? "error"})`,
          "look at where standard output goes",
        ),
      );
      exit(process, REFUSED);
    });
  }
}
