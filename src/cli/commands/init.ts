import { initVault } from "../../admin/init.ts";
import { vaultRootFor } from "../../vault/find-vault.ts";
import { findVariable } from "../../vault/machine.ts";
import { diskError, VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import type { Guard } from "../hooks/guards.ts";
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
  const { COMMIT_EVENTS } = await import("../../git/hooks.ts");
  const { findGuard, installGuard } = await import("../hooks/guards.ts");
  const { sayInstalled, WITHOUT_HOOK } = await import("../hooks/wording.ts");
  const place = await findGitPlace(machine.cwd, machine.env);
  if (place === undefined) return;
  const guards: Guard[] = [];
  for (const event of COMMIT_EVENTS) guards.push(await findGuard(place, event));
  const missing = guards.filter(({ isInstalled }) => !isInstalled);
  if (missing.length === 0) return;
  const isPlain = missing.every(({ isByHand, isShared, isOff }) => !isByHand && !isShared && !isOff);
  const canInstall = console.canAsk && !context.has("yes") && isPlain;
  if (canInstall) {
    const { askYes } = await import("../prompt.ts");
    if (await askYes(console, "look for secrets before each git commit and git merge, by hooks of git's?")) {
      for (const guard of missing) {
        await installGuard(place, guard);
        sayInstalled(console, guard);
      }
      console.detail(WITHOUT_HOOK);
      return;
    }
  }
  console.detail("to have secrets looked for before each git commit and git merge: vault-run hook install");
}
