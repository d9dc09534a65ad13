import type { EndToEndResult } from "./end-to-end.ts";
import { type BuildResult, type EngineResult, SECRET_COUNTS } from "./engine.ts";
import type { LatencyResult } from "./latency.ts";
import { MASKING_CASES, type MaskingResult } from "./masking.ts";
import type { Peer } from "./peers.ts";
import { rounded, table, yesNo } from "./table.ts";
import { TEXTS } from "./texts.ts";

export const AIMS = {
  buildMs: 60,
  retainedMegabytes: 10,
  logToPlainPipe: 0.5,
  adversarialToPlainPipe: 0.25,
} as const;

/** What bench/results/redact.json holds. */
export interface Results {
  readonly node: string;
  readonly processor: string;
  readonly turns: number;
  readonly peers: Record<Peer, string>;
  readonly aims: typeof AIMS;
  readonly builds: readonly BuildResult[];
  readonly engine: EngineResult;
  readonly masking: readonly MaskingResult[];
  readonly endToEnd: readonly EndToEndResult[];
  readonly latency: readonly LatencyResult[];
}

export function buildsTable(builds: readonly BuildResult[]): string {
  const rows = builds.map(({ kind, secrets, firstMs, laterMs, retainedBytes }) => [
    kind,
    rounded(secrets),
    rounded(firstMs, 1),
    rounded(laterMs, 1),
    rounded(retainedBytes / 1e6, 1),
  ]);
  return section(
    `Building the redactor (aims at 1000 tokens: under ${AIMS.buildMs} ms, under ${AIMS.retainedMegabytes} MB)`,
    table(["kind", "secrets", "first build, ms", "later builds, ms", "retained, MB"], rows),
  );
}

export function engineTable(engine: EngineResult): string {
  return engine.plainPipe
    .map(({ chunkBytes, megabytesPerSecond }) => {
      const rows = TEXTS.map((text) => [
        text,
        ...SECRET_COUNTS.map((secrets) => cellOf(engine, { text, secrets, chunkBytes })),
      ]);
      return section(
        `Redacting in memory, chunks of ${chunkBytes} bytes: MB/s, ratio to memcpy, ratio to a plain pipe whose child ` +
          `writes such chunks (${rounded(megabytesPerSecond)} MB/s)`,
        table(["text", ...SECRET_COUNTS.map((secrets) => `${secrets} secrets`)], rows),
      );
    })
    .join("\n");
}

function cellOf(
  { throughput }: EngineResult,
  wanted: { readonly text: string; readonly secrets: number; readonly chunkBytes: number },
): string {
  const found = throughput.find(
    ({ text, secrets, chunkBytes }) =>
      text === wanted.text && secrets === wanted.secrets && chunkBytes === wanted.chunkBytes,
  );
  if (found === undefined) return "";
  const { megabytesPerSecond, toCopy, toPlainPipe } = found;
  return `${rounded(megabytesPerSecond)} ${rounded(toCopy, 3)} ${rounded(toPlainPipe, 2)}`;
}

export function maskingTable(masking: readonly MaskingResult[]): string {
  const rows = masking.map(({ contender, masked, binaryUnchanged, mask }) => [
    contender,
    ...MASKING_CASES.map((name) => yesNo(masked.includes(name))),
    yesNo(binaryUnchanged),
    mask,
  ]);
  return section(
    "Masked?",
    table(["launcher", ...MASKING_CASES, "binary unchanged", "printed for a value"], rows),
  );
}

export function endToEndTable(results: readonly EndToEndResult[], megabytes: number): string {
  const rows = results.map((result) => [
    `${result.text}, ${result.secrets} secrets, ${result.contender}`,
    rounded(result.wallMs),
    rounded(result.launchMs),
    rounded(result.streamMegabytesPerSecond),
    rounded(result.streamToPlainPipe, 3),
    rounded(result.wholeToPlainPipe, 3),
    rounded(result.peakBytes / 1e6),
    yesNo(result.unchanged),
  ]);
  return section(
    `A child's ${megabytes} MB through a launcher to /dev/null (aims at 50 secrets, as ratio to the plain pipe: log ` +
      `${AIMS.logToPlainPipe}, adversarial ${AIMS.adversarialToPlainPipe})`,
    table(
      [
        "output and launcher",
        "wall, ms",
        "of it launch, ms",
        "MB/s without launch",
        "ratio",
        "ratio with launch",
        "peak RSS, MB",
        "unchanged",
      ],
      rows,
    ),
  );
}

export function latencyTable(results: readonly LatencyResult[]): string {
  const rows = results.map(({ contender, medianUs, p95Us }) => [
    contender,
    rounded(medianUs),
    rounded(p95Us),
    rounded(medianUs - (results[0]?.medianUs ?? Number.NaN)),
  ]);
  return section(
    "One line, from the child's write to the reader",
    table(["launcher", "median, us", "95 %, us", "more than the plain pipe, us"], rows),
  );
}

function section(title: string, content: string): string {
  return `${title}\n\n${content}\n`;
}
