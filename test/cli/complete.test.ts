import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { complete } from "../../src/cli/completion/complete.ts";
import { vaultNames } from "../../src/cli/completion/vault-names.ts";
import { LAUNCH_OPTIONS } from "../../src/cli/launch-options.ts";
import { VERBS } from "../../src/cli/verbs.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { TestVault } from "../fixtures/vault.ts";

const template = await TestVault.template("classic", async (made) => {
  await made.addAgent("crawler");
  await made.addAgent("gone");
  for (const ref of ["stripe/API_KEY", "stripe/OLD", "mail/PASSWORD"]) await made.set(ref, "some-value");
  await made.unset("stripe/OLD");
  await made.removeAgent("gone");
});
const names = vaultNames(template.root);

/** What is offered at the end of the line: words, or the kind. */
function offered(line: string): readonly string[] | string {
  const completion = complete(line.split(" "), names);
  if (completion.kind === "command") return `command ${completion.after}`;
  return completion.kind === "words" ? completion.words.map(({ word }) => word) : completion.kind;
}

describe("completion", () => {
  it("offers every verb first, and a verb's every option behind it", () => {
    expect(offered("")).toEqual(VERBS.map(({ name }) => name).filter((name) => !name.includes(" ")));
    expect(offered("help ")).toEqual(offered(""));
    expect(offered("audit ")).toEqual(["push", "fetch"]);
    expect(offered("help audit p")).toEqual(["push"]);
    expect(offered("help list ")).toEqual([]);
    for (const verb of VERBS) {
      const flags = verb.options.map(({ flag }) => flag.split(" ")[0]);
      expect(offered(`${verb.name} -`)).toEqual([...flags, "--help"]);
    }
  });

  it("offers every option of a launch, and the command behind --", () => {
    const own = Object.keys(LAUNCH_OPTIONS).map((name) => `--${name}`);
    expect(offered("-")).toEqual([...own, "--help", "--version", "--"]);
    expect(offered("--agent crawler --")).toEqual([...own, "--"]);
    expect(offered("--agent crawler -- node --inspect")).toBe("command 3");
    expect(offered("-- ")).toBe("command 1");
  });

  it.each([
    ["grant ", ["crawler"]],
    ["grant crawler ", ["mail", "stripe"]],
    ["grant --expires 30d crawler s", ["stripe"]],
    ["grant crawler stripe ", []],
    ["get ", ["mail/", "stripe/"]],
    ["get stripe/", ["stripe/API_KEY"]],
    ["get nothing/", []],
    ["get ../../etc/", []],
    ["--agent ", ["crawler"]],
    ["--agent=c", ["--agent=crawler"]],
    ["--agent crawler --group m", ["mail"]],
    ["--env TOKEN=stripe/", ["TOKEN=stripe/API_KEY"]],
    ["--file=KEY=mail/", ["--file=KEY=mail/PASSWORD"]],
    ["--tty p", ["pty", "pipe"]],
    ["--on-leak ", ["report", "kill"]],
    ["export stripe --format git", ["github", "github-mask"]],
    ["init --audit ", ["required", "best-effort"]],
    ["init --name ", []],
    ["add-owner ", []],
    ["remove-owner ", ["owner"]],
    ["completion ", ["bash", "zsh", "fish"]],
    ["import ", "files"],
    ["set stripe/X --from-file ", "files"],
    ["list --vault ", "folders"],
    ["nonsense ", []],
  ])("knows what follows %j", (line, expected) => {
    expect(offered(line)).toEqual(expected);
  });

  it("offers nothing where there is no vault, or one that is broken", () => {
    expect(vaultNames(undefined).agents()).toEqual([]);
    const root = join(tempFolder(), ".vault");
    mkdirSync(join(root, "groups/x/secrets"), { recursive: true });
    writeFileSync(join(root, "groups/x/secrets/not a name.json"), "{}");
    symlinkSync("/etc", join(root, "agents"));
    expect([vaultNames(root).agents(), vaultNames(root).groups(), vaultNames(root).secrets("x")]).toEqual([
      [],
      ["x"],
      [],
    ]);
    expect(vaultNames(root).secrets("../x")).toEqual([]);
    writeFileSync(join(root, "vault.json"), '{"owners": 1}');
    expect(vaultNames(root).owners()).toEqual([]);
  });
});
