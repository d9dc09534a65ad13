import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeAll, describe, expect, it } from "vitest";
import { createRedactor } from "../../src/redact/index.ts";
import { descriptorCount, memoryMb } from "../fixtures/process-state.ts";
import { Program } from "../fixtures/program.ts";
import { SIZE } from "./size.ts";

const VALUE = "sk_live_51Habc/def+ghij";
const MASK = "[REDACTED:app/KEY]";
const LINE = "2026-11-28T12:00:00.000Z worker 7 fetched 48 pages in 3.1 s, next https://example.org/p/";

let program: Program;
beforeAll(async () => {
  program = Program.lasting();
  await program.must(["init", "--classic"]);
  await program.must(["add-agent", "crawler"]);
  await program.set("app/KEY", VALUE);
  await program.must(["grant", "crawler", "app"]);
});

describe("a program that prints for a day", () => {
  it(`has ${SIZE.outputBytes} bytes redacted, in order, in bounded memory (promise 12)`, {
    timeout: 3_600_000,
  }, async () => {
    const { path, masked, bytes, secrets } = writeSample();
    const turns = Math.ceil(SIZE.outputBytes / bytes);
    const expected = createHash("sha256");
    for (let turn = 0; turn < turns; turn++) expected.update(masked);

    // It pauses now and then, so that what is held back is let go by the timer as well.
    const script =
      'i=0; while [ $i -lt "$1" ]; do cat "$0"; i=$((i+1)); [ $((i%50)) != 0 ] || sleep 0.2; done';
    const running = program.start(["--agent", "crawler", "--", "sh", "-c", script, path, String(turns)], {
      buffer: false,
      stdout: "pipe",
    });
    const pid = running.pid ?? 0;
    const received = createHash("sha256");
    const samples: { memory: number; descriptors: number }[] = [];
    let passed = 0;
    for await (const chunk of running.stdout as Readable) {
      received.update(chunk);
      passed += chunk.length;
      const memory = memoryMb(pid);
      if (passed >= (samples.length + 1) * bytes && memory !== undefined) {
        samples.push({ memory, descriptors: descriptorCount(pid) });
      }
    }
    expect((await running).exitCode).toBe(0);
    expect(passed).toBe(turns * masked.length);
    expect(received.digest("hex")).toBe(expected.digest("hex"));

    const early = samples[Math.floor(samples.length / 4)];
    const late = samples.at(-2);
    expect(late?.descriptors).toBe(early?.descriptors);
    expect(Math.max(...samples.map(({ memory }) => memory))).toBeLessThan(200);
    expect(late?.memory).toBeLessThan((early?.memory ?? 0) + 40);

    const leak = program.auditLines().find(({ action }) => action === "leak");
    expect(JSON.stringify(leak)).toContain(`"count":${turns * secrets}`);
  });

  it("has what a redactor with a thousand secrets counts kept in bounded memory", async () => {
    const secrets = Array.from({ length: 1_000 }, (_, i) => ({
      name: `g/S${i}`,
      value: `value-${i}-${"x".repeat(24)}`,
    }));
    const redactor = createRedactor(secrets);
    const stream = redactor.stream();
    const chunk = Buffer.from(`${secrets.map(({ value }) => `${LINE} ${value}\n`).join("")}`);
    const run = () => {
      for (let turn = 0; turn < 100; turn++) stream.write(chunk);
      stream.idle();
    };
    run();
    const before = heapInUse();
    for (let round = 0; round < 4; round++) run();
    expect(redactor.counts()).toHaveLength(secrets.length);
    expect(redactor.counts().every(({ count }) => count === 500)).toBe(true);
    expect(heapInUse() - before).toBeLessThan(5_000_000);
  });
});

/** In bytes, without what only waits to be collected: how much that is depends on when V8 looks. */
function heapInUse(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

/** Some megabytes of a log with the secret in it, raw and encoded, also at the very end. */
function writeSample() {
  const parts: string[] = [];
  let secrets = 0;
  for (let i = 0; i < 40_000; i++) {
    parts.push(`${LINE}${i}\n`);
    if (i % 97 !== 0) continue;
    parts.push(`${i} sent ${VALUE}, done\n`);
    secrets++;
  }
  parts.push(`last: ${VALUE}`);
  const text = parts.join("");
  const path = join(program.home, "printed");
  writeFileSync(path, text);
  return {
    path,
    masked: Buffer.from(text.replaceAll(VALUE, MASK)),
    bytes: Buffer.byteLength(text),
    secrets: secrets + 1,
  };
}
