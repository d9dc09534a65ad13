import { type Finding, REFUSED_VAULT, TOO_MANY } from "../scan/finding.ts";
import { sarifOf } from "../scan/sarif.ts";
import type { CommandContext } from "./context.ts";
import { counted } from "./wording.ts";

export interface ScanReport {
  readonly findings: readonly Finding[];
  readonly allowed: readonly (Finding & { readonly reason: string })[];
  readonly contents: number;
}

export async function printReport(context: CommandContext, report: ScanReport): Promise<void> {
  const { console } = context;
  const { findings, allowed, contents } = report;
  if (context.has("json")) console.printJson(report);
  else if (context.has("sarif")) {
    const { VERSION } = await import("./version.ts");
    console.printJson(sarifOf(findings, allowed, VERSION));
  } else for (const finding of findings) printFinding(context, finding);
  const found = findings.length === 0 ? "nothing found" : counted(findings.length, "finding");
  const passed = allowed.length === 0 ? "" : `, ${allowed.length} allowed by the owner`;
  console.say(`${found}${passed}; looked through ${contents === 1 ? "1 content" : `${contents} contents`}`);
}

function printFinding({ console }: CommandContext, finding: Finding): void {
  const { file, line, column, commit, rule, what, masked, fingerprint, next } = finding;
  console.print(`${file}:${line}:${column} ${rule}: ${what}${masked === "" ? "" : ` ${masked}`}`);
  if (commit !== undefined) console.print(`  since commit ${commit}`);
  console.print(`  ${next}`);
  if (rule !== TOO_MANY && rule !== REFUSED_VAULT)
    console.print(`  if it is no secret, an owner can allow it: vault-run allow ${fingerprint} --reason WHY`);
}
