// Prints COUNT lines, SPACING_MS apart, each with the time at which it is written.

import { writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

const [count, spacingMs] = process.argv.slice(2).map(Number);
for (let i = 0; i < count; i++) {
  await setTimeout(spacingMs);
  writeSync(1, `written at ${process.hrtime.bigint()} by the bench.\n`);
}
