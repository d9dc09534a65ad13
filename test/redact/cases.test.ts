import { describe, expect, it } from "vitest";
import { createRedactor, type Redactor } from "../../src/redact/index.ts";
import { CASES, type Case, IDLE } from "./cases.ts";

const toBytes = (data: string | Uint8Array): Buffer =>
  typeof data === "string" ? Buffer.from(data) : Buffer.from(data);
const readable = (output: Uint8Array): string =>
  Buffer.from(output)
    .toString("latin1")
    .replace(/(\[REDACTED:s\/\d+\])+/g, "[R]");
const expected = (data: string | Uint8Array): string => toBytes(data).toString("latin1");

function redactorFor({ secrets }: Case): Redactor {
  return createRedactor(secrets.map((value, index) => ({ name: `s/${index}`, value })));
}

function run(redactor: Redactor, chunks: Case["chunks"]): { output: string; steps: string[] } {
  const stream = redactor.stream();
  const steps = chunks.map((chunk) => (chunk === IDLE ? stream.idle() : stream.write(toBytes(chunk))));
  return { output: readable(Buffer.concat([...steps, stream.end()])), steps: steps.map(readable) };
}

function* cuts(input: Buffer): Generator<Uint8Array[]> {
  yield Array.from(input, (byte) => Uint8Array.of(byte));
  const places = input.length < 1000 ? input.length : 7;
  for (let i = 0; i <= places; i++) {
    const at = Math.round((input.length * i) / places);
    yield [input.subarray(0, at), input.subarray(at)];
  }
}

describe("the worked cases", () => {
  it.each(CASES)("$name", (example) => {
    const redactor = redactorFor(example);
    const { output, steps } = run(redactor, example.chunks);
    expect(output).toBe(expected(example.want));
    if (example.steps !== undefined) expect(steps).toEqual(example.steps.map(expected));

    if (example.chunks.includes(IDLE)) return;
    const input = Buffer.concat(example.chunks.filter((chunk) => chunk !== IDLE).map(toBytes));
    for (const chunks of cuts(input)) expect(run(redactor, chunks).output).toBe(expected(example.want));
  });
});
