import { join, resolve } from "node:path";
import { planSet, type SetOutcome } from "../../admin/plans/set.ts";
import { Repository } from "../../git/repository.ts";
import { isTooShort } from "../../redact/needles.ts";
import { parseDescription } from "../../vault/description.ts";
import { findVaultRoot } from "../../vault/find-vault.ts";
import { formatRef, parseSecretRef, parseVariableName } from "../../vault/names.ts";
import { MAX_VALUE_BYTES } from "../../vault/payload.ts";
import { Secret } from "../../vault/secret.ts";
import { parseExpiry } from "../../vault/time.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { readFileUpTo, readStream } from "../input.ts";
import { change, commitNote } from "../owner-verb.ts";

/** A value and its final line break, and one byte too many. */
const LONGEST_INPUT = MAX_VALUE_BYTES + 3;

export async function run(context: CommandContext): Promise<number> {
  const ref = parseSecretRef(context.word(0));
  const place = formatRef(ref);
  const expires = context.text("expires");
  const env = context.text("env");
  const options = {
    env: env === undefined ? undefined : parseVariableName(env),
    expiresAt: expires === undefined ? undefined : parseExpiry(expires, context.machine.now()),
    description: parseDescription(context.text("description")),
    deliver: deliveryOption(context),
    unsafeName: context.has("unsafe-name"),
  };
  using value = new Secret(place, await readValue(context, place));
  const tooShort = isTooShort(value.bytes());
  let outcome: SetOutcome = "new";
  const done = await change(context, "set", async (session) => {
    const planned = await planSet(session, ref, value, options);
    outcome = planned.outcome;
    return planned.plan;
  });
  context.console.say(
    done.plan.writes.length === 0
      ? `nothing to do: ${place} has this value already, so nothing was rotated`
      : `${SAID[outcome]} ${place}${commitNote(done)}`,
  );
  if (tooShort) context.console.say(`${place} is too short to be redacted from a program's output`);
  return DONE;
}

const SAID: Record<SetOutcome, string> = {
  new: "set",
  "new value": "set a new value of",
  "same value": "this is the value it already had, so nothing was rotated:",
};

function deliveryOption(context: CommandContext): "env" | "file" | undefined {
  if (context.has("as-file") && context.has("as-env")) {
    throw new VaultError("usage", "--as-file and --as-env exclude each other", "see vault-run set --help");
  }
  if (context.has("as-file")) return "file";
  return context.has("as-env") ? "env" : undefined;
}

/** From a file, from the prompt where there is a person, otherwise from standard input. Never from an argument. */
async function readValue(context: CommandContext, place: string): Promise<Buffer> {
  const file = context.text("from-file");
  if (file === undefined && context.console.isDeaf) {
    throw new VaultError(
      "usage",
      "the value cannot be asked for: standard error is no terminal",
      "pipe it to standard input, or use --from-file",
    );
  }
  if (file === undefined && context.console.canAsk) {
    await requireReady(context);
    const { askHidden } = await import("../prompt.ts");
    return askHidden(
      context,
      `value of ${place} (not shown)`,
      "put the value in a file and use --from-file, or pipe it to standard input",
    );
  }
  const bytes =
    file === undefined
      ? await readStream(context.console.input(), LONGEST_INPUT)
      : readFileUpTo(resolve(context.machine.cwd, file), LONGEST_INPUT);
  return context.has("exact") || context.has("as-file") ? bytes : withoutFinalBreak(bytes, context);
}

/** What would be refused whatever the value is: nobody is to type one for that. */
async function requireReady(context: CommandContext): Promise<void> {
  const repository = await Repository.find(join(findVaultRoot(context.machine, context.text("vault")), ".."));
  if (!context.has("no-commit")) await repository.requireCommittable();
}

/** What `echo` and editors add at the end is no part of a token, and breaks the header it is put into. */
function withoutFinalBreak(bytes: Buffer, context: CommandContext): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes;
  const end = bytes.at(-2) === 0x0d ? -2 : -1;
  context.console.say("the final line break is not part of the value (--exact keeps it)");
  return bytes.subarray(0, end);
}
