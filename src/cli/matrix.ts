// Who has what: agents down, groups across. Where the groups' names do not fit side by side, they have numbers, which a list
// above explains; where the numbers do not either, the groups come in several blocks.

export interface MatrixGroup {
  readonly name: string;
  readonly secrets: number;
}

export interface MatrixAgent {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface Matrix {
  /** Lines that say which group has which number. */
  readonly legend: readonly string[];
  /** Each a table, its first row the heads. */
  readonly blocks: readonly (readonly (readonly string[])[])[];
}

/** A window's height, less some: so many agents, then the heads again. */
const AGENTS_BELOW_HEADS = 20;
const GAP = 2;

export function layMatrix(
  agents: readonly MatrixAgent[],
  groups: readonly MatrixGroup[],
  columns: number,
): Matrix {
  const first = Math.max("AGENT".length, ...agents.map(({ name }) => name.length));
  const titles = groups.map(({ name, secrets }) => `${name} (${secrets})`);
  if (first + titles.reduce((width, title) => width + GAP + title.length, 0) <= columns) {
    return { legend: [], blocks: [table(agents, groups, titles, "yes")] };
  }
  const digits = String(groups.length).length;
  const numbers = groups.map((_, at) => String(at + 1));
  const across = Math.max(1, Math.floor((columns - first) / (GAP + digits)));
  const blocks = pieces(groups, across).flatMap((own, at) => {
    const heads = numbers
      .slice(at * across, at * across + own.length)
      .map((number) => number.padStart(digits));
    return pieces(agents, AGENTS_BELOW_HEADS).map((some) =>
      table(some, own, heads, "x".padStart(digits), "-".padStart(digits), first),
    );
  });
  return {
    legend: flowed(
      titles.map((title, at) => `${numbers[at]} ${title}`),
      columns,
    ),
    blocks,
  };
}

function table(
  agents: readonly MatrixAgent[],
  groups: readonly MatrixGroup[],
  heads: readonly string[],
  yes: string,
  no = "-",
  first = 0,
): string[][] {
  const rows = agents.map((agent) => [
    agent.name.padEnd(first),
    ...groups.map(({ name }) => (agent.groups.includes(name) ? yes : no)),
  ]);
  return [["AGENT".padEnd(first), ...heads], ...rows];
}

function pieces<T>(list: readonly T[], size: number): T[][] {
  const count = Math.ceil(list.length / size);
  return Array.from({ length: count }, (_, at) => list.slice(at * size, (at + 1) * size));
}

/** In columns of one width, as many as fit. */
function flowed(entries: readonly string[], columns: number): string[] {
  const width = Math.max(...entries.map((entry) => entry.length)) + GAP;
  const perLine = Math.max(1, Math.floor((columns + GAP) / width));
  return pieces(entries, perLine).map((some) =>
    some
      .map((entry) => entry.padEnd(width))
      .join("")
      .trimEnd(),
  );
}
