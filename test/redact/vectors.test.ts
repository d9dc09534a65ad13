import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { createRedactor } from "../../src/redact/index.ts";

interface Case {
  readonly name: string;
  readonly encoding?: "latin1";
  readonly secrets: readonly string[];
  readonly chunks: readonly (string | { readonly idle: true })[];
  readonly want: string;
  readonly steps?: readonly string[];
}

const file = readFileSync(resolve(import.meta.dirname, "../vectors/redaction.json"), "utf8");
const { cases }: { cases: readonly Case[] } = JSON.parse(file);

describe("the worked cases that every redactor answers alike", () => {
  it.each(cases.map((example) => [example.name, example] as const))("%s", (_, example) => {
    const bytes = (text: string) => Buffer.from(text, example.encoding ?? "utf8");
    const readable = (output: Buffer) => output.toString("latin1").replace(/(\[REDACTED:s\/\d+\])+/g, "[R]");
    const redactor = createRedactor(
      example.secrets.map((value, at) => ({ name: `s/${at}`, value: bytes(value) })),
    );
    const stream = redactor.stream();
    const steps = example.chunks.map((chunk) => {
      return Buffer.from(typeof chunk === "string" ? stream.write(bytes(chunk)) : stream.idle());
    });
    expect(readable(Buffer.concat([...steps, stream.end()]))).toBe(bytes(example.want).toString("latin1"));
    if (example.steps !== undefined)
      expect(steps.map(readable)).toEqual(example.steps.map((step) => bytes(step).toString("latin1")));
  });
});
