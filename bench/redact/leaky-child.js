// Prints the value of VARIABLE in the way that is asked for.
// usage: node leaky-child.js VARIABLE plain|base64|split [PAUSE_MS]

import { writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

const [variable, way, pauseMs] = process.argv.slice(2);
const value = process.env[variable];
if (way === "plain") {
  writeSync(1, `${value}\n`);
} else if (way === "base64") {
  writeSync(1, `${Buffer.from(value).toString("base64")}\n`);
} else {
  const half = Math.floor(value.length / 2);
  writeSync(1, value.slice(0, half));
  await setTimeout(Number(pauseMs));
  writeSync(1, `${value.slice(half)}\n`);
}
