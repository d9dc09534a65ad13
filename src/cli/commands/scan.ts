import { checkKeyFiles } from "../../admin/check/key-files.ts";
import { type Finding, fingerprintOf, REFUSED_VAULT, TOO_MANY } from "../../scan/finding.ts";
import { scanContents } from "../../scan/scan.ts";
import { Scanner } from "../../scan/scanner.ts";
import { requireNoOlderAllow } from "../../scan/snapshot.ts";
import { ValueFinder } from "../../scan/values.ts";
import { allowedBy, VaultView } from "../../scan/vault-view.ts";
import type { RecordSource } from "../../vault/record-source.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE, REFUSED } from "../exit-status.ts";
import { findRecords } from "../scan-records.ts";
import { printReport } from "../scan-report.ts";
import { findTarget } from "../scan-target.ts";
import type { OpenValue } from "../scan-values.ts";
import { type OpenedVault, openForScan } from "../scan-vault.ts";

/** Prints what is found and what to do about each. Exit 1 where anything is. */
export async function run(context: CommandContext): Promise<number> {
  const { machine, console } = context;
  if (context.has("json") && context.has("sarif"))
    throw new VaultError("usage", "--json and --sarif exclude each other", "pass one of them");
  const target = await findTarget(context);
  const { files, folder, isOnDisk, base } = await findRecords(context, target);
  const options = {
    vault: isOnDisk ? files?.root : undefined,
    ownerKeyFile: context.text("owner-key-file"),
    agent: context.text("agent"),
    keyFile: context.text("key-file"),
    isOnDisk,
    isStaged: target.isStaged,
    base,
  };
  const opened: OpenedVault =
    files === undefined
      ? { vault: undefined, values: [] }
      : await openForScan(machine, files, options, (text) => console.say(text));
  const { allowed, problems } = allowList(context, opened, base);
  const isAllowed: Scanner["isAllowed"] = ({ rule, fingerprint }) =>
    rule !== TOO_MANY && allowed.has(fingerprint);
  const view = new VaultView({ vault: opened.vault, folder, allowsFormer: target.isHistory });
  const { findings, contents, isCut } = await scanContents(
    target.contents,
    scannerOf(context, opened.values, isAllowed),
    view,
  );
  if (isCut) console.say(`the rest is not looked through: there are ${findings.length} findings before it`);
  const loose = target.isHere && opened.vault !== undefined ? looseKeys(context, opened.vault.id) : [];
  const all = [...problems, ...loose, ...findings];
  const report = {
    findings: all.filter((finding) => !isAllowed(finding)),
    allowed: all.filter(isAllowed).map((one) => ({ ...one, reason: allowed.get(one.fingerprint) ?? "" })),
    contents,
  };
  await printReport(context, report);
  // Of a commit that is being made nothing is remembered: it may yet fail, and the vault go back to what it was.
  if (!target.isStaged && problems.length === 0)
    await opened.vault?.pin({ pid: machine.pid, host: machine.host, doing: "scan" });
  return report.findings.length === 0 ? DONE : REFUSED;
}

function scannerOf(
  { console }: CommandContext,
  values: readonly OpenValue[],
  isAllowed: Scanner["isAllowed"],
): Scanner {
  if (values.length === 0) return new Scanner(undefined, new Map(), isAllowed);
  const finder = new ValueFinder(values.map(({ secret }) => ({ name: secret.ref, value: secret.bytes() })));
  const valueIds = new Map(values.map(({ secret, valueId }) => [secret.ref, valueId]));
  for (const { secret } of values) secret.dispose();
  if (finder.tooShort.length > 0) console.say(`too short to be looked for: ${finder.tooShort.join(", ")}`);
  return new Scanner(finder, valueIds, isAllowed);
}

interface AllowList {
  readonly allowed: ReadonlyMap<string, string>;
  /** Of a list that is refused nothing counts, and that is a finding. */
  readonly problems: readonly Finding[];
}

function allowList(
  { console }: CommandContext,
  { vault, refused }: OpenedVault,
  base: RecordSource | undefined,
): AllowList {
  if (refused !== undefined) return { allowed: new Map(), problems: [problemOf(refused)] };
  if (vault === undefined) return { allowed: new Map(), problems: [] };
  try {
    if (base !== undefined) requireNoOlderAllow(vault, base);
    const allowed = allowedBy(vault);
    if (allowed !== "older") return { allowed, problems: [] };
    console.say(
      "another branch has a newer allow-list than this one, in which nothing counts: merge that branch",
    );
    return { allowed: new Map(), problems: [] };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return { allowed: new Map(), problems: [problemOf(error)] };
  }
}

function problemOf(error: VaultError): Finding {
  return structure(REFUSED_VAULT, ".vault", error.message, error.hint);
}

function looseKeys({ machine }: CommandContext, vault: Parameters<typeof checkKeyFiles>[1]): Finding[] {
  return checkKeyFiles(machine, vault).map(({ where, what, next }) =>
    structure("key-file-mode", where, what, next),
  );
}

function structure(rule: string, file: string, what: string, next: string): Finding {
  const fingerprint = fingerprintOf(rule, file, what);
  return { kind: "structure", rule, file, line: 1, column: 1, what, masked: "", fingerprint, next };
}
