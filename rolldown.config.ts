import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { defineConfig, type Plugin, type RolldownOptions } from "rolldown";
import { buildReportPage } from "./scripts/report-page.ts";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

const RULE = `\n${"-".repeat(72)}\n\n`;
const notices = noticesOf();
const pageNotices = noticesOf();
const page = await buildReportPage([notices.collect, pageNotices.collect], pageNotices.text);
const launch = modulesFrom("src/cli/main.ts");
const hold = modulesFrom("src/launch/hold.ts", launch);
// Names stay, for those who report a defect, and for bin/vault-run.
const SMALL = { mangle: false, compress: false, codegen: { removeWhitespace: true } };
const common = {
  platform: "node",
  external: ["koffi", "@napi-rs/keyring"],
  plugins: [notices.collect],
  resolve: { alias: { "@modelcontextprotocol/server/_shims": resolve("src/mcp/sdk-shims.ts") } },
  // The version is the package's: written in at build time, so that no file is read for it at start.
  transform: {
    target: "node22.15",
    define: { __VERSION__: JSON.stringify(version), __REPORT_PAGE__: JSON.stringify(page) },
  },
} satisfies RolldownOptions;

export default defineConfig([
  // The program, in files that bin/vault-run loads: one with all that a launch needs before its program runs, one with what
  // it needs then, and the rest, loaded when it is used.
  {
    ...common,
    input: { cli: "src/cli/main.ts" },
    plugins: [leanSdk(), notices.collect, launch.collect, hold.collect, forLoader()],
    output: {
      dir: "dist",
      format: "cjs",
      cleanDir: true,
      dynamicImportInCjs: false,
      entryFileNames: "[name].cjs",
      chunkFileNames: ({ name }) =>
        name === "launch" || name === "hold" ? "[name].cjs" : "[name]-[hash].cjs",
      minify: SMALL,
      minifyInternalExports: false,
      codeSplitting: {
        groups: [
          { name: "launch", test: launch.has, priority: 2 },
          { name: "hold", test: hold.has, priority: 1 },
        ],
      },
    },
  },
  // What programs import.
  {
    ...common,
    input: { index: "src/index.ts", admin: "src/admin/index.ts", redact: "src/redact/index.ts" },
    plugins: [
      notices.collect,
      writeNotices("THIRD-PARTY-LICENSES.txt", notices.text),
      forOlderNodes(),
      forBundlers(),
    ],
    output: { dir: "dist", format: "esm", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
  },
]);

/** The modules that `entry` imports, itself among them, but for what they import when it is used and what `before` has. */
function modulesFrom(entry: string, before?: { has: (id: string) => boolean }) {
  const loaded = new Set<string>();
  const collect: Plugin = {
    name: `modules-from-${entry}`,
    buildEnd() {
      loaded.add(resolve(entry));
      for (const id of loaded)
        for (const found of this.getModuleInfo(id)?.importedIds ?? [])
          if (before?.has(found) !== true) loaded.add(found);
    },
  };
  return { collect, has: (id: string) => loaded.has(id) };
}

/**
 * Makes files what bin/vault-run takes: an expression, and ASCII, since V8 keeps and reads a text that has a character
 * beyond Latin-1 as twice as many bytes. All of those stand in literals.
 */
function forLoader(): Plugin {
  return {
    name: "for-loader",
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
      const runtime = chunks.find((chunk) => chunk.name === "rolldown-runtime");
      const runtimeCode = runtime?.code;
      for (const file of chunks) {
        // The bundler's own few functions: a launch need not read another file for them.
        const whole = file.code.replace(
          `require("./${runtime?.fileName}")`,
          () => `(function(exports){${runtimeCode};return exports})({})`,
        );
        // Its exports stand at its end, and none changes: they need no getters, which V8 would make a function each for.
        const plain = whole.replaceAll(
          /Object\.defineProperty\(exports,(["`])([\w$]+)\1,\{enumerable:true,get:function\(\)\{return ([\w$.]+)\}\}\);/g,
          "exports.$2=$3;",
        );
        const code = plain.replaceAll(/[^\0-\x7f]/g, (unit) => {
          return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
        });
        file.code = `(function(exports,require){${code}\n})\n`;
      }
      // What the entry has is in the file of the launch.
      delete bundle["cli.cjs"];
      if (runtime !== undefined) delete bundle[runtime.fileName];
    },
  };
}

/**
 * A module that asks node for something that it lacks is not loaded at all; where it is `require` that asks, it is undefined.
 * Node before 24.7 lacks these, and `src/age` looks whether they are there.
 */
function forOlderNodes(): Plugin {
  return {
    name: "for-older-nodes",
    transform: (code) =>
      code.replace(/^import \{([^}]*)\} from "node:crypto";$/m, (statement, names: string) => {
        const asked = [...names.matchAll(/\b(?:decapsulate|encapsulate)\b/g)].map(([name]) => name);
        if (asked.length === 0) return statement;
        const rest = names.split(",").filter((name) => !asked.includes(name.trim()));
        return [
          `import { ${rest.join(",")} } from "node:crypto";`,
          'import nodeCrypto from "node:crypto";',
          `const { ${asked.join(", ")} } = nodeCrypto;`,
        ].join("\n");
      }),
  };
}

/**
 * Lets others bundle what programs import, into whatever format: the optional packages, which are native code, are looked
 * for when they are used, and nothing asks where the file lies.
 */
function forBundlers(): Plugin {
  const builtin = `(name) => {
	const found = process.getBuiltinModule(name);
	if (found === undefined) throw Object.assign(new Error("not bundled: " + name), { code: "MODULE_NOT_FOUND" });
	return found;
}`;
  return {
    name: "for-bundlers",
    renderChunk: (code) =>
      code
        .replace(/import\("(koffi|@napi-rs\/keyring)"\)/g, (_, name) => {
          return `import(/* webpackIgnore: true */ /* @vite-ignore */ globalThis.String("${name}"))`;
        })
        .replace('import { createRequire } from "node:module";\n', "")
        .replace(/(?:\/\* @__PURE__ \*\/ )?createRequire\(import\.meta\.url\)/, builtin),
  };
}

/**
 * Leaves out of the SDK for MCP what the server does not use: it makes a schema of every message, also of those of clients and
 * of authorization servers, when it is loaded, and keeps a list of them all for who asks by name. To make them takes longer
 * than all the rest of the server's start. Without the list, and as calls of no effect, those that nothing refers to go.
 */
function leanSdk(): Plugin {
  const list =
    /^for \(const (?:key of SPEC_SCHEMA_KEYS|\[key, schema\] of Object\.entries\(authSchemas\))\) register\(.*\);$/gm;
  const schema = /^const (\w+Schema) = ((?:[^;]|;(?!\n[a-z/\n]))*);$/gm;
  return {
    name: "lean-sdk",
    transform(code, id) {
      if (/@modelcontextprotocol\/server\/dist\/src-[^/]+\.mjs$/.test(id)) {
        if (code.match(list)?.length !== 2)
          throw new Error(`the SDK is another than this was written for: ${id}`);
        return code.replace(list, "");
      }
      if (/@modelcontextprotocol\/core\/dist\/(schemas|auth)-[^/]+\.mjs$/.test(id))
        return code.replace(schema, "const $1 = /* @__PURE__ */ (() => ($2))();");
      return undefined;
    },
  };
}

/** Collects the licence of every package that is bundled: their terms ask for it. */
function noticesOf(): { collect: Plugin; text: () => string } {
  const folders = new Set<string>();
  const collect: Plugin = {
    name: "collect-notices",
    moduleParsed({ id }) {
      const match = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id);
      if (match?.[1] !== undefined) folders.add(match[1]);
    },
  };
  const text = () => {
    const terms = Map.groupBy([...folders].sort(), readLicence);
    return [...terms].map(([licence, of]) => `${of.map(titleOf).join("\n")}\n\n${licence}`).join(RULE);
  };
  return { collect, text };
}

function writeNotices(file: string, text: () => string): Plugin {
  return {
    name: "write-notices",
    writeBundle: ({ dir }) => writeFileSync(join(dir ?? "dist", file), text()),
  };
}

function titleOf(folder: string): string {
  const { name, version: bundled, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return `${name} ${bundled} (${license})`;
}

function readLicence(folder: string): string {
  const file = readdirSync(folder).find((name) => /^licen[cs]e(\.|$)/i.test(name));
  if (file !== undefined) return readFileSync(join(folder, file), "utf8");
  // Some packages carry their terms in package.json alone; those of a family share one author and text.
  const { name, author, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return `${name} has no licence file; its package.json says ${license}, by ${JSON.stringify(author ?? "its contributors")}.\n`;
}
