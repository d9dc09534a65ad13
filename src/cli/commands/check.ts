import { checkVault } from "../../admin/check/check.ts";
import type { Finding } from "../../admin/check/finding.ts";
import { findVaultRoot } from "../../vault/find-vault.ts";
import { formatRef } from "../../vault/names.ts";
import type { Vault } from "../../vault/vault.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE, REFUSED } from "../exit-status.ts";
import { findExposed, readerName } from "../exposed.ts";
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

/** The rotation list is one of a vault that can be read whole: where it cannot, other findings say so. */
function toRotate(vault: Vault, nowMs: number): Finding[] {
  try {
    return findExposed(vault, nowMs).map((secret) => {
      const place = formatRef(secret);
      const expired = secret.readers.filter((reader) => reader.grantExpired !== null);
      const first = expired
        .map((reader) => `vault-run revoke ${readerName(reader)} ${secret.group}; then `)
        .join("");
      return {
        level: "error",
        kind: "rotate",
        where: place,
        what: `someone no longer authorised could have read it: ${place}`,
        next: `${first}give it a new value at its source, then: vault-run set ${place}; who and since when: vault-run rotation`,
      };
    });
  } catch (error) {
    if (error instanceof VaultError) return [];
    throw error;
  }
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
