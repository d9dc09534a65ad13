// A process of its own measures how long it takes to build the redactor for COUNT secrets, and what it then keeps in
// memory. The first build is what a launch pays; the later ones run as compiled code.
// usage: node --expose-gc build-process.ts COUNT KIND

import { createRedactor, type Redactor } from "../../src/redact/index.ts";
import { makeSecrets, makeTokens, nameOf } from "./secrets.ts";
import { median } from "./statistics.ts";

export interface Build {
  readonly firstMs: number;
  readonly laterMs: number;
  readonly retainedBytes: number;
}

const LATER_BUILDS = 7;

const count = Number(process.argv[2]);
const secrets = (process.argv[3] === "tokens" ? makeTokens(count) : makeSecrets(count)).map((secret) => ({
  name: nameOf(secret),
  value: secret.value,
}));

function build(): { redactor: Redactor; ms: number } {
  const started = performance.now();
  const redactor = createRedactor(secrets);
  return { redactor, ms: performance.now() - started };
}

function usedBytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const firstMs = build().ms;
const laterMs = median(Array.from({ length: LATER_BUILDS }, () => build().ms));
const before = usedBytes();
const { redactor } = build();
const retainedBytes = usedBytes() - before;
const result: Build = { firstMs, laterMs, retainedBytes };
console.log(JSON.stringify(result));
// Keeps the redactor alive to here.
redactor.counts();
