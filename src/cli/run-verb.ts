import type { SignalSource } from "../launch/child.ts";
import type { Machine } from "../vault/machine.ts";
import type { Console } from "./console.ts";
import { CommandContext } from "./context.ts";
import { DONE } from "./exit-status.ts";
import { parseVerbRequest } from "./verb-arguments.ts";

/** `vault-run VERB …`, help and version: all that is no launch. Resolves to the exit status. */
export async function runVerb(
  words: readonly string[],
  findMachine: (auditTo: string | undefined) => Promise<Machine>,
  console: Console,
  signals: SignalSource,
): Promise<number> {
  const request = parseVerbRequest(words);
  switch (request.kind) {
    case "help": {
      const { printHelp } = await import("./help.ts");
      printHelp(request.verb, console.columns);
      return DONE;
    }
    case "version": {
      const { VERSION } = await import("./version.ts");
      console.print(VERSION);
      return DONE;
    }
    case "verb": {
      const { verb, values, words: given } = request;
      const { run: command } = await verb.load();
      const to = values["audit-to"];
      const machine = await findMachine(typeof to === "string" ? to : undefined);
      return command(
        new CommandContext(atTerminal(machine, console, signals), console, signals, values, given),
      );
    }
  }
}

/** The machine with the person at its terminal, where there is one. */
function atTerminal(machine: Machine, console: Console, signals: SignalSource): Machine {
  if (!console.canAsk) return machine;
  const askPassphrase = async (question: string) => {
    const { askHidden } = await import("./prompt.ts");
    return askHidden(
      { console, signals },
      question,
      "put the passphrase in a file of mode 0600 and name that in VAULT_RUN_OWNER_PASSPHRASE_FILE",
    );
  };
  return { ...machine, askPassphrase };
}
