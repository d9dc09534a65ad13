import type { AuditLine } from "../../audit/event.ts";
import type { ReadLine } from "../../audit/finding.ts";
import type { Readers } from "../../audit/reader.ts";
import { jsonText } from "../console.ts";
import type { CommandContext } from "../context.ts";
import { secondOf } from "../wording.ts";

// Lines as they come, in batches: a million of them are never in memory at once.

const KEY_DIGITS = 8;

/** What prints lines, and how many it printed. */
export interface LinePrinter {
  readonly tell: (lines: readonly ReadLine[]) => Promise<void>;
  readonly count: () => number;
}

export function tableOfLines({ console }: CommandContext, readers: Readers): LinePrinter {
  const print = console.openTable();
  let count = 0;
  return {
    tell: async (lines) => {
      const head = count === 0 ? [["TIME (UTC)", "ACTION", "WHO", "HOST", "LINE", "WHAT"]] : [];
      count += lines.length;
      print([...head, ...lines.map((line) => row(line, readers))]);
      await console.written();
    },
    count: () => count,
  };
}

/** The list in `"lines": […]`, without what stands around it. */
export function jsonOfLines({ console }: CommandContext): LinePrinter {
  let count = 0;
  return {
    tell: async (lines) => {
      // A line may have fields that nobody knows, one named like ours among them.
      const told = lines.map(({ status, line }) => Object.assign({ status }, line, { status }));
      const texts = told.map((line) => `\n    ${jsonText(line)}`);
      console.printText(`${count === 0 ? "" : ","}${texts.join(",")}`);
      count += lines.length;
      await console.written();
    },
    count: () => count,
  };
}

function row({ status, line }: ReadLine, readers: Readers): string[] {
  return [
    secondOf(line.time),
    line.action,
    whoOf(line.key, line.agent ?? null, readers),
    line.host,
    status,
    whatOf(line, readers),
  ];
}

/** Who signed; where nobody knows the key, who is named. */
export function whoOf(key: string, agent: string | null, readers: Readers): string {
  const reader = readers.get(key);
  if (reader === undefined) return agent ?? `key ${key.slice(0, KEY_DIGITS)}`;
  return reader.agent ?? `owner ${reader.owner ?? key.slice(0, KEY_DIGITS)}`;
}

function whatOf(line: AuditLine, readers: Readers): string {
  const leaks = line.leaks?.map(
    (leak) => `${leak.secret} ${leak.count}x in ${leak.stream} (${leak.encoding})`,
  );
  const about = readers.get(line.key)?.agent === line.agent ? undefined : line.agent;
  const secrets = line.secrets?.map((secret) => `${secret.group}/${secret.name}`);
  const what = [about, line.owner, secrets === undefined ? line.group : undefined, ...(secrets ?? [])];
  const said = line.reason ?? (leaks?.join(", ") || what.filter((word) => word !== undefined).join(" "));
  const by = [line.tool, line.command].filter((word) => word !== undefined).join(" ");
  return `${by === "" ? "" : `${by}: `}${line.note ?? (said === "" ? "-" : said)}`;
}
