import { constants as os } from "node:os";
import { redactStream } from "../../launch/redact-stream.ts";
import { listen } from "../../launch/signals.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";

const ENDING: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Standard input to standard output, as fast as it comes, to its end or to a signal that ends it: 128 + n. */
export async function run(context: CommandContext): Promise<number> {
  const { machine, console } = context;
  const options = {
    vault: context.text("vault"),
    agent: context.text("agent"),
    keyFile: context.text("key-file"),
    group: context.texts("group"),
    only: context.texts("only"),
    quiet: context.has("quiet"),
  };
  const stdin = console.input();
  let status: number = DONE;
  // What was read is passed on, and what was masked is recorded, also where a follower of a log is stopped by Ctrl-C.
  const listening = listen(context.signals, ENDING, (signal) => {
    status = 128 + os.signals[signal];
    stdin.destroy();
  });
  await redactStream(options, {
    machine,
    from: stdin,
    to: console.streams.stdout,
    warn: (text) => console.say(text),
  });
  listening.stop();
  return status;
}
