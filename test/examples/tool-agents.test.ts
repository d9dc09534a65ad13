import { createHmac } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandsOf } from "../fixtures/example.ts";
import type { Program } from "../fixtures/program.ts";
import { copyExample, follow, isIn } from "../fixtures/story.ts";

const blocks = commandsOf("tool-agents");
const [makeVault = "", callBoth = "", ...after] = blocks;
const made = copyExample("tool-agents");
const making = await follow(made, [makeVault]);
const keys = {
  search: (await made.must(["get", "search/SEARCH_KEY"])).trim(),
  mail: (await made.must(["get", "mail/MAIL_PASSWORD"])).trim(),
};
const CHALLENGE = "<1896.697170952@example.org>";
const loggedIn = `"agent@example.org ${createHmac("md5", keys.mail).update(CHALLENGE).digest("hex")}"`;
const signed = createHmac("sha256", keys.search).update("rain tomorrow").digest("hex");

/** Puts another program in the place of the search tool; what that answers when the framework calls it. */
async function answerOf(program: Program, source: string): Promise<Record<string, unknown>> {
  writeFileSync(join(program.repo, "tools/search.js"), source);
  const { status, stdout, stderr } = await follow(program, ["node framework.js search=x\n"]);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout.replace("framework: search answers ", ""));
}

describe("a framework whose tools have identities of their own", () => {
  it("does what the README tells, and shows no secret", async () => {
    const copy = made.copy();
    const told = await follow(copy, [callBoth, ...after]);
    expect([making.status, told.status], told.stderr).toEqual([0, 0]);
    expect(told.stdout).toContain(
      `framework: search answers {"query":"rain tomorrow","signature":"${signed}"}`,
    );
    expect(told.stdout.split(`framework: mail answers {"login":${loggedIn}}`)).toHaveLength(3);
    expect(told.stdout).toMatch(/^search +search\/SEARCH_KEY +1 /m);
    expect(told.stdout).toMatch(/^mail +mail\/MAIL_PASSWORD +1 /m);
    expect(told.stdout.match(/^(search|mail) +\S+\/\S+ +\d/gm)).toHaveLength(2);
    expect(told.stderr).toContain("search was not granted group mail");
    expect(told.stdout).toContain("ended with 125");
    expect(told.stdout).toMatch(/denied +search/);
    expect(told.stderr).toContain("framework: search failed: it was not started");
    expect(told.stdout).toContain("ended with 1\n");
    expect(told.stdout + told.stderr).toContain("nothing to rotate");
    for (const outcome of [making, told])
      for (const value of Object.values(keys)) expect(isIn(outcome, value)).toBe(false);
  });

  it("gives a tool its own secret alone, and none of the framework's environment", async () => {
    const source = "console.log(JSON.stringify(Object.keys(process.env)))";
    const names = await answerOf(made.copy(), source);
    expect(names).toContain("SEARCH_KEY");
    expect(names).not.toContain("MAIL_PASSWORD");
    expect(names).not.toContain("GIT_CONFIG_NOSYSTEM");
    expect(Object.values(names).join()).not.toContain("VAULT_RUN");
  });

  it("keeps a tool from another's key, and from launching as another", async () => {
    const copy = made.copy();
    const folder = join(copy.home, ".config/vault-run", copy.vaultId, "agents");
    expect(readdirSync(folder)).toContain("mail.key");
    const tried = await answerOf(
      copy,
      `import { readFileSync } from "node:fs";
       import { spawnSync } from "node:child_process";
       const attempt = (action) => { try { return String(action()); } catch (error) { return error.code; } };
       console.log(JSON.stringify({
         own: attempt(() => process.env.SEARCH_KEY.length),
         key: attempt(() => readFileSync(${JSON.stringify(join(folder, "mail.key"))})),
         parent: attempt(() => readFileSync("/proc/" + process.ppid + "/environ")),
         launch: attempt(() => spawnSync("vault-run", ["--agent", "mail", "--", "printenv", "MAIL_PASSWORD"]).stdout),
       }));`,
    );
    const denied = "ERR_ACCESS_DENIED";
    expect(tried).toEqual({ own: "48", key: denied, parent: denied, launch: denied });
    const { lines } = JSON.parse(await copy.must(["audit", "--agent", "mail", "--action", "pull", "--json"]));
    expect(lines).toEqual([]);
  });

  it("does not have a tool's key open another's group, whatever is asked", async () => {
    const copy = made.copy();
    const key = join(copy.home, ".config/vault-run", copy.vaultId, "agents/search.key");
    for (const args of [
      ["--agent", "search", "--group", "mail"],
      ["--agent", "search", "--env", "X=mail/MAIL_PASSWORD"],
      ["--agent", "search", "--file", "X=mail/MAIL_PASSWORD"],
      ["--agent", "mail", "--key-file", key],
    ]) {
      const { status, stdout } = await copy.run([...args, "--", "echo", "started"]);
      expect([status, stdout], args.join(" ")).toEqual([125, ""]);
    }
  });
});
