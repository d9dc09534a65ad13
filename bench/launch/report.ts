import { rounded, table } from "../redact/table.ts";
import { FLOOR, nameOfVaultRun } from "./contenders.ts";
import { BIG, BIG_VAULT, SMALL_VAULT } from "./growth.ts";
import type { Child, CourseResult } from "./measure.ts";
import { FIRST_GET, LAUNCH_OF_ONE } from "./modules.ts";
import type { Operation, OwnerResult } from "./owner.ts";

/** What bench/results/launch.json holds. A part that was not run is not there. */
export interface Results {
  readonly node: string;
  readonly processor: string;
  readonly turns: number;
  readonly versions?: Readonly<Record<string, string>>;
  readonly missing?: readonly string[];
  readonly launch?: readonly CourseResult[];
  readonly growth?: readonly CourseResult[];
  readonly modules?: readonly CourseResult[];
  readonly owner?: readonly OwnerResult[];
  readonly aims: readonly AimResult[];
}

type Parts = Pick<Results, "launch" | "growth" | "modules" | "owner">;

interface Aim {
  readonly name: string;
  readonly unit: string;
  /** What has to hold, and what is wanted besides. */
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly wanted?: number;
  /** Undefined where the part was not run. */
  figure(parts: Parts): number | undefined;
}

export type AimResult = Omit<Aim, "figure"> & { readonly figure: number; readonly met: boolean };

const REDACTING = nameOfVaultRun("pq", 10);
const LARGEST = { secrets: 1000, agents: 50 } as const;

const AIMS: readonly Aim[] = [
  {
    name: "redacting, 10 secrets, pq",
    ...{ unit: `x ${FLOOR}`, atMost: 2.3, wanted: 2 },
    figure: ({ launch }) => find(launch, REDACTING)?.timesFloor,
  },
  {
    name: "--no-redact, 10 secrets, pq",
    ...{ unit: `x ${FLOOR}`, atMost: 1.9, wanted: 1.6 },
    figure: ({ launch }) => find(launch, nameOfVaultRun("pq", 10, " --no-redact"))?.timesFloor,
  },
  {
    name: "redacting, 50 secrets, pq",
    ...{ unit: `x ${FLOOR}`, atMost: 3.2, wanted: 2.6 },
    figure: ({ launch }) => find(launch, nameOfVaultRun("pq", 50))?.timesFloor,
  },
  {
    name: "dotenvx --redact, 10 secrets",
    ...{ unit: "x vault-run redacting, pq", atLeast: 5 },
    figure: ({ launch }) => ratio(find(launch, "dotenvx --redact")?.ms, find(launch, REDACTING)?.ms),
  },
  {
    name: "peak memory, redacting, 10 secrets, pq",
    ...{ unit: `x ${FLOOR}`, atMost: 1.35 },
    figure: ({ launch }) => find(launch, REDACTING)?.peakToFloor,
  },
  {
    name: "launch from the big vault",
    ...{ unit: "x the small one", atMost: 1.1 },
    figure: ({ growth }) => ratio(find(growth, BIG_VAULT)?.ms, find(growth, SMALL_VAULT)?.ms),
  },
  {
    name: "a program's first get, 1 secret, pq",
    ...{ unit: "x a launch of it that hands over", atMost: 1.05, wanted: 1 },
    figure: ({ modules }) => ratio(find(modules, FIRST_GET)?.ms, find(modules, LAUNCH_OF_ONE)?.ms),
  },
  {
    name: "revoke, 1000 secrets, 50 agents: own work",
    ...{ unit: "s", atMost: 3 },
    figure: ({ owner }) => thousandths(findOperation(owner, "revoke")?.ownMs),
  },
  {
    name: "revoke, 1000 secrets, 50 agents: ciphertext",
    ...{ unit: "MB", atMost: 4 },
    figure: ({ owner }) => thousandths(thousandths(findOperation(owner, "revoke")?.ciphertextBytes)),
  },
  {
    name: "grant, 1000 secrets, 50 agents",
    ...{ unit: "files", atMost: 3 },
    figure: ({ owner }) => findOperation(owner, "grant")?.files,
  },
];

