import { expect, it } from "vitest";
import { watch } from "./watch.ts";

const ENDLESS = new URL("endless.ts", import.meta.url);

it.each([
  ["goes round", /did not end/],
  ["backtracks", /did not end/],
  ["waits, and looks", /did not end/],
  ["waits", /waits for what never comes/],
  ["takes all memory", /memory/],
  ["throws", /^RangeError: no error of the reader's/],
])("an input whose reader %s is cut off and known", async (way, why) => {
  const outcome = await watch(ENDLESS, { way }, way === "takes all memory" ? 60_000 : 500);
  expect(outcome).toEqual({ broken: expect.stringMatching(why), input: Buffer.from("the last input") });
});
