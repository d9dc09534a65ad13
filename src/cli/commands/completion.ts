import { findVaultRoot } from "../../vault/find-vault.ts";
import type { Machine } from "../../vault/machine.ts";
import { MistypedWord, VaultError } from "../../vault-error.ts";
import { type Completion, complete, findOption } from "../completion/complete.ts";
import { SCRIPTS, SHELLS } from "../completion/scripts.ts";
import { vaultNames } from "../completion/vault-names.ts";
import type { CommandContext } from "../context.ts";
import { DONE, USAGE } from "../exit-status.ts";
import { readStream } from "../input.ts";

const MAX_LINE_BYTES = 1024 * 1024;

export async function run(context: CommandContext): Promise<number> {
  const word = context.word(0);
  const shell = SHELLS.find((candidate) => candidate === word);
  if (shell === undefined) {
    const what = `completion is for ${SHELLS.join(", ")}`;
    throw new MistypedWord("usage", what, "see vault-run completion --help", {
      word,
      choices: () => SHELLS,
      before: "vault-run completion ",
    });
  }
  const { stdout } = context.console.streams;
  if (!context.has("words")) {
    stdout.write(SCRIPTS[shell]);
    return DONE;
  }
  const typed = (await readStream(context.console.input(), MAX_LINE_BYTES)).toString("utf8");
  if (!typed.endsWith("\0")) return USAGE;
  const words = typed.slice(0, -1).split("\0");
  stdout.write(format(complete(words, vaultNames(findRoot(context.machine, findOption(words, "vault"))))));
  return DONE;
}

function findRoot(machine: Machine, option: string | undefined): string | undefined {
  try {
    return findVaultRoot(machine, option);
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}

/** The first line says what kind; then a word a line, and what it is behind a tab. */
function format(completion: Completion): string {
  if (completion.kind === "command") return `command ${completion.after}\n`;
  const words = completion.kind === "words" ? completion.words : [];
  const lines = words.map(({ word, about }) => (about === undefined ? word : `${word}\t${about}`));
  return [completion.kind, ...lines, ""].join("\n");
}
