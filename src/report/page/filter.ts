// What the reader asked to see. One filter for the whole page: every table, picture and figure goes by it.

export interface Filter {
  readonly text: string;
  /** An agent's name, or `owner NAME`; empty for all. */
  readonly who: string;
  readonly group: string;
  /** Days, `2026-11-28`, both included; empty for no bound. */
  readonly since: string;
  readonly until: string;
}

export const ALL: Filter = { text: "", who: "", group: "", since: "", until: "" };

/** What a row is about. A row without a time is about today, and stays whatever the period. */
export interface About {
  readonly who: readonly string[];
  readonly groups: readonly string[];
  /** When it was, or when the first and the last of it was. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Everything that it shows. */
  readonly words: readonly string[];
}

export function isAll(filter: Filter): boolean {
  return Object.values(filter).every((value) => value === "");
}

export function passes({ text, who, group, since, until }: Filter, about: About): boolean {
  if (who !== "" && !about.who.includes(who)) return false;
  if (group !== "" && !about.groups.includes(group)) return false;
  if (about.from !== undefined && !overlaps(about.from, about.to ?? about.from, since, until)) return false;
  if (text === "") return true;
  const found = about.words.join("\n").toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => found.includes(word));
}

/** Times are in UTC and of one length, so that they compare as text. */
function overlaps(from: string, to: string, since: string, until: string): boolean {
  return (since === "" || to.slice(0, 10) >= since) && (until === "" || from.slice(0, 10) <= until);
}
