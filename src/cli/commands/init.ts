import { initVault } from "../../admin/init.ts";
import { vaultRootFor } from "../../vault/find-vault.ts";
import { findVariable } from "../../vault/machine.ts";
import { diskError, VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { warnOfKeyInRepo } from "../new-key-file.ts";
import { ownerKeyText } from "../new-passphrase.ts";
import { commitNote } from "../owner-verb.ts";
import { oneOf } from "../words.ts";

const AUDIT_POLICIES = ["required", "best-effort"] as const;

export async function run(context: CommandContext): Promise<number> {
  const { machine, console } = context;
  const made = await initVault(
    machine,
    {
      root: vaultRootFor(machine, context.text("vault") ?? findVariable(machine, "VAULT_RUN_VAULT") ?? "."),
      ownerKeyFile: context.text("owner-key-file") ?? findVariable(machine, "VAULT_RUN_OWNER_KEY_FILE"),
      commit: !context.has("no-commit"),
      doing: "init",
      suite: context.has("classic") ? "classic" : "pq",
      ownerName: context.text("name") ?? "owner",
      keyText: (plain) => ownerKeyText(context, plain),
      audit: oneOf("audit", AUDIT_POLICIES, context.text("audit") ?? "required", "vault-run init --help"),
    },
    { note: (text) => console.say(text) },
  );
  console.say(`made vault ${made.vault}${commitNote(made)}`);
  console.detail(`owner key: ${made.keyPath}`);
  await warnOfKeyInRepo(context, made.keyPath);
  console.detail(`owner verify key: ${made.verifyKey}`);
  console.detail("back that key file up now, offline: it opens everything, and nothing else can replace it");
  if (context.has("passphrase"))
    console.detail("its passphrase opens it, and nothing else does: keep that too");
  console.detail(
    `next: vault-run add-agent NAME, then vault-run set GROUP/NAME, then vault-run grant NAME GROUP`,
  );
  await offerHook(context);
  return DONE;
}

/** The vault is made by now, so whatever keeps the hook from being there is told and no more. */
async function offerHook(context: CommandContext): Promise<void> {
  try {
    await askForHook(context);
  } catch (error) {
    const told = diskError(error, "make the hook in", context.machine.cwd);
    if (!(told instanceof VaultError)) throw told;
    context.console.error(told);
  }
}

/** Asks a person; without one to ask it is said how. */
async function askForHook(context: CommandContext): Promise<void> {
  const { machine, console } = context;
  const { findGitPlace } = await import("../../git/changes.ts");
  const { findGuard, installGuard } = await import("../hooks/guards.ts");
  const place = await findGitPlace(machine.cwd, machine.env);
  const guard = place === undefined ? undefined : await findGuard(place, "pre-commit");
  if (place === undefined || guard === undefined || guard.isInstalled) return;
  const isPlain = guard.lines.length === 0 && !guard.isShared && !guard.isOff;
  const canInstall = console.canAsk && !context.has("yes") && isPlain;
  if (canInstall) {
    const { askYes } = await import("../prompt.ts");
    if (
      await askYes(console, "look through every commit for secrets before it is made, by a hook of git's?")
    ) {
      await installGuard(place, guard);
      console.say(`every commit is looked through from now on: ${guard.path}`);
      return;
    }
  }
  console.detail("to have every commit looked through for secrets before it is made: vault-run hook install");
}
