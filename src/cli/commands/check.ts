import { checkVault } from "../../admin/check/check.ts";
import type { Finding } from "../../admin/check/finding.ts";
import { findVaultRoot } from "../../vault/find-vault.ts";
import type { CommandContext } from "../context.ts";
import { DONE, REFUSED } from "../exit-status.ts";
import { toRotate } from "../listings/check.ts";
import { counted } from "../wording.ts";

/** Prints every finding with its next step. Exit 1 where one is more than a note. */
export async function run(context: CommandContext): Promise<number> {
  const { machine, console } = context;
  const checked = await checkVault(machine, {
    root: findVaultRoot(machine, context.text("vault")),
    base: context.text("base"),
    ownerKeyFile: context.text("owner-key-file"),
    agent: context.text("agent"),
    keyFile: context.text("key-file"),
  });
  const findings = [...checked.findings, ...toRotate(checked.session.vault, machine.now())];
  const errors = findings.filter((finding) => finding.level === "error");
  if (context.has("json")) console.printJson({ opened: checked.opened, findings });
  else print(context, findings, errors.length, checked.opened);
  if (errors.length > 0) return REFUSED;
  await checked.session.vault.pin({ pid: machine.pid, host: machine.host, doing: "check" });
  return DONE;
}

function print(
  { console }: CommandContext,
  findings: readonly Finding[],
  errors: number,
  opened: boolean,
): void {
  const inOrder = [...findings].sort((a, b) => Number(a.level === "note") - Number(b.level === "note"));
  for (const { level, kind, what, next } of inOrder) {
    console.print(`${level} ${kind}: ${what}`);
    console.print(`  ${next}`);
  }
  const notes = findings.length - errors;
  const found = errors === 0 ? "nothing wrong" : counted(errors, "error");
  console.say(`${found}${notes === 0 ? "" : `, ${counted(notes, "note")}`}`);
  if (!opened)
    console.detail("without an owner's key nothing was opened: what is sealed was taken as signed");
}
