import { writeFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { type ImportItem, type ImportOptions, planImport } from "../../src/admin/plans/import.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { Secret } from "../../src/vault/secret.ts";
import { TestVault } from "../fixtures/vault.ts";

const template = await TestVault.template("classic", async (made) => {
  await made.addAgent("crawler");
  await made.set("app/KEPT", "kept-value");
  await made.grant("crawler", "app");
});
let vault: TestVault;
beforeEach(() => {
  vault = template.copy();
});

const itemsOf = (values: Record<string, string | Buffer>): ImportItem[] =>
  Object.entries(values).map(([ref, value]) => ({
    ref: parseSecretRef(ref),
    value: new Secret(ref, Buffer.from(value)),
  }));

async function imported(values: Record<string, string | Buffer>, options: Partial<ImportOptions> = {}) {
  let outcomes: Record<string, unknown> = {};
  const done = await vault.change(async (session) => {
    const settings = { replace: false, unsafeName: false, ...options };
    const planned = await planImport(session, itemsOf(values), settings, () => {});
    outcomes = Object.fromEntries(
      planned.imported.map(({ ref, outcome }) => [`${ref.group}/${ref.name}`, outcome]),
    );
    return planned.plan;
  });
  return { outcomes, commit: done.commit };
}

describe("an import", () => {
  it("is one commit for all, in groups that are made on first use", async () => {
    const head = vault.git("rev-parse", "HEAD");
    const { outcomes, commit } = await imported({
      "app/A": "a-value",
      "new/B": "b-value",
      "new/C": "c-value",
    });
    expect(outcomes).toEqual({ "app/A": "new", "new/B": "new", "new/C": "new" });
    expect(vault.git("rev-parse", `${commit}~1`)).toBe(head);
    expect(vault.git("log", "-1", "--format=%B").trim()).toBe("vault-run: import 3 secrets into app, new");
    expect(vault.git("show", "--format=", "--name-only").split("\n")).toEqual([
      ".vault/groups/app/secrets/A.json",
      ".vault/groups/new/group.json",
      ".vault/groups/new/secrets/B.json",
      ".vault/groups/new/secrets/C.json",
    ]);
    expect(await vault.readAs("crawler", "app/A")).toBe("a-value");
    await vault.grant("crawler", "new");
    expect(await vault.readAs("crawler", "new/C")).toBe("c-value");
  });

  it("leaves what exists as it is, unless it is to be replaced", async () => {
    const again = await imported({ "app/KEPT": "other-value", "app/NEW": "new-value" });
    expect(again.outcomes).toEqual({ "app/KEPT": { skipped: "exists" }, "app/NEW": "new" });
    expect(await vault.readAs("crawler", "app/KEPT")).toBe("kept-value");
    const replacing = await imported(
      { "app/KEPT": "other-value", "app/NEW": "new-value" },
      { replace: true },
    );
    expect(replacing.outcomes).toEqual({ "app/KEPT": "new value", "app/NEW": "same value" });
    expect(vault.git("show", "--format=", "--name-only")).toBe(".vault/groups/app/secrets/KEPT.json");
    expect(await vault.readAs("crawler", "app/KEPT")).toBe("other-value");
  });

  it("of what is all there already makes no commit and writes nothing", async () => {
    const head = vault.git("rev-parse", "HEAD");
    const { outcomes, commit } = await imported({ "app/KEPT": "kept-value" }, { replace: true });
    expect(outcomes).toEqual({ "app/KEPT": "same value" });
    expect(commit).toBeUndefined();
    expect(vault.git("rev-parse", "HEAD")).toBe(head);
    expect(vault.git("status", "--porcelain", "--untracked-files=all")).toBe("");
  });

  it("takes the rest where something cannot be taken, and says why not", async () => {
    const { outcomes } = await imported({
      "app/EMPTY": "",
      "app/LARGE": Buffer.alloc(1_048_577, "x"),
      "app/NUL": "a\0b",
      "app/PATH": "/bin",
      "app/kept": "twin",
      "app/One": "first",
      "app/ONE": "second",
      "app/FINE": "fine-value",
    });
    expect(outcomes).toEqual({
      "app/EMPTY": { skipped: "empty" },
      "app/LARGE": { skipped: "too large" },
      "app/NUL": { skipped: "not text" },
      "app/PATH": { skipped: "unsafe name" },
      "app/kept": { skipped: { twinOf: "KEPT" } },
      "app/One": "new",
      "app/ONE": { skipped: { twinOf: "One" } },
      "app/FINE": "new",
    });
    expect(vault.git("ls-files", ".vault/groups/app/secrets").split("\n").sort()).toEqual(
      ["FINE", "KEPT", "One"].map((name) => `.vault/groups/app/secrets/${name}.json`),
    );
  });

  it.each([false, true])("of two values for one secret takes nothing (replacing: %s)", async (replace) => {
    const head = vault.git("rev-parse", "HEAD");
    const items = [
      ...itemsOf({ "app/KEPT": "kept-value", "app/NEW": "first-value" }),
      ...itemsOf({ "app/NEW": "second-value" }),
    ];
    const twice = vault.change(async (session) => {
      return (await planImport(session, items, { replace, unsafeName: false }, () => {})).plan;
    });
    await expect(twice).rejects.toMatchObject({
      code: "usage",
      message: "named twice: app/NEW",
      hint: "name each secret to import once",
    });
    expect(vault.git("rev-parse", "HEAD")).toBe(head);
    expect(vault.git("status", "--porcelain", "--untracked-files=all")).toBe("");
  });

  it("marks only the variables that need it where unsafe ones are allowed", async () => {
    await imported({ "app/PATH": "/bin", "app/FINE": "fine-value" }, { unsafeName: true });
    const { vault: verified } = await vault.owner();
    expect(verified.secret(parseSecretRef("app/PATH")).unsafeName).toBe(true);
    expect(verified.secret(parseSecretRef("app/FINE")).unsafeName).toBeUndefined();
  });

  it("keeps how a replaced secret is delivered, and takes its expiry from what is imported", async () => {
    await vault.set("app/KEPT", "kept-value", { deliver: "file", env: "KEPT_FILE", description: "text" });
    await imported({ "app/KEPT": Buffer.from([0xff, 0]) }, { replace: true });
    const record = (await vault.owner()).vault.secret(parseSecretRef("app/KEPT"));
    expect(record).toMatchObject({ deliver: "file", env: "KEPT_FILE", description: "text", exposedTo: [] });
  });

  it("is nothing at all where git refuses: no record and no group remain", async () => {
    writeFileSync(`${vault.repo}/.git/MERGE_HEAD`, vault.git("rev-parse", "HEAD"));
    await expect(imported({ "new/A": "a-value" })).rejects.toMatchObject({ code: "git-not-ready" });
    expect(vault.git("status", "--porcelain", "--untracked-files=all")).toBe("");
  });
});
