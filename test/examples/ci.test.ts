import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { VALUE } from "../fixtures/crawler.ts";
import { commandsOf, exampleFolder } from "../fixtures/example.ts";
import { gitHubJobs, gitHubScripts, gitLabJobs, gitLabScripts, type Script } from "../fixtures/pipeline.ts";
import { Program } from "../fixtures/program.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { git } from "../fixtures/vault.ts";
import { readYaml } from "../fixtures/yaml.ts";
import { bech32Identity } from "../scan/samples.ts";

// The scripts of both files, in clones as the services check them out, with the variables that these set.

const FOLDER = exampleFolder("ci");
const INSTALL = /^npm install --global vault-run@(\S+)$/;
const gitHub = gitHubJobs(join(FOLDER, "github.yml"));
const gitLab = gitLabJobs(join(FOLDER, "gitlab-ci.yml"));
let program: Program;
let origin: string;
let store: Record<string, string>;

beforeAll(async () => {
  program = Program.lasting();
  await program.must(["init", "--classic"]);
  await program.set("stripe/API_KEY", "sk_live_51Hthefirstvalue");
  const [commands = "", ...others] = commandsOf("ci");
  expect(others).toEqual([]);
  const settings = { cwd: program.repo, env: program.env, extendEnv: false };
  const { stdout } = await execa("bash", ["-e", "-c", commands], settings);
  store = {
    AGENT_KEY: /^[\w+/]{200,}=*$/m.exec(stdout)?.[0] ?? "",
    VAULT_RUN_OWNER: /^(\S{44}) {2}owner$/m.exec(stdout)?.[1] ?? "",
  };
  cpSync(join(FOLDER, "api.test.mjs"), join(program.repo, "api.test.mjs"));
  program.git("add", ".gitignore", "api.test.mjs");
  program.git("commit", "--quiet", "--message", "tests");
  origin = join(program.home, "origin.git");
  program.git("clone", "--quiet", "--bare", program.repo, origin);
  program.git("remote", "add", "origin", origin);
  // What the pull requests branch off from, and what main has got since.
  branch("sound", () => writeFileSync(join(program.repo, "notes.md"), "nothing of note\n"));
  branch("leaking", () =>
    writeFileSync(join(program.repo, "notes.md"), `${bech32Identity("AGE-SECRET-KEY-")}\n`),
  );
  const old = program.git("rev-parse", "HEAD").trim();
  await program.set("stripe/API_KEY", VALUE);
  program.git("push", "--quiet", "origin", "main");
  branch("rolling-back", () => program.git("checkout", "--quiet", old, "--", ".vault/groups"));
});

function branch(name: string, change: () => void): void {
  program.git("checkout", "--quiet", "-b", name);
  change();
  program.git("add", "--all");
  program.git("commit", "--quiet", "--message", name);
  program.git("push", "--quiet", "origin", name);
  program.git("checkout", "--quiet", "main");
}

/** A clone at what a service checks out: main, the merge of a branch into it, or the branch's tip. */
function checkout(how: "main" | "merged" | "tip", name = "main"): string {
  const folder = join(tempFolder(), "clone");
  git(program.home, "clone", "--quiet", origin, folder);
  git(folder, "checkout", "--quiet", "--detach", `origin/${how === "tip" ? name : "main"}`);
  if (how === "merged") git(folder, "merge", "--quiet", "--no-ff", "--no-edit", `origin/${name}`);
  return folder;
}

/** Runs scripts as a runner does. @returns the statuses of those that ran, and all that was printed. */
async function runScripts(scripts: readonly Script[], cwd: string, env: Record<string, string> = {}) {
  const statuses: number[] = [];
  const home = join(cwd, "../home");
  mkdirSync(home, { recursive: true });
  let output = "";
  for (const { text, env: own, always } of scripts) {
    if ((statuses.some((status) => status !== 0) && !always) || INSTALL.test(text)) continue;
    const { exitCode = -1, all } = await execa("bash", ["-e", "-o", "pipefail", "-c", text], {
      cwd,
      env: { ...program.env, ...own, ...env, HOME: home, CI: "true" },
      extendEnv: false,
      reject: false,
      all: true,
    });
    statuses.push(exitCode);
    output += all;
  }
  return { statuses, output };
}

const merging = { CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "main", CI_PIPELINE_SOURCE: "merge_request_event" };

