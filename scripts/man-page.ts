// Writes dist/vault-run.1, at the end of the build.
import { readFileSync, writeFileSync } from "node:fs";
import { manPage } from "../src/cli/man-page.ts";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
// As other builds have it that are to come out alike on any day.
const { SOURCE_DATE_EPOCH } = process.env;
const made = SOURCE_DATE_EPOCH === undefined ? new Date() : new Date(Number(SOURCE_DATE_EPOCH) * 1000);
writeFileSync("dist/vault-run.1", manPage(version, made.toISOString().slice(0, 10)));
