import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkVault } from "../../src/admin/check/check.ts";
import { codeOf, TestVault } from "../fixtures/vault.ts";

// One owner, one machine, several branches.

const template = await TestVault.template("classic", async (vault) => {
  for (const agent of ["crawler", "stays"]) await vault.addAgent(agent);
  for (const group of ["web", "db"]) await vault.set(`${group}/ONE`, `first-${group}`);
  for (const agent of ["crawler", "stays"]) await vault.grant(agent, "web");
});

function onBranch(vault: TestVault, name: string): void {
  vault.git("switch", "--quiet", "--create", name, "main");
}

describe("an owner's branches", () => {
  it("need not know of each other's secrets, values, agents and grants", async () => {
    const vault = template.copy();
    onBranch(vault, "a");
    await vault.set("web/TWO", "two");
    await vault.set("web/ONE", "second");
    await vault.set("fresh/X", "x");
    await vault.addAgent("new");
    await vault.grant("crawler", "db");
    onBranch(vault, "b");
    await vault.set("web/THREE", "three");
    await vault.addAgent("other");
    await vault.grant("stays", "db");
    const session = await vault.owner();
    expect(session.vault.secrets(session.vault.group("web" as never).name).map(({ name }) => name)).toEqual([
      "ONE",
      "THREE",
    ]);
    expect(session.vault.agents().map(({ name }) => name)).toEqual(["crawler", "other", "stays"]);
    expect(session.vault.groups().map(({ name }) => name)).toEqual(["db", "web"]);
    vault.git("merge", "--quiet", "a", "--message", "merge");
    expect((await vault.owner()).vault.agents().map(({ name }) => name)).toEqual([
      "crawler",
      "new",
      "other",
      "stays",
    ]);
    expect(await vault.readAs("crawler", "web/ONE")).toBe("second");
  });

  it("are merged before an old group's key or an old agent's is sealed to again (A5, promise 7)", async () => {
    const vault = template.copy();
    onBranch(vault, "a");
    await vault.revoke("crawler", "web");
    onBranch(vault, "b");
    expect(await codeOf(() => vault.set("web/ONE", "for whom"))).toBe("record-rollback");
    vault.git("merge", "--quiet", "a");
    await vault.set("web/ONE", "for those who remain");
    expect(await vault.readAs("stays", "web/ONE")).toBe("for those who remain");
    expect(await codeOf(() => vault.readAs("crawler", "web/ONE"))).toBe("not-granted");
  });

  it("are no way round a pin: what no local branch has is still missing (A5)", async () => {
    const vault = template.copy();
    onBranch(vault, "a");
    await vault.set("web/TWO", "two");
    vault.git("switch", "--quiet", "main");
    vault.git("branch", "--quiet", "--force", "--delete", "a");
    expect(await codeOf(() => vault.set("web/THREE", "three"))).toBe("record-missing");
  });

  it("are no way round a pin: what the branch itself had once was taken back (A5, promises 6 and 7)", async () => {
    const vault = template.copy();
    const old = vault.git("rev-parse", "HEAD");
    await vault.set("web/ONE", "second");
    vault.git("branch", "--quiet", "merged-long-ago");
    const record = ".vault/groups/web/secrets/ONE.json";
    vault.git("checkout", "--quiet", old, "--", record);
    vault.git("commit", "--quiet", "--message", "by somebody who can push");
    expect(await codeOf(() => vault.revoke("crawler", "web"))).toBe("record-rollback");
    vault.git("rm", "--quiet", record);
    vault.git("commit", "--quiet", "--message", "by the same");
    expect(await codeOf(() => vault.revoke("crawler", "web"))).toBe("record-missing");
  });

  it("take nothing from what a change pins besides: what it wrote is never sealed to an older group (A14, promise 7)", async () => {
    const vault = template.copy();
    await vault.grant("crawler", "db");
    await vault.revoke("crawler", "db");
    onBranch(vault, "a");
    await vault.grant("crawler", "db");
    vault.git("switch", "--quiet", "main");
    const old = vault.git("rev-parse", "HEAD");
    await vault.rekey("crawler");
    vault.git("checkout", "--quiet", old, "--", ".vault");
    vault.git("commit", "--quiet", "--message", "by somebody who can push");
    expect(await codeOf(() => vault.set("web/ONE", "for whom"))).toBe("record-rollback");
  });

  it("have what is newer elsewhere never signed again as the newest (A5, promises 6 and 7)", async () => {
    const vault = template.copy();
    onBranch(vault, "a");
    await vault.set("web/ONE", "second");
    await vault.set("web/TWO", "two");
    vault.git("switch", "--quiet", "main");
    const head = vault.git("rev-parse", "HEAD");
    await expect(vault.revoke("crawler", "web")).rejects.toMatchObject({
      code: "record-rollback",
      message:
        "branch a has a newer one, and this would sign the older one again: .vault/groups/web/secrets/ONE.json",
      hint: "merge that branch first: git merge a",
    });
    expect(await codeOf(() => vault.rekey("crawler"))).toBe("record-rollback");
    expect(vault.git("rev-parse", "HEAD")).toBe(head);
    await vault.set("web/ONE", "third");
    expect(await vault.readAs("stays", "web/ONE")).toBe("third");
    vault.git("merge", "--quiet", "--strategy-option", "ours", "a", "--message", "merge");
    await vault.revoke("crawler", "web");
    expect(await vault.readAs("stays", "web/TWO")).toBe("two");
  });

  it("are named by check, with what is newer there", async () => {
    const vault = template.copy();
    onBranch(vault, "a");
    await vault.set("web/ONE", "second");
    vault.git("switch", "--quiet", "main");
    const { findings } = await checkVault(vault.machine, { root: vault.root });
    expect(findings.filter(({ kind }) => kind === "branch")).toEqual([
      {
        level: "note",
        kind: "branch",
        where: "groups/web/secrets/ONE.json",
        what: "branch a has a newer one: .vault/groups/web/secrets/ONE.json",
        next: "merge it when it is to count here: git merge a",
      },
    ]);
  });

  it("are no way round a pin where the history is cut off, or cannot be read", async () => {
    const vault = template.copy();
    onBranch(vault, "a");
    await vault.set("web/ONE", "second");
    vault.git("switch", "--quiet", "main");
    const head = vault.git("rev-parse", "HEAD");
    const shallow = join(vault.repo, ".git/shallow");
    writeFileSync(shallow, `${head}\n`);
    expect(await codeOf(() => vault.set("web/ONE", "third"))).toBe("record-rollback");
    rmSync(shallow);
    const tree = vault.git("rev-parse", "HEAD^^{tree}");
    const object = join(vault.repo, ".git/objects", tree.slice(0, 2), tree.slice(2));
    renameSync(object, `${object}-away`);
    expect(await codeOf(() => vault.set("web/ONE", "third"))).toBe("record-rollback");
    renameSync(`${object}-away`, object);
    await vault.set("web/ONE", "third");
  });

  it("are no way round a pin where the change came by a merge", async () => {
    const vault = template.copy();
    const old = vault.git("rev-parse", "HEAD");
    onBranch(vault, "a");
    await vault.set("web/ONE", "second");
    vault.git("switch", "--quiet", "main");
    vault.git("merge", "--quiet", "--no-ff", "--message", "merge", "a");
    vault.git("checkout", "--quiet", old, "--", ".vault/groups/web/secrets/ONE.json");
    vault.git("commit", "--quiet", "--message", "by somebody who can push");
    expect(await codeOf(() => vault.revoke("crawler", "web"))).toBe("record-rollback");
  });

  it("do not lower a pin: an agent that saw the newer value refuses the older", async () => {
    const vault = template.copy();
    onBranch(vault, "a");
    await vault.set("web/ONE", "second");
    vault.git("switch", "--quiet", "main");
    await vault.set("db/TWO", "two");
    await vault.set("web/THREE", "three");
    expect(await codeOf(() => vault.readAs("crawler", "web/ONE"))).toBe("record-rollback");
  });
});
