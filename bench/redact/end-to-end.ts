import { createHash } from "node:crypto";
import type { Bench } from "./bench.ts";
import { type Contender, type ContenderName, makeContenders } from "./contenders.ts";
import { makeSecrets } from "./secrets.ts";
import { median, megabytesPerSecond } from "./statistics.ts";
import { makeText } from "./texts.ts";
import { type Run, timeRun } from "./timed-run.ts";

// A child's output on its way through each launcher to /dev/null. `whole` figures count all of the wall time; `stream`
// figures leave out what the same launcher needs for a child that prints nothing.

export const GRANTED = [5, 50] as const;
export const END_TO_END_TEXTS = ["log", "adversarial"] as const;
export type EndToEndText = (typeof END_TO_END_TEXTS)[number];

const FILE_BYTES = 16_000_000;
const REPEATS = 16;
export const PRINTED_BYTES = FILE_BYTES * REPEATS;

export interface EndToEndResult {
  readonly contender: ContenderName;
  readonly secrets: number;
  readonly text: EndToEndText;
  readonly wallMs: number;
  readonly launchMs: number;
  readonly streamMegabytesPerSecond: number;
  readonly wholeToPlainPipe: number;
  readonly streamToPlainPipe: number;
  readonly peakBytes: number;
  /** Whether what came out is, byte for byte, what the child wrote. */
  readonly unchanged: boolean;
}

/** The contenders and what their children print, for one number of secrets. */
export interface Field {
  readonly secrets: number;
  readonly contenders: readonly Contender[];
  readonly files: Readonly<Record<EndToEndText, string>>;
}

interface Sample {
  readonly run: Run;
  readonly launchMs: number;
}

interface Course {
  readonly secrets: number;
  readonly text: EndToEndText;
  readonly file: string;
  readonly lanes: readonly { readonly contender: Contender; readonly samples: Sample[] }[];
}

export function makeField(bench: Bench, count: number): Field {
  const secrets = makeSecrets(count);
  const file = (text: EndToEndText): string =>
    bench.file(`${text}-${count}`, makeText(text, secrets, FILE_BYTES));
  return {
    secrets: count,
    contenders: makeContenders(bench, secrets),
    files: { log: file("log"), adversarial: file("adversarial") },
  };
}

export async function measureEndToEnd(
  bench: Bench,
  fields: readonly Field[],
  turns: number,
): Promise<EndToEndResult[]> {
  const courses: Course[] = fields.flatMap(({ secrets, contenders, files }) =>
    END_TO_END_TEXTS.map((text) => ({
      secrets,
      text,
      file: files[text],
      lanes: contenders.map((contender) => ({ contender, samples: [] })),
    })),
  );
  for (let turn = 0; turn < turns; turn++) {
    for (const course of courses) {
      for (const { contender, samples } of course.lanes) {
        samples.push(await sample(bench, contender, course.file));
      }
    }
  }
  return courses.flatMap((course) => resultsOf(bench, course));
}

async function sample(bench: Bench, contender: Contender, file: string): Promise<Sample> {
  const launch = await timeRun(bench, contender, ["true"]);
  const run = await timeRun(bench, contender, ["cat", ...new Array<string>(REPEATS).fill(file)]);
  return { run, launchMs: launch.wallMs };
}

function resultsOf(bench: Bench, { secrets, text, file, lanes }: Course): EndToEndResult[] {
  const plain = lanes[0]?.samples ?? [];
  const streamMs = ({ run, launchMs }: Sample): number => run.wallMs - launchMs;
  const wallMs = ({ run }: Sample): number => run.wallMs;
  return lanes.map(({ contender, samples }) => ({
    contender: contender.name,
    secrets,
    text,
    wallMs: median(samples.map(wallMs)),
    launchMs: median(samples.map(({ launchMs }) => launchMs)),
    streamMegabytesPerSecond: megabytesPerSecond(PRINTED_BYTES, median(samples.map(streamMs))),
    wholeToPlainPipe: medianRatio(plain, samples, wallMs),
    streamToPlainPipe: medianRatio(plain, samples, streamMs),
    peakBytes: median(samples.map(({ run }) => run.peakBytes)),
    unchanged: isUnchanged(bench, contender, file),
  }));
}

/** Of what was measured in the same turn. */
function medianRatio(
  plain: readonly Sample[],
  samples: readonly Sample[],
  ms: (sample: Sample) => number,
): number {
  return median(plain.map((sample, turn) => ms(sample) / ms(samples[turn] ?? sample)));
}

export function isUnchanged(bench: Bench, { launcher, cwd }: Contender, file: string): boolean {
  const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  return hash(bench.run([...launcher, "cat", file], cwd)) === hash(bench.run(["cat", file], cwd));
}
