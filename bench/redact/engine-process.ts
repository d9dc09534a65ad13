// A process of its own redacts texts with COUNT secrets whenever it is told to, and copies the same chunks for comparison.
// usage: fork("engine-process.ts", [COUNT])

import { createRedactor } from "../../src/redact/index.ts";
import { makeSecrets, nameOf } from "./secrets.ts";
import { makeText, type TextName } from "./texts.ts";

export interface Order {
  readonly text: TextName;
  readonly chunkBytes: number;
}

export interface Timing {
  readonly bytes: number;
  readonly engineMs: number;
  readonly copyMs: number;
}

const TEXT_BYTES = 8_000_000;

const secrets = makeSecrets(Number(process.argv[2]));
const redactor = createRedactor(secrets.map((secret) => ({ name: nameOf(secret), value: secret.value })));
const texts = new Map<TextName, Buffer>();

function textOf(name: TextName): Buffer {
  const text = texts.get(name) ?? makeText(name, secrets, TEXT_BYTES);
  texts.set(name, text);
  return text;
}

function chunksOf(text: Buffer, chunkBytes: number): Buffer[] {
  return Array.from({ length: Math.ceil(text.length / chunkBytes) }, (_, i) =>
    text.subarray(i * chunkBytes, (i + 1) * chunkBytes),
  );
}

function timeCopy(chunks: readonly Buffer[]): number {
  const target = new Uint8Array(chunks[0]?.length ?? 0);
  const started = performance.now();
  for (const chunk of chunks) target.set(chunk);
  return performance.now() - started;
}

function timeEngine({ text, chunkBytes }: Order, chunks: readonly Buffer[]): number {
  const stream = redactor.stream();
  let written = 0;
  const started = performance.now();
  for (const chunk of chunks) written += stream.write(chunk).length;
  written += stream.end().length;
  const ms = performance.now() - started;
  if (written !== TEXT_BYTES || redactor.counts().length > 0) {
    throw new Error(`${text} in chunks of ${chunkBytes} was changed: ${JSON.stringify(redactor.counts())}`);
  }
  return ms;
}

process.on("message", (order: Order) => {
  const chunks = chunksOf(textOf(order.text), order.chunkBytes);
  const copyMs = timeCopy(chunks);
  const engineMs = timeEngine(order, chunks);
  const timing: Timing = { bytes: TEXT_BYTES, engineMs, copyMs };
  process.send?.(timing);
});
