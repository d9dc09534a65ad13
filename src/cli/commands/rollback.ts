import { readGroupHistory } from "../../admin/group-history.ts";
import { openPastValue } from "../../admin/past-value.ts";
import type { Plan } from "../../admin/plan.ts";
import { planRollback, type ValueVersion, versionToSet } from "../../admin/plans/rollback.ts";
import { readSecretHistory, type SecretHistory } from "../../admin/secret-history.ts";
import { Repository } from "../../git/repository.ts";
import { formatRef, parseSecretRef, type SecretRef, type VaultId } from "../../vault/names.ts";
import { findOwnerKey } from "../../vault/owner-key.ts";
import type { SecretRecord } from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { change, commitNote } from "../owner-verb.ts";
import { minuteOf, ownerName } from "../wording.ts";

export async function run(context: CommandContext): Promise<number> {
  const ref = parseSecretRef(context.word(0));
  const number = parseNumber(context.text("to"), ref);
  const place = formatRef(ref);
  let before: SecretRecord | undefined;
  const done = await change(context, "rollback", async (session) => {
    const { vault, identity } = session;
    const repository = await Repository.find(vault.files.root);
    const secretHistory = await readSecretHistory(repository, vault, ref);
    const version = versionToSet(ref, secretHistory, number);
    if (secretHistory.current?.valueId === version.record.valueId) return nothingToDo(ref);
    before = secretHistory.current ?? version.record;
    await confirm(context, ref, secretHistory, version);
    const history = await readGroupHistory(repository, vault, ref.group, [ref.name]);
    const identities = [identity, ...(await formerIdentities(context, vault.id))];
    using value = await openPastValue({ ...version.past, record: version.record }, history, identities);
    return planRollback(session, version, value, history);
  });
  const [write] = done.plan.writes;
  if (write === undefined) {
    context.console.say(`version ${number} of ${place} has the value it has now: nothing to do`);
    return DONE;
  }
  context.console.say(`rolled back ${place} to the value of version ${number}${commitNote(done)}`);
  if (write.record.type === "secret") printConsequences(context, before, write.record);
  return DONE;
}

function parseNumber(text: string | undefined, ref: SecretRef): number {
  if (text !== undefined && /^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new VaultError(
    "usage",
    text === undefined ? "say to which version, with --to N" : "--to takes the number of a version",
    `see them with vault-run history ${formatRef(ref)}`,
  );
}

function nothingToDo(ref: SecretRef): Plan {
  return { event: { action: "rollback", group: ref.group }, writes: [], message: "" };
}

/** A key that an owner had: it opens what was sealed to it then, and counts for nothing else. */
async function formerIdentities(context: CommandContext, vault: VaultId) {
  const file = context.text("former-key-file");
  return file === undefined ? [] : [(await findOwnerKey(context.machine, vault, file)).keyFile.identity];
}

function confirm(
  context: CommandContext,
  ref: SecretRef,
  { current, versions }: SecretHistory,
  { number, record, signer }: ValueVersion,
): Promise<void> {
  const place = formatRef(ref);
  const to = `the value of ${minuteOf(record.setAt)} (version ${number} of ${versions.length}, signed by ${ownerName(signer)})`;
  const question =
    current === undefined
      ? `${place} was removed: set ${to} again?`
      : `roll ${place} back from the value of ${minuteOf(current.setAt)} to ${to}?`;
  if (signer.isCurrent) return context.confirm(question);
  const matter = `version ${number} of ${place} was signed by ${ownerName(signer)}, and may be of whoever has that key`;
  return context.confirmByPerson(`${matter}; ${question}`, matter);
}

function printConsequences(
  { console }: CommandContext,
  before: SecretRecord | undefined,
  { exposedTo, expiresAt, deliver }: SecretRecord,
): void {
  if (before?.expiresAt !== undefined && expiresAt === undefined)
    console.detail(`its expiry, ${minuteOf(before.expiresAt)}, had passed and was dropped`);
  if (before?.deliver === "env" && deliver === "file")
    console.detail("this value cannot stand in a variable, so it is delivered as a file now");
  if (exposedTo.length > 0)
    console.detail("others could read this value before, and may have it: see vault-run rotation");
}
