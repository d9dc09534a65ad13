// Stands for the tests that need a secret.
import assert from "node:assert/strict";
import { test } from "node:test";

test("the API takes the key", () => {
  console.log("asking with", process.env.API_KEY);
  assert.match(process.env.API_KEY ?? "", /^sk_live_/);
  assert.equal(process.env.AGENT_KEY, undefined);
});
