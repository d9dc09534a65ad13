import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "rolldown";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

export default defineConfig({
  input: { cli: "src/cli/main.ts", redact: "src/redact/index.ts" },
  platform: "node",
  external: ["koffi"],
  // The version is the package's: written in at build time, so that no file is read for it at start.
  transform: { target: "node22.15", define: { __VERSION__: JSON.stringify(version) } },
  output: {
    dir: "dist",
    format: "esm",
    cleanDir: true,
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
  },
  plugins: [notices()],
});

/** Collects the licence of every package that is bundled: their terms ask for it. */
function notices(): Plugin {
  const folders = new Set<string>();
  return {
    name: "notices",
    moduleParsed({ id }) {
      const match = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id);
      if (match?.[1] !== undefined) folders.add(match[1]);
    },
    writeBundle({ dir }) {
      const texts = [...folders].sort().map((folder) => {
        const {
          name,
          version: bundled,
          license,
        } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
        return `${name} ${bundled} (${license})\n\n${readLicence(folder)}`;
      });
      writeFileSync(join(dir ?? "dist", "THIRD-PARTY-LICENSES.txt"), texts.join(`\n${"-".repeat(72)}\n\n`));
    },
  };
}

function readLicence(folder: string): string {
  const file = readdirSync(folder).find((name) => /^licen[cs]e(\.|$)/i.test(name));
  if (file !== undefined) return readFileSync(join(folder, file), "utf8");
  // Some packages carry their terms in package.json alone; those of a family share one author and text.
  const { name, author, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return `${name} has no licence file; its package.json says ${license}, by ${JSON.stringify(author ?? "its contributors")}.\n`;
}
