import { requireUnexpired } from "../../launch/agent-session.ts";
import { formatRef, parseGroupName } from "../../vault/names.ts";
import type { SecretRecord } from "../../vault/schema.ts";
import type { Secret } from "../../vault/secret.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { formatDotenv } from "../formats/dotenv.ts";
import { formatGithub, formatGithubMask } from "../formats/github.ts";
import { formatJson } from "../formats/json.ts";
import { formatShell } from "../formats/shell.ts";
import type { NamedValue } from "../formats/source.ts";
import { pull } from "../pull.ts";
import { oneOf } from "../words.ts";

const FORMATS = {
  dotenv: formatDotenv,
  json: formatJson,
  shell: formatShell,
  github: formatGithub,
  "github-mask": formatGithubMask,
} satisfies Record<string, (values: readonly NamedValue[]) => string>;
const FORMAT_NAMES = Object.keys(FORMATS) as (keyof typeof FORMATS)[];

/** Prints a group's values under the variables that a launch would give them. */
export async function run(context: CommandContext): Promise<number> {
  const { console } = context;
  const group = parseGroupName(context.word(0));
  const format = FORMATS[formatName(context.text("format"))];
  let records: readonly SecretRecord[] = [];
  const text = await pull(context, {
    group,
    choose: (vault) => {
      records = vault.secrets(vault.group(group).name);
      if (!context.has("allow-expired"))
        for (const record of records) requireUnexpired(record, context.machine.now());
      refuseCollisions(records);
      return records;
    },
    prepare: (values) => format(named(records, values)),
  });
  if (console.streams.stdout.isTTY === true)
    console.say("these are values: they stay in this terminal's scrollback");
  noteFiles(context, records);
  await new Promise((resolve) => console.streams.stdout.write(text, resolve));
  return DONE;
}

function formatName(word: string | undefined): keyof typeof FORMATS {
  if (word !== undefined) return oneOf("format", FORMAT_NAMES, word, "vault-run export --help");
  throw new VaultError("usage", "no format is named", `say which: --format ${FORMAT_NAMES.join(", ")}`);
}

const variableOf = (record: SecretRecord) => record.env ?? record.name;

function named(records: readonly SecretRecord[], values: readonly Secret[]): NamedValue[] {
  return values.map((value, at) => {
    const record = records[at];
    if (record === undefined) throw new TypeError("a value that was not asked for");
    if (!value.isText()) throw notText(value);
    return { name: variableOf(record), value };
  });
}

function notText(value: Secret): VaultError {
  return new VaultError(
    "bad-value",
    `this value is no text (it has a NUL byte or is not UTF-8): ${value.ref}`,
    `export has no form for it; read it alone: vault-run get ${value.ref}`,
  );
}

function refuseCollisions(records: readonly SecretRecord[]): void {
  for (const [variable, wanting] of Map.groupBy(records, variableOf)) {
    if (wanting.length === 1) continue;
    throw new VaultError(
      "collision",
      `${wanting.map(formatRef).join(" and ")} both want the variable ${variable}`,
      "give one of them another: vault-run set GROUP/NAME --env VAR",
    );
  }
}

function noteFiles(context: CommandContext, records: readonly SecretRecord[]): void {
  const files = records.filter((record) => record.deliver === "file");
  if (files.length === 0) return;
  const names = files.map(formatRef).join(" ");
  context.console.say(`a launch delivers these as files; here they are the values themselves: ${names}`);
}
