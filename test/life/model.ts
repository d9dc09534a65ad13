// What a vault should hold, told apart from how it holds it: an oracle for the random life, which knows no records.

export interface Value {
  /** Undefined once removed. */
  readonly value: string | undefined;
  readonly at: number;
}

export interface Agent {
  /** The key file's text; undefined once removed. */
  readonly keyFile: string | undefined;
  readonly at: number;
}

export interface Access {
  readonly granted: boolean;
  readonly at: number;
}

export class Model {
  readonly secrets: Map<string, Value>;
  readonly agents: Map<string, Agent>;
  /** By `agent group`. */
  readonly access: Map<string, Access>;

  constructor(from?: Model) {
    this.secrets = new Map(from?.secrets);
    this.agents = new Map(from?.agents);
    this.access = new Map(from?.access);
  }

  names(): string[] {
    return [...this.secrets].filter(([, { value }]) => value !== undefined).map(([name]) => name);
  }

  groups(): string[] {
    return [...new Set([...this.secrets.keys()].map((name) => name.split("/")[0]!))];
  }

  living(): string[] {
    return [...this.agents].filter(([, { keyFile }]) => keyFile !== undefined).map(([name]) => name);
  }

  mayRead(agent: string, group: string): boolean {
    return (
      this.agents.get(agent)?.keyFile !== undefined && this.access.get(`${agent} ${group}`)?.granted === true
    );
  }

  granted(): [string, string][] {
    return [...this.access]
      .filter(([, { granted }]) => granted)
      .map(([key]) => key.split(" ") as [string, string])
      .filter(([agent, group]) => this.mayRead(agent, group));
  }
}

/** What a merge should make of two that began from `base`. */
export function mergeModels(base: Model, ours: Model, theirs: Model): Model {
  const merged = new Model();
  each(base.secrets, ours.secrets, theirs.secrets, merged.secrets, (a, b) => {
    if (a.value === undefined || b.value === undefined) return a.value === undefined ? b : a;
    return a.at > b.at ? a : b;
  });
  each(base.agents, ours.agents, theirs.agents, merged.agents, (a, b) => {
    const isGone = [a, b].filter(({ keyFile }) => keyFile === undefined);
    const [first = a, second = b] = isGone.length === 1 ? [isGone[0], isGone[0]] : [a, b];
    return first.at > second.at ? first : second;
  });
  each(base.access, ours.access, theirs.access, merged.access, (a, b) => (a.granted ? b : a));
  for (const [key, access] of merged.access) {
    const agent = key.split(" ")[0]!;
    if (merged.agents.get(agent)?.keyFile === undefined)
      merged.access.set(key, { ...access, granted: false });
  }
  return merged;
}

/** A thing that one side changed is that side's; one that both did is what `both` says. */
function each<T extends { readonly at: number }>(
  base: ReadonlyMap<string, T>,
  ours: ReadonlyMap<string, T>,
  theirs: ReadonlyMap<string, T>,
  into: Map<string, T>,
  both: (a: T, b: T) => T,
): void {
  for (const key of new Set([...ours.keys(), ...theirs.keys()])) {
    const [before, a, b] = [base.get(key), ours.get(key), theirs.get(key)];
    if (a === undefined || b === undefined) into.set(key, (a ?? b)!);
    else if (a.at === b.at || b.at === before?.at) into.set(key, a);
    else into.set(key, a.at === before?.at ? b : both(a, b));
  }
}
