import { knownReaders } from "../../admin/known-readers.ts";
import type { AuditLine } from "../../audit/event.ts";
import { auditLogPath } from "../../audit/log.ts";
import { type ReadLine, readAuditLog } from "../../audit/read.ts";
import type { CommandContext } from "../context.ts";
import { DONE, REFUSED } from "../exit-status.ts";
import { withVault } from "../reader.ts";

/** Lists this machine's log, oldest first. Exit 1 where a line does not verify. */
export function run(context: CommandContext): Promise<number> {
  return withVault(context, async ({ vault }) => {
    const lines: ReadLine[] = [];
    for await (const line of readAuditLog(
      auditLogPath(context.machine, vault.id),
      await knownReaders(vault),
    )) {
      if (line.status === "torn" || line.line.vault === vault.id) lines.push(line);
    }
    if (context.has("json")) context.console.printJson({ lines: lines.map(shown) });
    else print(context, lines);
    return lines.every((line) => line.status === "verified" && !line.gap) ? DONE : REFUSED;
  });
}

function shown(read: ReadLine) {
  return read.status === "torn"
    ? { status: read.status, number: read.number }
    : { status: read.status, gap: read.gap, ...read.line };
}

function print({ console }: CommandContext, lines: readonly ReadLine[]): void {
  if (lines.length === 0) {
    console.say("nothing recorded on this machine yet");
    return;
  }
  const rows = lines.map((read) =>
    read.status === "torn"
      ? ["-", "torn line", String(read.number), "", ""]
      : row(read.line, read.gap ? `${read.status}, lines missing before it` : read.status),
  );
  console.table([["TIME (UTC)", "ACTION", "WHO", "WHAT", "LINE"], ...rows]);
}

function row(line: AuditLine, status: string): string[] {
  return [
    line.time.slice(0, 19).replace("T", " "),
    line.action,
    line.agent ?? `owner ${line.key.slice(0, 8)}`,
    whatOf(line),
    status,
  ];
}

function whatOf(line: AuditLine): string {
  const leaks = line.leaks?.map(
    (leak) => `${leak.secret} ${leak.count}x in ${leak.stream} (${leak.encoding})`,
  );
  const secrets = line.secrets?.map((secret) => `${secret.group}/${secret.name}`);
  const what = leaks ?? secrets ?? [line.owner ?? line.group ?? []].flat();
  const by = line.command === undefined ? "" : `${line.command}: `;
  return `${by}${line.reason ?? (what.join(leaks === undefined ? " " : ", ") || "-")}`;
}
