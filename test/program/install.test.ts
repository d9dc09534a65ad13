import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, inject, it } from "vitest";
import { VERBS } from "../../src/cli/verbs.ts";
import { Program } from "../fixtures/program.ts";

describe("the installed package", () => {
  it("needs no other package, and has one that it can do without", () => {
    const folder = inject("packageFolder");
    const { dependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(folder, "package.json"), "utf8"),
    );
    expect(dependencies).toBeUndefined();
    expect(Object.keys(optionalDependencies)).toEqual(["koffi"]);
    expect(readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith("."))).toEqual([
      "@koromix",
      "koffi",
    ]);
    expect(
      readdirSync(folder)
        .filter((name) => name !== "node_modules")
        .sort(),
    ).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "bin", "dist", "docs", "package.json"]);
  });

  it("carries the licences of what is bundled", () => {
    const licences = readFileSync(join(inject("packageFolder"), "dist/THIRD-PARTY-LICENSES.txt"), "utf8");
    for (const name of [
      "age-encryption",
      "cac",
      "canonicalize",
      "simple-git",
      "zod",
      "@noble/post-quantum",
      "@scure/base",
    ]) {
      expect(licences).toContain(`${name} `);
    }
  });

  it("tells its version and how it is used", async () => {
    const program = Program.empty();
    const { version } = JSON.parse(readFileSync(join(inject("packageFolder"), "package.json"), "utf8"));
    expect(await program.must(["--version"])).toBe(`${version}\n`);
    const help = await program.must(["--help"]);
    for (const { name } of VERBS) expect(help).toContain(name);
    for (const { name } of VERBS) expect(await program.must([name, "--help"])).toContain(`vault-run ${name}`);
  });

  it("says in one line which node it needs when started on an older one", async () => {
    const bin = join(inject("packageFolder"), "bin/vault-run");
    const older = `Object.defineProperty(process.versions, "node", { value: "20.19.0" }); process.argv.splice(1, 0, ${JSON.stringify(bin)}); require(${JSON.stringify(bin)})`;
    const verb = await execa(process.execPath, ["-e", older, "list"], { reject: false });
    expect(verb.stderr.split("\n")[0]).toBe("vault-run: needs node 22.15 or later, and this is node 20.19.0");
    expect(verb.exitCode).toBe(1);
  });
});