export function judge(parts: Parts): AimResult[] {
  return AIMS.flatMap(({ figure: figureOf, ...aim }) => {
    const figure = figureOf(parts);
    if (figure === undefined) return [];
    const met = figure <= (aim.atMost ?? Number.POSITIVE_INFINITY) && figure >= (aim.atLeast ?? 0);
    return [{ ...aim, figure, met }];
  });
}

export function launchTable(results: readonly CourseResult[], missing: readonly string[]): string {
  const names = [...new Set(results.map(({ contender }) => contender))];
  const rows = names.map((name) => [
    name,
    ...timeCells(find(results, name)),
    ...timeCells(find(results, name, "one line")),
    ...peakCells(find(results, name)),
    ...peakCells(find(results, name, "one line")),
  ]);
  const notThere = missing.map((name) => [name, "not installed"]);
  const head = ["", "true, ms", "x node", "a line, ms", "x node"];
  return section(
    "A whole launch, of a child that does nothing and of one that prints a line; the others with 10 secrets. Memory is that of " +
      "the largest process; less than 15 MB cannot be told.",
    table([...head, "true, MB", "x node", "a line, MB", "x node"], [...rows, ...notThere]),
  );
}

export function growthTable(results: readonly CourseResult[]): string {
  const rows = results.map((result) => [
    `${result.contender}, ${result.child}`,
    ...timeCells(result),
    ...peakCells(result),
  ]);
  const { secrets, agents, groups } = BIG;
  return section(
    `A launch with the same 10 secrets, redacting, pq; the big vault holds ${secrets} secrets, ${agents} agents, ${groups} groups`,
    table(["", "ms", "x node", "peak, MB", "x node"], rows),
  );
}

export function modulesTable(results: readonly CourseResult[]): string {
  const rows = results.map((result) => [result.contender, ...timeCells(result), ...peakCells(result)]);
  return section(
    "A program that opens the vault itself, and a launch that becomes `true`; whole processes, pq",
    table(["", "ms", "x node", "peak, MB", "x node"], rows),
  );
}

export function ownerTable(results: readonly OwnerResult[]): string {
  const seconds = (ms: number) => rounded(ms / 1e3, 3);
  const megabytes = (bytes: number) => rounded(bytes / 1e6, 3);
  const rows = results.map((result) => [
    `${result.operation}, ${result.secrets} secrets, ${result.agents} agents`,
    ...[result.planMs, result.applyMs, result.pinMs, result.ownMs, result.commandMs].map(seconds),
    rounded(result.files),
    megabytes(result.ciphertextBytes),
    megabytes(result.fileBytes),
  ]);
  const parts = ["plan, s", "files, s", "pins and log, s", "sum, s", "command with git, s"];
  return section(
    "An owner's changes to one group, pq: vault-run's own work in parts, and once the whole command",
    table(["", ...parts, "files", "ciphertext, MB", "files, MB"], rows),
  );
}

export function aimsTable(aims: readonly AimResult[]): string {
  const rows = aims.map(({ name, figure, unit, atMost, atLeast, wanted, met }) => [
    name,
    unit === "files" ? rounded(figure) : rounded(figure, 2),
    unit,
    atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`,
    wanted === undefined ? "" : `${wanted}`,
    met ? "met" : "MISSED",
  ]);
  return section("Aims", table(["", "is", "of what", "has to be", "aim", ""], rows));
}

function find(
  results: readonly CourseResult[] | undefined,
  contender: string,
  child: Child = "true",
): CourseResult | undefined {
  return results?.find((result) => result.contender === contender && result.child === child);
}

function findOperation(
  results: readonly OwnerResult[] | undefined,
  operation: Operation,
): OwnerResult | undefined {
  return results?.find(
    ({ secrets, agents, operation: its }) =>
      its === operation && secrets === LARGEST.secrets && agents === LARGEST.agents,
  );
}

function timeCells(result: CourseResult | undefined): string[] {
  return result === undefined ? ["", ""] : [rounded(result.ms, 1), rounded(result.timesFloor, 2)];
}

function peakCells(result: CourseResult | undefined): string[] {
  return result === undefined
    ? ["", ""]
    : [rounded(result.peakBytes / 1e6, 1), rounded(result.peakToFloor, 2)];
}

function ratio(over: number | undefined, under: number | undefined): number | undefined {
  return over === undefined || under === undefined ? undefined : over / under;
}

function thousandths(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value / 1e3;
}

function section(title: string, content: string): string {
  return `${title}\n\n${content}\n`;
}
