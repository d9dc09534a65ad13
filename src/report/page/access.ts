import type { ReportData } from "../data.ts";
import { type Filter, passes } from "./filter.ts";

export interface Access {
  readonly agent: string;
  readonly description: string | null;
  readonly cells: readonly AccessCell[];
}

export interface AccessCell {
  readonly group: string;
  readonly access: "granted" | "expired" | "none";
  readonly expiresAt: string | null;
  readonly pulls: number;
}

interface GroupPulls {
  readonly who: string;
  readonly group: string;
  readonly pulls: number;
}

/** Who has what, with how often it was pulled, as far as the filter goes. */
export function matrixOf(data: ReportData, filter: Filter, pulls: readonly GroupPulls[]): Access[] {
  const counts = new Map<string, number>();
  for (const { who, group, pulls: own } of pulls) {
    const key = `${who} ${group}`;
    counts.set(key, (counts.get(key) ?? 0) + own);
  }
  const groups = shownGroups(data, filter);
  return data.agents
    .map(({ name, description, grants }) => ({
      agent: name,
      description,
      cells: groups.map(({ name: group }): AccessCell => {
        const grant = grants.find((one) => one.group === group);
        const expiresAt = grant?.expiresAt ?? null;
        const isPast = expiresAt !== null && expiresAt <= data.made.at;
        const access = grant === undefined ? "none" : isPast ? "expired" : "granted";
        return { group, access, expiresAt, pulls: counts.get(`${name} ${group}`) ?? 0 };
      }),
    }))
    .filter(({ agent, description, cells }) => {
      const own = cells.filter(({ access, pulls: own }) => access !== "none" || own > 0);
      const named = own.map(({ group }) => group);
      return passes(filter, {
        who: [agent],
        groups: named,
        words: [agent, description ?? "", ...named],
      });
    });
}

export function shownGroups({ status }: ReportData, { group }: Filter): ReportData["status"]["groups"] {
  return status.groups.filter(({ name }) => group === "" || name === group);
}
