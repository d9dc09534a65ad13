// Makes one file of the built program and the node that runs this, for machines that have no node. It goes by the same start
// as the package, and has in itself all that the package has in dist/, the code that this node's V8 makes of it, and koffi.
// Not in it: the optional package @napi-rs/keyring, so the verb `keychain` is refused.
// usage: node scripts/executable.ts OUT    with a node that has --build-sea: 25.5 or later

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const [out] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: node scripts/executable.ts OUT");
const folder = mkdtempSync(join(tmpdir(), "vault-run-executable-"));
try {
  build(resolve(out));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function build(output: string): void {
  for (const part of ["bin", "dist", "scripts/code-cache.cjs"])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  // What V8 made for another node is of no use here.
  rmSync(join(folder, "dist/code"), { recursive: true });
  execFileSync(process.execPath, ["scripts/code-cache.cjs"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const draft = join(folder, "vault-run");
  const config = {
    main: join(folder, "bin/vault-run"),
    output: draft,
    disableExperimentalSEAWarning: true,
    // What NODE_OPTIONS asks for is meant for the programs that are launched.
    execArgvExtension: "none",
    assets: { ...Object.fromEntries(filesOf("dist")), "koffi.node": findKoffi() },
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  execFileSync(process.execPath, ["--build-sea", join(folder, "config.json")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  cpSync(draft, `${output}.new`);
  renameSync(`${output}.new`, output);
}

/** What the program loads: its files and V8's code of them, by their names beside each other. */
function filesOf(part: string): [name: string, path: string][] {
  const names = readdirSync(join(folder, part), { recursive: true, encoding: "utf8" });
  const paths = names.map((name) => join(folder, part, name)).filter((path) => statSync(path).isFile());
  return paths.filter((path) => path.endsWith(".cjs")).map((path) => [relative(folder, path), path]);
}

function findKoffi(): string {
  const require = createRequire(import.meta.url);
  const binary = `@koromix/koffi-${process.platform}-${process.arch}`;
  const entry = createRequire(require.resolve("koffi")).resolve(binary);
  return join(dirname(entry), `${process.platform}_${process.arch}`, "koffi.node");
}
