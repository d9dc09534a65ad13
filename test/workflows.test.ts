import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

// Who builds and publishes this on other machines may do no more than that, and runs nothing that can be exchanged.

const ROOT = resolve(import.meta.dirname, "..");
const FOLDER = join(ROOT, ".github/workflows");
const workflows = readdirSync(FOLDER).map((name) => ({
  name,
  text: readFileSync(join(FOLDER, name), "utf8"),
}));
/** What jobs may do beside reading the sources. */
const MAY: Record<string, string[]> = {
  "release.yml attest": ["attestations: write", "id-token: write"],
  "release.yml npm": ["id-token: write"],
  "release.yml pypi": ["id-token: write"],
  "release.yml release": ["contents: write"],
};

interface Job {
  readonly id: string;
  readonly text: string;
  readonly permissions: readonly string[];
}

const jobs: Job[] = workflows.flatMap(({ name, text }) => {
  const [, ...parts] = text.slice(text.indexOf("\njobs:\n")).split(/^ {2}([\w-]+):$/m);
  return parts.flatMap((part, index) => {
    if (index % 2 === 1) return [];
    const body = parts[index + 1] ?? "";
    const [, granted = ""] = /^ {4}permissions:\n((?: {6}.*\n)+)/m.exec(body) ?? [];
    return { id: `${name} ${part}`, text: body, permissions: granted.trim().split(/\n\s+/) };
  });
});
const uses = workflows.flatMap(({ text }) => text.match(/^.*\buses:.*$/gm) ?? []);

describe("the workflows", () => {
  it("are those that are known here", () => {
    expect(workflows.map(({ name }) => name).sort()).toEqual(["ci.yml", "release.yml"]);
    expect(jobs.map(({ id }) => id)).toEqual([
      "ci.yml check",
      ...["build", "again", "attest", "npm", "pypi", "release"].map((job) => `release.yml ${job}`),
    ]);
  });

  it("use each action by its commit, the same everywhere, and say its version", () => {
    expect(uses.length).toBeGreaterThan(10);
    const pinned = /^ {6}- uses: (actions\/[\w-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
    expect(uses.filter((line) => !pinned.test(line))).toEqual([]);
    const actions = new Set(uses.map((line) => pinned.exec(line)?.[1]));
    expect(new Set(uses).size).toBe(actions.size);
  });

  it("may nothing but what a job asks for, which is what is listed here", () => {
    for (const { text } of workflows) expect(text.match(/^permissions:.*$/gm)).toEqual(["permissions: {}"]);
    const asked = jobs.map(({ id, permissions }) => [id, permissions]);
    expect(asked).toEqual(jobs.map(({ id }) => [id, MAY[id] ?? ["contents: read"]]));
  });

  it("let no job that may write something see the sources", () => {
    for (const { id, text } of jobs.filter((job) => job.id in MAY)) {
      expect(text, id).not.toContain("actions/checkout");
      expect(text, id).not.toMatch(/npm (ci|run)|scripts\//);
    }
  });

  it("have no token of a registry, leave none behind, and put nothing of an event into a script", () => {
    for (const { text } of workflows) {
      expect(text).not.toMatch(/\bsecrets\b|pull_request_target|workflow_run/);
      expect(text.match(/persist-credentials: false/g)?.length).toBe(
        text.match(/actions\/checkout@/g)?.length,
      );
      const expressions = [...text.matchAll(/\$\{\{ (.*?) \}\}/g)].map(([, expression]) => expression);
      expect(expressions.filter((found) => found !== "github.ref" && found !== "github.token")).toEqual([]);
      expect(text.match(/run: .*\$\{\{/)).toBeNull();
    }
  });

  it("build with the node that the project develops with", () => {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const versions = workflows.flatMap(({ text }) => text.match(/node-version: .*/g) ?? []);
    expect(new Set(versions)).toEqual(new Set([`node-version: ${devDependencies.node}`]));
  });

  it("install Python packages by their digests alone", () => {
    const installing = workflows.flatMap(({ text }) => text.match(/^.*\bpip install.*$/gm) ?? []);
    expect(installing.filter((line) => !line.includes(" --require-hashes "))).toEqual([]);
  });
});
