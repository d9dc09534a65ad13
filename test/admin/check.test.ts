import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { type CheckOptions, checkVault } from "../../src/admin/check/check.ts";
import { planGrant } from "../../src/admin/plans/grant.ts";
import { planPolicy } from "../../src/admin/plans/policy.ts";
import type { Machine } from "../../src/vault/machine.ts";
import { hasControls, parseAgentName, parseGroupName } from "../../src/vault/names.ts";
import type { GroupPolicy } from "../../src/vault/policy.ts";
import { timestamp } from "../../src/vault/time.ts";
import { codeOf, git, TestVault } from "../fixtures/vault.ts";

const DAY_MS = 86_400_000;
const template = await TestVault.template("classic", async (vault) => {
  for (const agent of ["crawler", "stays"]) await vault.addAgent(agent);
  for (const name of ["ONE", "TWO"]) await vault.set(`web/${name}`, `value-${name}`);
  for (const agent of ["crawler", "stays"]) await vault.grant(agent, "web");
});

async function kinds(
  vault: TestVault,
  options: Partial<CheckOptions> = {},
  machine: Machine = vault.machine,
) {
  const { findings } = await checkVault(machine, { root: vault.root, ...options });
  return findings.map(({ level, kind, where }) => `${level} ${kind} ${where}`);
}

const file = (vault: TestVault, path: string) => join(vault.root, path);
const SECRET = "groups/web/secrets/ONE.json";

