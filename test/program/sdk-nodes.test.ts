import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build as esbuild } from "esbuild";
import { execa } from "execa";
import { rolldown } from "rolldown";
import { beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { crawlerTemplate, VALUE } from "../fixtures/crawler.ts";
import { Program } from "../fixtures/program.ts";
import { MAJORS, runFile, writeInProject } from "../fixtures/project.ts";
import { tempFolder } from "../fixtures/temp.ts";

// The modules on each node that the package is for, however they come into a program.

const classic = await crawlerTemplate();
const pq = await Program.template(async (made) => {
  await made.must(["init"]);
  await made.must(["add-agent", "crawler"]);
  await made.set("stripe/API_KEY", VALUE);
  await made.must(["grant", "crawler", "stripe"]);
});

const USE = `
async function use({ openVault, run, VaultError, Secret }, { openAdmin, setSecret, grant }, { createRedactor }) {
  const admin = await openAdmin();
  await admin.apply(setSecret("stripe/NEW", "new-value-0123456789"));
  const vault = await openVault();
  const secret = await vault.get("stripe/API_KEY");
  const { status, stdout } = await run("sh", ["-c", 'echo "$API_KEY $NEW"; cat "$P"'], { pipe: { P: "stripe/API_KEY" }, inject: { API_KEY: "stripe/API_KEY" }, stdin: "ignore", stdout: "capture" });
  const refused = await vault.get("mail/NONE").catch((error) => error instanceof VaultError && error.code);
  const redacted = createRedactor([{ name: "x", value: secret.reveal() }]).stream().write(secret.bytes());
  console.log(JSON.stringify([secret instanceof Secret, secret.reveal().length, status, stdout.toString(), refused, Buffer.from(redacted).toString(), \`\${secret}\`]));
}
`;
const ESM = `import * as read from "vault-run"; import * as write from "vault-run/admin"; import * as engine from "vault-run/redact";
${USE}
use(read, write, engine).catch((error) => { console.error(error); process.exitCode = 1; });`;
const CJS = `${USE}
use(require("vault-run"), require("vault-run/admin"), require("vault-run/redact")).catch((error) => { console.error(error); process.exitCode = 1; });`;
const MASK = "[REDACTED:stripe/API_KEY]";
const EXPECTED = [
  true,
  VALUE.length,
  0,
  `${MASK} [REDACTED:stripe/NEW]\n${MASK}`,
  "not-granted",
  "[REDACTED:x]",
  MASK,
];

const bundles: Record<string, string> = {};
beforeAll(async () => {
  const entry = writeInProject(ESM, "mjs");
  for (const format of ["esm", "cjs"] as const) {
    const extension = format === "esm" ? "mjs" : "cjs";
    const outfile = `${entry}.esbuild.${extension}`;
    await esbuild({
      entryPoints: [entry],
      outfile,
      format,
      bundle: true,
      minify: true,
      platform: "node",
      logLevel: "error",
    });
    bundles[`esbuild, ${format}`] = outfile;
    const bundle = await rolldown({ input: entry, platform: "node" });
    const dir = `${entry}.rolldown.${extension}`;
    const names = { entryFileNames: `in.${extension}`, chunkFileNames: `[name].${extension}` };
    await bundle.write({ dir, format, ...names });
    bundles[`rolldown, ${format}`] = join(dir, `in.${extension}`);
  }
});

let program: Program;
beforeEach(() => {
  program = classic.copy();
});

describe.each(MAJORS)("on node %s", (major) => {
  const node = () => inject("nodes")[major];

  it("is that node", async () => {
    const { stdout } = await execa(node(), ["--version"]);
    expect(stdout.startsWith(`v${major}.`)).toBe(true);
  });

  const check = async (path: string, flags: readonly string[] = []) => {
    const { status, stdout, stderr } = await runFile(path, program, { node: node(), flags });
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual(EXPECTED);
    return stderr;
  };

  it.each(["classic", "pq"])("the modules work when they are imported, with a %s vault", async (suite) => {
    if (suite === "pq") program = pq.copy();
    expect(await check(writeInProject(ESM, "mjs"))).toBe("");
  });

  it("they work when they are required, as the same classes and without a warning", async () => {
    expect(await check(writeInProject(CJS, "cjs"))).toBe("");
    const both = writeInProject(
      `import { createRequire } from "node:module"; import { Secret, VaultError } from "vault-run";
       const required = createRequire(import.meta.url)("vault-run");
       const owners = await import("vault-run/admin");
       console.log(required.Secret === Secret, required.VaultError === VaultError, owners.Secret === Secret, owners.VaultError === VaultError);`,
      "mjs",
    );
    expect((await runFile(both, program, { node: node() })).stdout).toBe("true true true true\n");
  });

  it.each(["esbuild, esm", "esbuild, cjs", "rolldown, esm", "rolldown, cjs"])(
    "they work when they are bundled by %s",
    async (how) => {
      await check(bundles[how] ?? "");
    },
  );

  it("they work with node's permissions, and say what those lack", async () => {
    const permission = major === "22" ? "--experimental-permission" : "--permission";
    const state = join(program.home, ".local/state/vault-run");
    const path = writeInProject(
      `import { openVault } from "vault-run";
       try { console.log(\`\${await (await openVault()).get("stripe/API_KEY")}\`); }
       catch (error) { console.log(error.name, error.code, error.message, error.hint); }`,
      "mjs",
    );
    const project = inject("projectFolder");
    const reads = [project, program.repo, join(program.home, ".config/vault-run"), state];
    const allowed = [...reads.map((folder) => `--allow-fs-read=${folder}/*`), `--allow-fs-write=${state}/*`];
    const full = await runFile(path, program, { node: node(), flags: [permission, ...allowed] });
    expect(full.stdout).toBe(`${MASK}\n`);
    const none = await runFile(path, program, {
      node: node(),
      flags: [permission, `--allow-fs-read=${project}/*`],
    });
    expect(none.stdout).toMatch(
      /^VaultError disk cannot look for a vault \(ERR_ACCESS_DENIED\): .* node runs with --permission/,
    );
    const unwritten = await runFile(path, program, {
      node: node(),
      flags: [permission, ...allowed.slice(0, -1)],
    });
    expect(unwritten.stdout).toMatch(/^VaultError (audit|disk) /);
  });

  it.each(["classic", "pq"])("the command works, with a %s vault", async (suite) => {
    if (suite === "pq") program = pq.copy();
    const bin = join(inject("packageFolder"), "bin/vault-run");
    const { stdout, exitCode } = await execa(
      node(),
      [bin, "--agent", "crawler", "--", "sh", "-c", 'echo "$API_KEY"; exit 5'],
      { cwd: program.repo, env: program.env, extendEnv: false, reject: false },
    );
    expect([exitCode, stdout]).toEqual([5, MASK]);
    const audited = await execa(node(), [bin, "audit"], {
      cwd: program.repo,
      env: program.env,
      extendEnv: false,
    });
    expect(audited.stdout).toMatch(/launch +crawler .*verified +sh: stripe\/API_KEY/);
  });
});

describe("the types", () => {
  const tool = (name: string) => join(import.meta.dirname, "../../node_modules/.bin", name);

  it("are resolved whichever way the modules are", async () => {
    // Node of today requires what was written to be imported, as the tests above show.
    await execa(tool("attw"), [
      inject("tarball"),
      "--profile",
      "node16",
      "--ignore-rules",
      "cjs-resolves-to-esm",
    ]);
    const { stdout } = await execa(tool("publint"), ["run", inject("tarball"), "--strict"]);
    expect(stdout).toContain("All good!");
  });

  it.each(["mts", "cts"])(
    "hold in a strict consumer that checks its libraries too, .%s",
    async (extension) => {
      const folder = tempFolder();
      mkdirSync(join(folder, "node_modules"));
      const root = join(import.meta.dirname, "../..");
      await execa("ln", [
        "-s",
        join(inject("projectFolder"), "node_modules/vault-run"),
        join(root, "node_modules/@types"),
        join(folder, "node_modules"),
      ]);
      await execa("ln", ["-s", join(root, "node_modules/undici-types"), join(folder, "node_modules")]);
      writeFileSync(join(folder, `consumer.${extension}`), CONSUMER);
      const strict = [
        "--strict",
        "--exactOptionalPropertyTypes",
        "--noUncheckedIndexedAccess",
        "--noEmit",
        "--module",
        "nodenext",
        "--target",
        "es2024",
        "--lib",
        "es2024,esnext.disposable",
        "--types",
        "node",
      ];
      const { stdout, exitCode } = await execa(tool("tsc"), [...strict, `consumer.${extension}`], {
        cwd: folder,
        reject: false,
      });
      expect([exitCode, stdout]).toEqual([0, ""]);
    },
  );
});

const CONSUMER = `
import { type AgentVault, openVault, run, type RunResult, Secret, type SecretEnvironment, type SecretInfo, VaultError, type VaultErrorCode } from "vault-run";
import { addAgent, type Admin, type Applied, createVault, grant, importSecrets, openAdmin, rekeyAgent, removeAgent, revoke, setSecret, unsetSecret } from "vault-run/admin";
import { createRedactor } from "vault-run/redact";

export async function read(): Promise<string> {
  using vault: AgentVault = await openVault({ agent: "crawler", keyFile: process.env.KEY });
  using secret: Secret = await vault.get("stripe/API_KEY", { allowExpired: true });
  const list: SecretInfo[] = await vault.list();
  const environment: SecretEnvironment = await vault.env({ only: list.map(({ ref }) => ref) });
  const variables: Record<string, string> = environment.reveal();
  const { status, leaks, stdout }: RunResult = await run("sh", ["-c", "true"], { stdout: "capture", stderr: process.stderr, signal: AbortSignal.timeout(1000) });
  // @ts-expect-error a reference names group and secret in one string
  vault.get("stripe", "API_KEY").catch(() => {});
  // @ts-expect-error there is no such option
  openVault({ keyfile: "x" }).catch(() => {});
  return [secret.reveal(), variables.A, status, leaks[0]?.encoding, stdout.toString()].join();
}

export async function write(): Promise<Applied<unknown>[]> {
  await createVault({ folder: ".", suite: "classic" });
  const admin: Admin = await openAdmin({ passphrase: () => "x" });
  const planned = await admin.plan(revoke("crawler", "stripe"));
  const { outcome }: { outcome: "new" | "new value" | "same value" } = (await admin.apply(setSecret("a/B", Buffer.alloc(9), { expires: new Date() }))).result;
  const { key } = (await admin.apply(addAgent("crawler", { keyFile: null }), { commit: false })).result;
  // @ts-expect-error only what makes a change makes one
  admin.apply({ action: 1 }).catch(() => {});
  return [
    await admin.apply(grant("crawler", "stripe", { expires: planned.rotate[0]?.ref ?? outcome })),
    await admin.apply(importSecrets([{ ref: "a/B", value: key ?? "x" }], { replace: true })),
    await admin.apply(unsetSecret("a/B")),
    await admin.apply(rekeyAgent("crawler")),
    await admin.apply(removeAgent("crawler")),
  ];
}

export function explain(error: unknown): VaultErrorCode | undefined {
  createRedactor([]).stream().end();
  return error instanceof VaultError ? error.code : undefined;
}
`;