async function onGitHub(name: string) {
  const job = gitHub.check;
  if (job === undefined) throw new Error("there is no such job");
  const { VAULT_RUN_OWNER = "" } = store;
  return await runScripts(gitHubScripts(job, { VAULT_RUN_OWNER }), checkout("merged", name), {
    GITHUB_BASE_REF: "main",
  });
}

async function onGitLab(name: string) {
  const { VAULT_RUN_OWNER = "" } = store;
  const scripts = ["check", "scan"].map((job) => {
    return {
      ...gitLabScripts(gitLab[job] ?? {}, { ...merging, VAULT_RUN_OWNER })[0],
      always: true,
    } as Script;
  });
  return await runScripts(scripts, checkout("tip", name));
}

describe("a job with secrets", () => {
  it("runs the tests with them on GitHub, masks and records them, and leaves no key behind", async () => {
    const folder = checkout("main");
    const temp = tempFolder();
    const scripts = gitHubScripts(gitHub.test!, store);
    const { statuses, output } = await runScripts(scripts, folder, { RUNNER_TEMP: temp });
    expect(statuses, output).toEqual([0, 0, 0]);
    expect(output).toContain("asking with [REDACTED:stripe/API_KEY]");
    expect(output).toMatch(/"action":"launch","agent":"ci"/);
    expect(output).not.toContain(VALUE);
    expect(readdirSync(temp)).toEqual([]);
  });

  it("runs the tests with them on GitLab, masks and records them, and leaves no key behind", async () => {
    const env = { ...store, CI_JOB_ID: `${process.pid}` };
    const { statuses, output } = await runScripts(gitLabScripts(gitLab.test!, env), checkout("main"));
    expect(statuses, output).toEqual([0, 0]);
    expect(output).toContain("asking with [REDACTED:stripe/API_KEY]");
    expect(output).toMatch(/"action":"launch","agent":"ci"/);
    expect(output).not.toContain(VALUE);
    expect(existsSync(`/tmp/vault-run-${process.pid}`)).toBe(false);
  });

  it("is none of a pull request's, and only it has the key", () => {
    expect(gitHub.test?.if).toBe("github.event_name == 'push'");
    expect(gitHub.check?.if).toBe("github.event_name == 'pull_request'");
    expect(JSON.stringify(gitHub.check)).not.toMatch(/secrets\.|AGENT_KEY/);
    expect(Object.values(gitHub).map(({ permissions }) => permissions)).toEqual([
      { contents: "read" },
      { contents: "read" },
    ]);
    expect(gitLab.test?.rules).toEqual([{ if: "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" }]);
    for (const job of [gitLab.check, gitLab.scan]) {
      expect(job?.rules).toEqual([{ if: '$CI_PIPELINE_SOURCE == "merge_request_event"' }]);
      expect(JSON.stringify(job)).not.toContain("AGENT_KEY");
    }
  });
});

describe.each([
  ["GitHub", onGitHub],
  ["GitLab", onGitLab],
])("a pull request on %s", (_, run) => {
  it("that does no harm passes", async () => {
    const { statuses, output } = await run("sound");
    expect(statuses, output).toEqual([0, 0]);
  });

  it("that brings a key is stopped by the scan", async () => {
    const { statuses, output } = await run("leaking");
    expect(statuses, output).toEqual([0, 1]);
    expect(output).toContain("notes.md");
  });

  it("that puts an old value back is stopped by the check", async () => {
    const { statuses, output } = await run("rolling-back");
    expect(statuses, output).toEqual([1, 0]);
    expect(output).toContain("stripe");
  });
});

describe("the files", () => {
  it("install the version of this package, and use the actions that this project uses", () => {
    const { version } = JSON.parse(readFileSync(join(inject("packageFolder"), "package.json"), "utf8"));
    const steps = Object.values(gitHub).flatMap((job) => job.steps);
    const [{ default: common }] = readYaml(join(FOLDER, "gitlab-ci.yml")) as [
      { default: { before_script: string[] } },
    ];
    const installing = [...steps.map(({ run = "" }) => run), ...common.before_script].filter((text) =>
      INSTALL.test(text),
    );
    expect(installing.map((text) => INSTALL.exec(text)?.[1])).toEqual([version, version, version]);
    const own = readFileSync(resolve(FOLDER, "../../.github/workflows/ci.yml"), "utf8");
    const used = readFileSync(join(FOLDER, "github.yml"), "utf8").match(/uses: .*/g) ?? [];
    expect(used).toHaveLength(4);
    for (const line of used) expect(own).toContain(line);
  });
});
