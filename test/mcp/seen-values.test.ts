import { describe, expect, it } from "vitest";
import { SeenValues } from "../../src/mcp/seen-values.ts";
import { Secret } from "../../src/vault/secret.ts";

const VALUE = "sk_live_51Habcdefghij";
const MASK = "[REDACTED:api/KEY]";
const basic = (user: string) => Buffer.from(`${user}:${VALUE}`).toString("base64");
const add = (seen: SeenValues, forms: readonly string[]) =>
  seen.add(new Secret("api/KEY", Buffer.from(VALUE)), forms);

describe("what a server has opened", () => {
  it("is looked for in every form in which it left of late, and in older ones as far as the value decides them", async () => {
    const seen = new SeenValues();
    add(seen, [basic("first")]);
    for (let user = 0; user < 99; user++) add(seen, [basic(`user${user}`)]);
    expect(await seen.mask(basic("first"))).toBe(MASK);
    // One that is used again is as good as new.
    add(seen, [basic("first")]);
    add(seen, [basic("last")]);
    expect(await seen.mask(`${basic("first")} ${basic("last")}`)).toBe(`${MASK} ${MASK}`);
    const old = await seen.mask(basic("user0"));
    expect(old).toContain(MASK);
    expect(old).not.toBe(MASK);
    expect(old.length).toBeLessThan(MASK.length + Buffer.from("user0:").toString("base64").length + 4);
    expect(await seen.mask(VALUE)).toBe(MASK);
  });

  it("is looked for in what was kept where another call has opened it meanwhile", async () => {
    const seen = new SeenValues();
    const redaction = await seen.redaction();
    add(seen, [basic("first")]);
    redaction.end();
    expect(redaction.kept(Buffer.from(`${VALUE} ${basic("first")}`), "stdout", false).toString()).toBe(
      `${MASK} ${MASK}`,
    );
  });
});
