import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { findLaunch } from "../src/cli/arguments.ts";
import { VERB_STATUS } from "../src/cli/exit-status.ts";
import { LAUNCH_OPTIONS } from "../src/cli/launch-options.ts";

const read = (path: string) => readFileSync(resolve(import.meta.dirname, "..", path), "utf8");
const readme = read("README.md");

/** A word of each kind that is not one of `VAR=GROUP/NAME`, or may not be that. */
const SAMPLES: Readonly<Record<string, string>> = { MODE: "pty", POLICY: "kill" };

/** The words in backquotes in the first column of a page's tables. */
function firstColumn(page: string): string[] {
  const cells = page
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.split("|")[1] ?? "");
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));
}

describe("the documentation", () => {
  it("explains every error code, with its status", () => {
    const page = read("docs/ERRORS.md");
    expect(firstColumn(page).sort()).toEqual(Object.keys(VERB_STATUS).sort());
    for (const [code, status] of Object.entries(VERB_STATUS))
      expect(page.includes(`\`${code}\` (2)`), code).toBe(status === 2);
  });

  it("shows launch options that the program takes, with as many words as it takes", async () => {
    const options = firstColumn(readme).filter((cell) => cell.startsWith("--"));
    expect(options.length).toBeGreaterThan(8);
    for (const option of options) {
      const [flag, value] = option.split(" ");
      const words = [flag ?? "", ...(value === undefined ? [] : [SAMPLES[value] ?? "X=g/N"]), "--", "true"];
      expect(() => findLaunch(words), option).not.toThrow();
      expect(
        throws(() => findLaunch([flag ?? "", "--", "true"])),
        option,
      ).toBe(value !== undefined);
    }
  });

  it("leaves no launch option out", () => {
    const described = firstColumn(readme)
      .filter((cell) => cell.startsWith("--"))
      .map((cell) => cell.split(" ")[0]);
    expect(new Set([...described, "--pass"])).toEqual(
      new Set(Object.keys(LAUNCH_OPTIONS).map((name) => `--${name}`)),
    );
  });

  it("justifies every dependency", () => {
    const { devDependencies, optionalDependencies } = JSON.parse(read("package.json"));
    const page = read("docs/DEPENDENCIES.md");
    const listed = page
      .split("\n")
      .filter((line) => line.startsWith("| "))
      .flatMap((line) => (line.split("|")[1] ?? "").replace(/\(.*\)/, "").split(","));
    const names = listed.map((name) => name.trim()).filter((name) => name !== "package");
    expect(names.sort()).toEqual(Object.keys({ ...devDependencies, ...optionalDependencies }).sort());
  });
});

function throws(attempt: () => unknown): boolean {
  try {
    attempt();
    return false;
  } catch {
    return true;
  }
}
