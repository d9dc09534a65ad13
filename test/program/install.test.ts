import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join, normalize, relative, resolve } from "node:path";
import { execa } from "execa";
import { describe, expect, inject, it } from "vitest";
import { VERBS } from "../../src/cli/verbs.ts";
import { Program } from "../fixtures/program.ts";
import { tempFolder } from "../fixtures/temp.ts";

describe("the installed package", () => {
  it("needs no other package, and has two that it can do without", () => {
    const folder = inject("packageFolder");
    const { dependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(folder, "package.json"), "utf8"),
    );
    expect(dependencies).toBeUndefined();
    expect(Object.keys(optionalDependencies)).toEqual(["@napi-rs/keyring", "koffi"]);
    expect(readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith("."))).toEqual([
      "@koromix",
      "@napi-rs",
      "koffi",
    ]);
    expect(
      readdirSync(folder)
        .filter((name) => name !== "node_modules")
        .sort(),
    ).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "SECURITY.md",
      "bin",
      "dist",
      "docs",
      "package.json",
      "scripts",
    ]);
  });

  it("holds no file that nothing in it uses", () => {
    const folder = inject("packageFolder");
    const text = (path: string) => readFileSync(join(folder, path), "latin1");
    const all = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .filter((path) => !path.startsWith("node_modules/"));
    const { bin, exports, man } = JSON.parse(text("package.json"));
    const entries = (kind: "default" | "types"): string[] =>
      Object.values<Record<string, string>>(exports).flatMap((entry) => entry[kind] ?? []);
    const programs = closure([bin["vault-run"], ...entries("default")], (path) =>
      [...text(path).matchAll(/["'](?:\.\/)?([\w-]+\.c?js)["']/g)]
        .map(([, name]) => `dist/${name}`)
        .filter((name) => all.includes(name)),
    );
    const types = closure(entries("types"), (path) =>
      [...text(path).matchAll(/["'](\.[^"']+)\.ts["']/g)].map(([, name = ""]) =>
        join(dirname(path), `${name}.d.ts`),
      ),
    );
    const code = all.filter((path) => path.startsWith("dist/code/"));
    expect(code.map((path) => `dist/${basename(path)}`).filter((path) => !programs.includes(path))).toEqual(
      [],
    );
    expect(new Set(code.map(dirname)).size).toBe(1);
    const rest = [
      ...["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "package.json"],
      ...["docs/FORMAT.md", "docs/REDACTION.md", "docs/SDK.md"],
      ...["bin/package.json", "dist/THIRD-PARTY-LICENSES.txt", "scripts/code-cache.cjs", ...man],
    ];
    expect(all.sort()).toEqual([...programs, ...types, ...code, ...rest].map(normalize).sort());
  });

  it("carries the licences of what is bundled", () => {
    const licences = readFileSync(join(inject("packageFolder"), "dist/THIRD-PARTY-LICENSES.txt"), "utf8");
    for (const name of ["age-encryption", "cac", "simple-git", "zod", "@noble/post-quantum", "@scure/base"]) {
      expect(licences).toContain(`${name} `);
    }
  });

  it("offers the redactor to other programs, with types, to import and to require", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(inject("packageFolder"), join(folder, "node_modules/vault-run"));
    const body = `
      const found: string[] = [];
      const redactor: Redactor = createRedactor([{ name: "s", value: "hunter2secret" }], {
        onMatch: ({ name, stream, encoding }) => found.push([name, stream, encoding].join(" ")),
      });
      const stream: RedactedStream = redactor.stream("out");
      const output = Buffer.concat([stream.write(Buffer.from("pw hunter2se")), stream.idle(), ...stream.pieces(Buffer.from("cret")), stream.end()]);
      const [count] = redactor.counts();
      console.log(JSON.stringify([output.toString(), count?.encoding, count?.count, found, redactor.leaks().length, redactor.tooShort]));
    `;
    writeFileSync(
      join(folder, "consumer.mts"),
      `import { createRedactor, type RedactedStream, type Redactor } from "vault-run/redact";\n${body}`,
    );
    const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "--types", "node"];
    const roots = ["--typeRoots", resolve(import.meta.dirname, "../../node_modules/@types")];
    const tsc = resolve(import.meta.dirname, "../../node_modules/.bin/tsc");
    await execa(tsc, [...options, ...roots, "consumer.mts"], { cwd: folder });
    const expected = '["pw hunt[REDACTED:s]","raw",1,["s out raw"],1,[]]';
    const imported = await execa(process.execPath, ["consumer.mts"], { cwd: folder });
    expect(imported.stdout).toBe(expected);
    writeFileSync(
      join(folder, "consumer.cjs"),
      `const { createRedactor } = require("vault-run/redact");\n${body.replace(/: (string\[\]|Redactor|RedactedStream)(?= =)/g, "")}`,
    );
    const required = await execa(process.execPath, ["consumer.cjs"], { cwd: folder });
    expect(required.stdout).toBe(expected);
  });

  it("brings its manual, which man finds", async () => {
    const page = join(inject("packageFolder"), "../../../share/man/man1/vault-run.1");
    const { stdout } = await execa("mandoc", ["-T", "lint", "-W", "warning", page], { reject: false });
    expect(stdout).toBe("");
    const { version } = JSON.parse(readFileSync(join(inject("packageFolder"), "package.json"), "utf8"));
    expect(readFileSync(page, "utf8")).toContain(`vault\\-run ${version}`);
  });

  it("tells its version and how it is used", async () => {
    const program = Program.empty();
    const { version } = JSON.parse(readFileSync(join(inject("packageFolder"), "package.json"), "utf8"));
    for (const word of ["--version", "version"]) expect(await program.must([word])).toBe(`${version}\n`);
    const help = await program.must(["--help"]);
    for (const { name } of VERBS) expect(help).toContain(name);
    for (const { name, examples } of VERBS) {
      const page = await program.must(["help", ...name.split(" ")]);
      expect(page).toBe(await program.must([...name.split(" "), "--help"]));
      expect(page).toContain(`vault-run ${name}`);
      for (const example of examples) expect(page).toContain(example);
    }
  });

  it("says in one line which node it needs when started on an older one", async () => {
    const bin = join(inject("packageFolder"), "bin/vault-run");
    const older = `Object.defineProperty(process.versions, "node", { value: "20.19.0" }); process.argv.splice(1, 0, ${JSON.stringify(bin)}); require(${JSON.stringify(bin)})`;
    const verb = await execa(process.execPath, ["-e", older, "list"], { reject: false });
    expect(verb.stderr.split("\n")[0]).toBe("vault-run: needs node 22.15 or later, and this is node 20.19.0");
    expect(verb.exitCode).toBe(1);
  });
});

/** What is there, and all that leads from it. */
function closure(first: readonly string[], leadsTo: (path: string) => string[]): string[] {
  const found = new Set<string>();
  const waiting = first.map(normalize);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    waiting.push(...leadsTo(path));
  }
  return [...found];
}
