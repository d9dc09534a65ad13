import type { DayTotal, DenialTotal, LeakTotal } from "../../admin/audit/answers.ts";
import type { CouldRead } from "../../admin/audit/could-read.ts";
import type { Unpulled } from "../../admin/audit/unpulled.ts";
import type { AuditLeak } from "../../audit/event.ts";
import type { Finding } from "../../audit/finding.ts";
import type { CheckData, LeakEvent, ReportData, RotationData } from "../data.ts";
import { type Access, matrixOf, shownGroups } from "./access.ts";
import { type Expiring, expiriesOf } from "./expiring.ts";
import { type About, type Filter, isAll, passes } from "./filter.ts";
import { groupsOf, readersOf, refOf, total, whoOf } from "./names.ts";

// What each part of the page shows under a filter. Everything that is counted on the page is counted here.

/** Who acted, and on which secret, as they are shown. */
interface Named {
  readonly who: string;
  readonly secret: string;
}

export type Pull = DayTotal & Named;
export type Leak = LeakTotal & Named;
export type MaskedAt = Pick<LeakEvent, "time" | "host"> &
  AuditLeak &
  Pick<Named, "who"> & { readonly program: string };
export type Denial = DenialTotal & Pick<Named, "who">;
export type Readable = CouldRead & Pick<Named, "secret">;
export type Unread = Unpulled & Pick<Named, "secret">;
export type CheckFinding = CheckData["findings"][number];
type Reader = RotationData["rotate"][number]["readers"][number];

export interface Rotation {
  readonly secret: string;
  readonly group: string;
  readonly setAt: string;
  readonly reader: Reader;
  readonly who: string;
}

export interface Rekey {
  readonly agent: string;
  readonly key: string;
  readonly owner: string;
  readonly since: string;
}

export interface Figures {
  readonly groups: readonly { readonly name: string; readonly secrets: number }[];
  readonly matrix: readonly Access[];
  readonly secrets: number;
  /** Oldest first. */
  readonly pulls: readonly Pull[];
  readonly couldRead: readonly Readable[];
  readonly unpulled: readonly Unread[];
  readonly rotation: readonly Rotation[];
  readonly rekey: readonly Rekey[];
  readonly expiries: readonly Expiring[];
  readonly leaks: readonly Leak[];
  readonly leakEvents: readonly MaskedAt[];
  readonly denials: readonly Denial[];
  readonly lines: readonly Finding[];
  /** How many findings there are about lines; not all of them need be named in `lines`. */
  readonly lineCount: number;
  readonly check: readonly CheckFinding[];
}

export function figuresOf(data: ReportData, filter: Filter): Figures {
  const kept = <R>(rows: readonly R[], about: (row: R) => About) =>
    rows.filter((row) => passes(filter, about(row)));
  const { audit } = data;
  const pulls = kept(
    audit.days.map((total) => ({ ...total, who: whoOf(total), secret: refOf(total) })),
    ({ who, group, secret, day }) => ({ who: [who], groups: [group], from: day, words: [who, secret, day] }),
  );
  const lines = kept(audit.findings.named, ({ kind, log, host, agent, action, time, key }) => ({
    who: [agent ?? ""],
    groups: [],
    from: time ?? undefined,
    words: [kind, log, host, agent, action, key].map((word) => word ?? ""),
  }));
  return {
    groups: shownGroups(data, filter),
    matrix: matrixOf(data, filter, pulls),
    secrets: kept(data.secrets, (secret) => ({
      who: readersOf(data, secret.group),
      groups: [secret.group],
      words: [refOf(secret), secret.description ?? ""],
    })).length,
    pulls,
    couldRead: kept(
      audit.couldRead.map((readable) => ({ ...readable, secret: refOf(readable) })),
      ({ agent, group, secret }) => ({ who: [agent], groups: [group], words: [agent, secret] }),
    ),
    unpulled: kept(
      audit.unpulled.secrets.map((unpulled) => ({ ...unpulled, secret: refOf(unpulled) })),
      ({ group, secret }) => ({ who: readersOf(data, group), groups: [group], words: [secret] }),
    ),
    rotation: kept(rotationsOf(data), ({ who, group, secret }) => ({
      who: [who],
      groups: [group],
      words: [who, secret],
    })),
    rekey: kept(rekeysOf(data), ({ agent, owner }) => ({
      who: [agent],
      groups: groupsOf(data, agent),
      words: [agent, owner],
    })),
    expiries: kept(expiriesOf(data), ({ who, groups, what }) => ({ who, groups, words: [what] })),
    leaks: kept(
      audit.leaks.map((total) => ({ ...total, who: whoOf(total), secret: refOf(total) })),
      ({ who, group, secret, first, last, stream, encoding }) => ({
        who: [who],
        groups: [group],
        from: first,
        to: last,
        words: [who, secret, stream, encoding],
      }),
    ),
    leakEvents: kept(eventsOf(data), ({ who, secret, time, host, program, stream, encoding }) => ({
      who: [who],
      groups: [secret.split("/")[0] ?? ""],
      from: time,
      words: [who, secret, host, program, stream, encoding],
    })),
    denials: kept(
      audit.denials.map((total) => ({ ...total, who: whoOf(total) })),
      ({ who, reason, first, last }) => ({
        who: [who],
        groups: [],
        from: first,
        to: last,
        words: [who, reason],
      }),
    ),
    lines,
    lineCount: isAll(filter) ? total(Object.values(audit.findings.counts)) : lines.length,
    check: kept(data.check.findings, ({ kind, where, what, next }) => ({
      who: [],
      groups: [],
      words: [kind, where, what, next],
    })),
  };
}

function rotationsOf({ rotation }: ReportData): Rotation[] {
  return rotation.rotate.flatMap((secret) =>
    secret.readers.map((reader) => ({
      secret: refOf(secret),
      group: secret.group,
      setAt: secret.setAt,
      reader,
      who: whoOf(reader),
    })),
  );
}

function rekeysOf({ rotation }: ReportData): Rekey[] {
  return rotation.rekey.flatMap(({ agent, key, owners }) =>
    owners.map((owner) => ({ agent, key, owner: whoOf(owner), since: owner.since })),
  );
}

/** Newest first. */
function eventsOf({ audit, status }: ReportData): MaskedAt[] {
  const owners = new Map(status.owners.map(({ name, key }) => [key, name]));
  return audit.leakEvents
    .flatMap(({ time, host, agent, key, command, leaks }) =>
      leaks.map((leak) => ({
        ...leak,
        time,
        host,
        who: whoOf({ agent, owner: owners.get(key) ?? key }),
        program: command ?? "",
      })),
    )
    .reverse();
}
