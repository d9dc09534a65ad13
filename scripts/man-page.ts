// Writes dist/vault-run.1, at the end of the build.
import { readFileSync, writeFileSync } from "node:fs";
import { manPage } from "../src/cli/man-page.ts";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
writeFileSync("dist/vault-run.1", manPage(version, new Date().toISOString().slice(0, 10)));
