import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeReport } from "../../../src/cli/report/file.ts";
import { REPORT_HEAD } from "../../../src/report/html.ts";
import { tempFolder } from "../../fixtures/temp.ts";
import { codeOf } from "../../fixtures/vault.ts";

const OLD = `${REPORT_HEAD}old`;
const NEW = `${REPORT_HEAD}new`;

describe("a report's file", () => {
  it("is for its user alone", () => {
    const folder = tempFolder();
    writeReport(join(folder, "report.html"), NEW);
    expect(readFileSync(join(folder, "report.html"), "utf8")).toBe(NEW);
    expect(statSync(join(folder, "report.html")).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["report.html"]);
  });

  it("replaces an older report as a whole, also one that others could read", () => {
    const path = join(tempFolder(), "report.html");
    writeFileSync(path, OLD, { mode: 0o644 });
    writeReport(path, NEW);
    expect(readFileSync(path, "utf8")).toBe(NEW);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each<[string, (path: string, folder: string) => void]>([
    ["another file", (path) => writeFileSync(path, "<!doctype html>\n<html>")],
    ["an empty file", (path) => writeFileSync(path, "")],
    ["a folder", (path) => mkdirSync(path)],
    ["a pipe", (path) => execFileSync("mkfifo", [path])],
    [
      "a link, also to a report",
      (path, folder) => {
        writeFileSync(join(folder, "target"), OLD);
        symlinkSync("target", path);
      },
    ],
  ])("leaves %s alone", async (_, make) => {
    const folder = tempFolder();
    const path = join(folder, "report.html");
    make(path, folder);
    const before = readdirSync(folder);
    expect(await codeOf(() => writeReport(path, NEW))).toBe("exists");
    expect(readdirSync(folder)).toEqual(before);
  });

  it("is an error where there is no folder, and leaves nothing behind", async () => {
    const folder = tempFolder();
    expect(await codeOf(() => writeReport(join(folder, "none/report.html"), NEW))).toBe("disk");
    expect(readdirSync(folder)).toEqual([]);
  });
});