describe("check", () => {
  it("finds nothing in a vault that is as it should be, with an owner's key and without", async () => {
    const vault = template.copy();
    expect(await kinds(vault)).toEqual([]);
    const owner = (await vault.owner()).signingKey.verifyKey;
    expect(await kinds(vault, {}, vault.elsewhere({ VAULT_RUN_OWNER: owner }))).toEqual([]);
  });

  it("names each file that is wrong, without stopping at the first", async () => {
    const vault = template.copy();
    writeFileSync(file(vault, SECRET), readFileSync(file(vault, SECRET), "utf8").replace('"env"', '"file"'));
    writeFileSync(file(vault, "groups/web/secrets/TWO.json"), "<<<<<<< a\n=======\n>>>>>>> b\n");
    writeFileSync(file(vault, "agents/crawler/grants/x y.json"), "{}");
    rmSync(file(vault, "agents/stays/grants/web.json"));
    expect(new Set(await kinds(vault))).toEqual(
      new Set([
        "error record-missing agents/stays/grants/web.json",
        "error record-invalid groups/web/secrets/TWO.json",
        "error bad-name agents/crawler/grants/x y.json",
        "error record-signature groups/web/secrets/ONE.json",
        "note no-grants agents/stays/agent.json",
        "note uncommitted .vault",
      ]),
    );
  });

  it("names each attribute by which git changes or mixes records, wherever it is said", async () => {
    const ours = "* -text\n"; // As vaults have it that were made before.
    const all = "* text eol=crlf ident filter=x working-tree-encoding=utf-16 merge=union\n";
    const named = ["text", "filter=x", "ident", "working-tree-encoding=utf-16", "merge=union"];
    const cases: readonly [string, string, readonly string[]][] = [
      [".vault/.gitattributes", all, named],
      [".gitattributes", all, named.slice(1)],
      [".git/info/attributes", all, named],
      [".vault/groups/.gitattributes", "*.json eol=lf crlf=input -text\n", []],
      [".vault/groups/web/.gitattributes", "*.json !text eol=lf\n", ["eol=lf"]],
      [".vault/.gitattributes", `${ours}*.json -filter -ident merge\n`, []],
    ];
    for (const [where, text, expected] of cases) {
      const vault = template.copy();
      writeFileSync(file(vault, ".gitattributes"), ours);
      mkdirSync(dirname(join(vault.repo, where)), { recursive: true });
      writeFileSync(join(vault.repo, where), text);
      const { findings } = await checkVault(vault.machine, { root: vault.root });
      const found = findings.filter(({ kind, level }) => kind === "attributes" && level === "error");
      expect(
        found.map(({ what }) => /, by the attribute (\S+): \.vault\/.*\.json/.exec(what)?.[1]),
        `${where}: ${text}`,
      ).toEqual(expected);
      // The line that is told makes it as it should be, but where the machine's own settings say otherwise.
      if (expected.length === 0 || where === ".git/info/attributes" || where.startsWith(".vault/groups"))
        continue;
      writeFileSync(file(vault, ".gitattributes"), `${/: (\*.*)$/.exec(found[0]?.next ?? "")?.[1]}\n`);
      expect(
        (await kinds(vault)).filter((kind) => kind.includes("attributes")),
        where,
      ).toEqual([]);
    }
  });

  it("finds none in a vault that is made under such attributes, by what its first change writes", async () => {
    const vault = template.copy();
    writeFileSync(join(vault.repo, ".gitattributes"), "* text eol=crlf ident filter=x merge=union\n");
    rmSync(file(vault, ".gitattributes"));
    await vault.set("web/ONE", "another value");
    expect((await kinds(vault)).filter((kind) => kind.includes("attributes"))).toEqual([]);
  });

  it("notes where line ends are left to each machine's settings", async () => {
    const vault = template.copy();
    for (const text of ["# nothing\n", "*.json !text\n", "groups/** -text\n"]) {
      writeFileSync(file(vault, ".gitattributes"), text);
      expect(await kinds(vault), text).toContain("note attributes .gitattributes");
    }
    rmSync(file(vault, ".gitattributes"));
    expect(await kinds(vault)).toContain("note attributes .gitattributes");
  });

  it("names links, age files that were made for others, and whose time has passed or will", async () => {
    const vault = template.copy();
    await vault.set("web/SOON", "value-soon", { expiresAt: timestamp(vault.machine.now() + 20 * DAY_MS) });
    await vault.change((session) =>
      planGrant(session, parseAgentName("stays"), parseGroupName("web"), timestamp(session.nowMs + DAY_MS)),
    );
    vault.passTime(2 * DAY_MS);
    symlinkSync("ONE.json", file(vault, "groups/web/secrets/LINK.json"));
    await vault.change(async (session) => {
      const agent = session.vault.agent(parseAgentName("crawler"));
      const other = session.vault.agent(parseAgentName("stays"));
      const path = "agents/crawler/agent.json" as never;
      const { vault: _, serial: __, signatures: ___, ...fields } = agent;
      const record = session.sign(path, { ...fields, escrow: other.escrow } as never);
      return { event: { action: "set" }, message: "swap", writes: [{ path, record }] };
    });
    expect(new Set(await kinds(vault))).toEqual(
      new Set([
        "error record-invalid groups/web/secrets/LINK.json",
        "error sealed-context agents/crawler/agent.json",
        "error expired agents/stays/grants/web.json",
        "note expires groups/web/secrets/SOON.json",
        "note uncommitted .vault",
      ]),
    );
  });

  it("names what makes readers stop though no record stands there, whatever its name is (A13, A19)", async () => {
    const vault = template.copy();
    mkdirSync(file(vault, "agents/nobody"));
    writeFileSync(file(vault, "agents/nobody/notes"), "x");
    mkdirSync(file(vault, "groups/Bad Name/secrets"), { recursive: true });
    rmSync(file(vault, "agents/stays/grants"), { recursive: true });
    symlinkSync("../crawler/grants", file(vault, "agents/stays/grants"));
    const noText = Buffer.concat([Buffer.from(file(vault, "groups/web/")), Buffer.from([0xff, 0x1b])]);
    mkdirSync(noText);
    writeFileSync(Buffer.concat([noText, Buffer.from("/x")]), "x");
    mkdirSync(file(vault, `groups/web/${"deep/".repeat(500)}`), { recursive: true });
    const found = await kinds(vault);
    expect(found).toContain("error record-missing agents/nobody/agent.json");
    expect(found).toContain("error bad-name groups");
    expect(found).toContain("error record-invalid agents/stays/grants/web.json");
    expect(await codeOf(async () => (await vault.owner()).vault.agents())).toBeDefined();
    const { findings } = await checkVault(vault.machine, { root: vault.root });
    expect(findings.map(({ what, next }) => what + next).filter(hasControls)).toEqual([]);
  });

  it("names what a pull request puts back, leaves out or lets in (A5)", async () => {
    const vault = template.copy();
    const old = readFileSync(file(vault, SECRET));
    await vault.set("web/ONE", "second");
    vault.git("branch", "base");
    await vault.addAgent("new");
    await vault.grant("new", "web");
    writeFileSync(file(vault, SECRET), old);
    rmSync(file(vault, "groups/web/secrets/TWO.json"));
    vault.git("commit", "--quiet", "--all", "--message", "sly");
    const found = await kinds(vault, { base: "base" }, vault.elsewhere());
    expect(new Set(found)).toEqual(
      new Set([
        "error record-rollback groups/web/secrets/ONE.json",
        "error record-missing groups/web/secrets/TWO.json",
        "note new-reader agents/new/agent.json",
        "note new-reader agents/new/grants/web.json",
      ]),
    );
  });

  it("names what a pull request lets models do that they could not", async () => {
    const vault = template.copy();
    const policy = (group: string, to: GroupPolicy) =>
      vault.change(async (session) => planPolicy(session, parseGroupName(group), to));
    const origins = ["https://one.example"];
    await policy("web", { commands: [["gh", "api"]], origins });
    vault.git("branch", "base");
    const wider = async () =>
      (await checkVault(vault.machine, { root: vault.root, base: "base" })).findings.map(
        ({ kind, what }) => `${kind} ${what}`,
      );
    const narrower: GroupPolicy[] = [{ commands: [] }, { commands: [["gh", "api", "/user"]], origins }];
    for (const to of narrower) {
      await policy("web", to);
      expect(await wider(), JSON.stringify(to)).toEqual([]);
    }
    await policy("web", { reveal: true, commands: [["gh"]], origins: [...origins, "https://two.example"] });
    expect(await wider()).toEqual([
      "wider-policy group web: get_secret may show its values",
      "wider-policy group web: commands may have its values: gh",
      "wider-policy group web: its values may be sent to https://two.example",
    ]);
    await policy("web", { origins });
    expect(await wider()).toEqual(["wider-policy group web: commands may have its values: any"]);
    vault.git("branch", "--force", "base");
    await vault.set("new/KEY", "value-KEY");
    expect(await wider()).toEqual([]);
    await policy("new", { origins });
    expect(await wider()).toEqual(["wider-policy group new: its values may be sent to https://one.example"]);
  });

  it("goes by the base's owners and nobody else's, where it was told nothing", async () => {
    const vault = template.copy();
    const stranger = await TestVault.make();
    vault.git("branch", "base");
    for (const [from, to] of [
      ["theirs", "base"],
      ["base", "theirs"],
    ] as const) {
      vault.git("switch", "--quiet", "--force-create", "theirs", "base");
      rmSync(vault.root, { recursive: true });
      git(vault.repo, "clone", "--quiet", stranger.repo, "stranger");
      renameSync(join(vault.repo, "stranger/.vault"), vault.root);
      rmSync(join(vault.repo, "stranger"), { recursive: true });
      vault.git("add", "--all");
      vault.git("commit", "--quiet", "--message", "taken over");
      vault.git("switch", "--quiet", "--detach", from);
      const refused = checkVault(vault.elsewhere(), { root: vault.root, base: to });
      await expect(refused).rejects.toMatchObject({ code: "untrusted" });
    }
  });

  it("names key files that others can read", async () => {
    const vault = template.copy();
    chmodSync(vault.keyPath("crawler"), 0o640);
    expect(await kinds(vault)).toEqual([`error key-file ${vault.keyPath("crawler")}`]);
  });
});
