import { seededBytes, seededNumbers } from "./random.ts";
import { type BenchSecret, BORDER_UNIT, tokenCharacters } from "./secrets.ts";

// What the children of the bench print. No text holds a whole needle, so all of it has to come out unchanged; where a
// text is made to look like the secrets, each of its partial matches fails as late as it can.

export const TEXTS = [
  "log",
  "random bytes",
  "late failures",
  "bordered",
  "base64-like",
  "interrupted",
] as const;

/** `adversarial` is what is run end to end: late failures, bordered and base64-like, block by block. */
export type TextName = (typeof TEXTS)[number] | "adversarial";

/** Ends what is open, so that a text can follow itself. */
const TAIL = ".\n";
const BLOCK_BYTES = 1 << 16;

export function makeText(name: TextName, secrets: readonly BenchSecret[], bytes: number): Buffer {
  if (name === "random bytes") return seededBytes(name, bytes);
  const text = Buffer.concat(pieces(PRINTERS[name](secrets), bytes - TAIL.length));
  return Buffer.concat([text.subarray(0, bytes - TAIL.length), Buffer.from(TAIL)]);
}

type Printer = () => string;

const PRINTERS: Record<Exclude<TextName, "random bytes">, (secrets: readonly BenchSecret[]) => Printer> = {
  log: logPrinter,
  "late failures": lateFailurePrinter,
  bordered: borderedPrinter,
  "base64-like": base64Printer,
  interrupted: interruptedPrinter,
  adversarial: adversarialPrinter,
};

function pieces(print: Printer, bytes: number): Buffer[] {
  const printed: Buffer[] = [];
  for (let length = 0; length < bytes; length += printed.at(-1)?.length ?? 0) {
    printed.push(Buffer.from(print(), "latin1"));
  }
  return printed;
}

function logPrinter(): Printer {
  const number = seededNumbers("log");
  const pick = <T>(from: readonly [T, ...T[]]): T => from[number(from.length)] ?? from[0];
  const time = (): string => new Date(1_790_000_000_000 + number(86_400_000)).toISOString();
  const id = (): string => (number(2 ** 32) * 2 ** 20 + number(2 ** 20)).toString(16).padStart(13, "0");
  const lines: readonly [Printer, ...Printer[]] = [
    () =>
      `${time()} ${pick(["DEBUG", "INFO ", "WARN "])} [worker-${number(16)}] ${pick(["cache miss for", "fetched", "queued"])} item ${number(1e6)} in ${number(900)} ms`,
    () =>
      `${time()} INFO  [http] GET https://api.example.org/v2/${pick(["users", "orders", "weather"])}/${number(1e5)}?page=${number(40)}&limit=50 ${pick([200, 200, 304, 404])} ${number(60_000)} bytes`,
    () =>
      JSON.stringify({
        level: pick([20, 30, 40]),
        time: 1_790_000_000_000 + number(1e8),
        pid: number(60_000),
        requestId: id(),
        msg: "request completed",
        responseTime: number(5000) / 10,
      }),
    () =>
      `    at ${pick(["async run", "Queue.next", "Object.handle"])} (/srv/agent/dist/${pick(["queue", "fetch", "index"])}.js:${number(900)}:${number(80)})`,
  ];
  return () => `${pick(lines)()}\n`;
}

function lateFailurePrinter(secrets: readonly BenchSecret[]): Printer {
  const prefixes = secrets.flatMap(({ value }) => longPrefixes(value));
  const number = seededNumbers("late failures");
  const wrong = tokenCharacters(seededBytes("wrong", 256));
  return () => `${prefixes[number(prefixes.length)]}${wrong[number(wrong.length)]}.`;
}

// Each is a few characters short of a needle, so that no character behind it can complete one, and holds none: the lines
// of a key are needles too.
function longPrefixes(value: string): string[] {
  const [first = "", second = ""] = value.split("\n");
  const raw = value.includes("\n") ? `${first}\n${second.slice(0, -2)}` : value.slice(0, -2);
  const bytes = Buffer.from(value);
  return [raw, bytes.toString("base64").slice(0, -6), bytes.toString("hex").slice(0, -2)];
}

function borderedPrinter(): Printer {
  const raw = BORDER_UNIT.repeat(100);
  const base64 = Buffer.from(raw).toString("base64");
  const number = seededNumbers("bordered");
  return () => `${(number(2) === 0 ? raw : base64).slice(0, 40 + number(260))}.`;
}

function base64Printer(): Printer {
  let block = 0;
  return () => {
    const base64 = seededBytes(`base64 ${block++}`, 57 * 64).toString("base64");
    return base64.replace(/.{76}/g, "$&\n");
  };
}

// A colour change after every four bytes: the reading without the sequences is what matches.
function interruptedPrinter(secrets: readonly BenchSecret[]): Printer {
  const prefixes = secrets
    .flatMap(({ value }) => longPrefixes(value))
    .map((prefix) => prefix.replace(/.{4}/gs, "$&\x1b[1m"));
  const number = seededNumbers("interrupted");
  return () => `${prefixes[number(prefixes.length)]}.`;
}

function adversarialPrinter(secrets: readonly BenchSecret[]): Printer {
  const blocks = (["late failures", "bordered", "base64-like"] as const).map((name) =>
    makeText(name, secrets, 16 * BLOCK_BYTES).toString("latin1"),
  );
  let turn = 0;
  return () => {
    const block = blocks[turn % blocks.length] ?? "";
    const start = (Math.floor(turn++ / blocks.length) % 16) * BLOCK_BYTES;
    return `${block.slice(start, start + BLOCK_BYTES - TAIL.length)}${TAIL}`;
  };
}
