import { describe, expect, it } from "vitest";
import { commandsOf } from "../fixtures/example.ts";
import { copyExample, follow, isIn } from "../fixtures/story.ts";

const blocks = commandsOf("node-agent");
const [, startService = ""] = blocks;
const program = copyExample("node-agent");
const told = await follow(program, blocks);
const token = (await program.must(["get", "weather/WEATHER_TOKEN"])).trim();

describe("the agent in node", () => {
  it("has its forecast, launched and by the SDK, as the README tells", () => {
    expect(told.status, told.stderr).toBe(0);
    const [launched, using, opened] = told.stdout.split("\n");
    expect(launched).toBe("agent: sunny, 21 degrees");
    expect(using).toBe("agent: using [REDACTED:weather/WEATHER_TOKEN]");
    expect(opened).toBe("agent: sunny, 21 degrees");
    expect(told.stdout).toMatch(/launch +forecaster +\S+ +verified +node: weather\/WEATHER_TOKEN/);
    expect(told.stdout).toMatch(/sdk +forecaster +\S+ +verified +weather\/WEATHER_TOKEN/);
  });

  it("shows its token nowhere", () => {
    expect(token).toMatch(/^[0-9a-f]{48}$/);
    expect(isIn(told, token)).toBe(false);
  });

  it("ends with 1 where the service does not know its token, and does not show it", async () => {
    const copy = program.copy();
    const rotate = "openssl rand -hex 24 | vault-run set weather/WEATHER_TOKEN\n";
    for (const agent of ["vault-run --agent forecaster -- node agent.js\n", "node agent-sdk.js\n"]) {
      const refused = await follow(copy, [startService, rotate, agent, "echo not reached\n"]);
      expect(refused.status, refused.stderr).toBe(1);
      expect(refused.stderr).toMatch(/^agent: the weather service answered 401$/m);
      expect(refused.stdout).not.toContain("not reached");
      const newer = (await copy.must(["get", "weather/WEATHER_TOKEN"])).trim();
      expect(newer).not.toBe(token);
      for (const value of [token, newer]) expect(isIn(refused, value)).toBe(false);
    }
  });

  it("has no token without its vault's leave", async () => {
    const copy = program.copy();
    await copy.must(["revoke", "forecaster", "weather"]);
    const launched = await follow(copy, ["vault-run --agent forecaster -- node agent.js\n"]);
    expect(launched.status).toBe(125);
    expect(launched.stdout).toBe("");
    const opened = await follow(copy, ["node agent-sdk.js\n"]);
    expect(opened.status).toBe(1);
    expect(opened.stdout).toBe("");
    const alone = await follow(copy, ["node agent.js\n"]);
    expect(alone.status).toBe(1);
    expect(alone.stderr).toContain("agent: no WEATHER_TOKEN");
  });
});
