import type { ReportData } from "../data.ts";

// What is said of people and secrets in more than one place of the page.

export function total(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

export function whoOf({ agent, owner }: { agent?: string | null; owner?: string | null }): string {
  return agent ?? `owner ${owner ?? "unknown"}`;
}

export function refOf({ group, name }: { readonly group: string; readonly name: string }): string {
  return `${group}/${name}`;
}

export function readersOf({ status }: ReportData, group: string): string[] {
  return status.agents.filter(({ groups }) => groups.includes(group)).map(({ name }) => name);
}

export function groupsOf({ status }: ReportData, agent: string): readonly string[] {
  return status.agents.find(({ name }) => name === agent)?.groups ?? [];
}
