import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";

it("every owner's change is one line of the audit log, whoever signs it, and none of them has a value", {
  timeout: 120_000,
}, async () => {
  const program = Program.empty();
  let before = 0;
  const recorded = async (args: readonly string[], input = "") => {
    await program.must(args, { input });
    const lines = program.auditLines().slice(before);
    before += lines.length;
    return lines.map(({ action, agent, owner, group, secrets = [] }) => {
      const names = (secrets as { group: string; name: string }[]).map((of) => `${of.group}/${of.name}`);
      return [action, agent ?? owner ?? group, ...names].filter((word) => word !== undefined).join(" ");
    });
  };
  expect(await recorded(["init", "--classic"])).toEqual(["init"]);
  expect(await recorded(["add-agent", "crawler"])).toEqual(["add-agent crawler"]);
  expect(await recorded(["set", "web/A"], "first-value-of-A")).toEqual(["set web web/A"]);
  expect(await recorded(["set", "web/A"], "second-value-of-A")).toEqual(["set web web/A"]);
  writeFileSync(join(program.home, "app.env"), "B=value-of-B\nC=value-of-C\n");
  expect(await recorded(["import", "../app.env", "--group", "web"])).toEqual(["set web web/B web/C"]);
  expect(await recorded(["grant", "crawler", "web"])).toEqual(["grant crawler"]);
  expect(await recorded(["policy", "web", "--reveal", "--yes"])).toEqual(["policy web"]);
  expect(await recorded(["rollback", "web/A", "--to", "1", "--yes"])).toEqual(["rollback web web/A"]);
  expect(await recorded(["unset", "web/C"])).toEqual(["unset web web/C"]);
  expect(await recorded(["restore", "crawler", "--out", "../again.key"])).toEqual(["restore crawler"]);
  expect(await recorded(["rekey", "crawler", "--out", "../new.key"])).toEqual(["rekey crawler web/A web/B"]);
  expect(await recorded(["revoke", "crawler", "web"])).toEqual(["revoke crawler web/A web/B"]);
  expect(await recorded(["add-owner", "bea", "--out", "../bea.key"])).toEqual(["add-owner bea"]);
  expect(await recorded(["remove-owner", "bea", "--yes"])).toEqual(["remove-owner bea web/A web/B"]);
  const finding = "0".repeat(64);
  expect(await recorded(["allow", finding, "--reason", "an example"])).toEqual(["allow"]);
  expect(await recorded(["allow", finding, "--remove"])).toEqual(["allow"]);
  // A merge that is clean for git, and wrong in meaning.
  program.git("switch", "--quiet", "--create", "side");
  expect(await recorded(["add-agent", "late"])).toEqual(["add-agent late"]);
  expect(await recorded(["grant", "late", "web"])).toEqual(["grant late"]);
  program.git("switch", "--quiet", "main");
  expect(await recorded(["set", "web/A"], "third-value-of-A")).toEqual(["set web web/A"]);
  program.git("switch", "--quiet", "side");
  expect(await recorded(["set", "web/A"], "fourth-value-of-A")).toEqual(["set web web/A"]);
  expect(() => program.git("merge", "--quiet", "main")).toThrow();
  expect((await recorded(["resolve", "--yes"]))[0]).toMatch(/^resolve/);
  program.git("commit", "--quiet", "--no-edit");
  expect(await recorded(["remove-agent", "late", "--yes"])).toEqual(["remove-agent late web/A web/B"]);
  const key = join(program.home, ".config/vault-run", program.vaultId, "owner.key");
  expect(await recorded(["rekey", "--owner", "--out", "../mine.key", "--yes"])).toEqual([
    "rekey-owner owner web/A web/B",
  ]);
  renameSync(join(program.home, "mine.key"), key);
  expect(readFileSync(program.auditLog, "utf8")).not.toMatch(/value-of|AGE-SECRET/);
  const { status, stdout } = await program.run(["audit", "--json"]);
  expect(status, stdout).toBe(0);
});
