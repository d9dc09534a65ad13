import { readSecretHistory, type SecretHistory, type SecretVersion } from "../../admin/secret-history.ts";
import { Repository } from "../../git/repository.ts";
import { keyFingerprint } from "../../vault/fingerprint.ts";
import { parseSecretRef, type SecretRef } from "../../vault/names.ts";
import type { SecretRecord } from "../../vault/schema.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { withVault } from "../reader.ts";
import { minuteOf, ownerName } from "../wording.ts";

const COMMIT_DIGITS = 10;
const VALUE_ID_DIGITS = 8;
const AUTHOR_LENGTH = 24;

export function run(context: CommandContext): Promise<number> {
  const ref = parseSecretRef(context.word(0));
  return withVault(context, async ({ vault }) => {
    const history = await readSecretHistory(await Repository.find(vault.files.root), vault, ref);
    if (context.has("json")) context.console.printJson(jsonOf(ref, history));
    else print(context, history);
    return DONE;
  });
}

function print(
  { console }: CommandContext,
  { versions, current, isUncommitted, isCut }: SecretHistory,
): void {
  if (versions.length > 0) {
    console.table([
      ["N", "COMMITTED (UTC)", "WHAT", "VALUE", "SIGNED BY", "SET (UTC)", "COMMIT", "AUTHOR"],
      ...versions.map((version) => cells(version, current)),
    ]);
  }
  if (isUncommitted) console.say("the secret as it stands now is not committed yet, and has no number");
  if (!isCut) return;
  console.say(
    "this clone's history is cut: older versions may be missing, and numbers are not those of a full clone",
  );
  console.detail("get the rest with git fetch --unshallow");
}

/** What is needed to choose one comes first: a narrow window has no room for the rest. */
function cells(version: SecretVersion, current: SecretRecord | undefined): string[] {
  const { number, at, commit, author } = commitCells(version);
  const { signer, what, setAt, value } = recordCells(version, current);
  return [number, at, what, value, signer, setAt, commit, author];
}

function commitCells({ number, past: { version } }: SecretVersion) {
  const at = Date.parse(version.at);
  const author =
    version.author.length > AUTHOR_LENGTH ? `${version.author.slice(0, AUTHOR_LENGTH)}…` : version.author;
  return {
    number: String(number),
    at: Number.isNaN(at) ? "-" : minuteOf(new Date(at).toISOString()),
    commit: version.commit.slice(0, COMMIT_DIGITS),
    author,
  };
}

const SAID = {
  set: "set",
  resealed: "sealed again",
  changed: "other fields",
  removed: "removed",
} as const;

function recordCells(version: SecretVersion, current: SecretRecord | undefined) {
  if (version.signer === undefined) return { signer: "no owner", what: "not signed", setAt: "-", value: "-" };
  const { record, change } = version;
  const said = { signer: ownerName(version.signer), what: SAID[change] };
  if (record.type === "tombstone") return { ...said, setAt: minuteOf(record.removedAt), value: "-" };
  const mark = record.valueId === current?.valueId ? " (current)" : "";
  return {
    ...said,
    setAt: minuteOf(record.setAt),
    value: record.valueId.slice(0, VALUE_ID_DIGITS) + mark,
  };
}

function jsonOf(ref: SecretRef, { versions, current, isUncommitted, isCut }: SecretHistory) {
  return {
    ...ref,
    valueId: current?.valueId ?? null,
    uncommitted: isUncommitted,
    cut: isCut,
    versions: versions.map((version) => ({
      number: version.number,
      commit: version.past.version.commit,
      committedAt: version.past.version.at,
      author: version.past.version.author,
      ...jsonOfRecord(version, current),
    })),
  };
}

function jsonOfRecord(version: SecretVersion, current: SecretRecord | undefined) {
  if (version.signer === undefined)
    return { what: "unsigned", owner: null, valueId: null, setAt: null, removedAt: null, current: false };
  const { record, signer, change } = version;
  const owner = { name: signer.name ?? null, key: keyFingerprint(signer.key), former: !signer.isCurrent };
  if (record.type === "tombstone")
    return { what: change, owner, valueId: null, setAt: null, removedAt: record.removedAt, current: false };
  const { valueId, setAt } = record;
  return { what: change, owner, valueId, setAt, removedAt: null, current: valueId === current?.valueId };
}
