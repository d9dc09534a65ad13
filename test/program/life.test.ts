import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";

// A scripted life of fifty owner operations. Then everything that git keeps is searched for every value and key there
// ever was, as it is and in the forms it is likely to be found in.

const AGENTS = ["crawler", "mailer", "deploy"];
const GROUPS = ["stripe", "mail", "cloud"];

describe("after fifty owner operations", () => {
  it("no value and no key is anywhere in the repository (promise 1, promise 10)", {
    timeout: 300_000,
  }, async () => {
    const program = Program.empty();
    const values: string[] = [];
    let operations = 0;
    const must = async (args: readonly string[], input = "") => {
      operations++;
      await program.must(args, { input });
    };
    const set = (ref: string, ...options: string[]) => {
      const value = `value-${values.length}-of-${ref.replace("/", "-")}-üß`;
      values.push(value);
      return must(["set", ref, ...options], value);
    };
    await must(["init", "--name", "ada"]);
    for (const agent of AGENTS) await must(["add-agent", agent, "--description", `the ${agent}`]);
    for (const group of GROUPS)
      for (const name of ["A", "B", "C"]) await set(`${group}/${name}`, "--expires", "90d");
    for (const agent of AGENTS) for (const group of GROUPS) await must(["grant", agent, group]);
    for (const group of GROUPS) await must(["revoke", "crawler", group]);
    for (const group of GROUPS) for (const name of ["A", "B"]) await set(`${group}/${name}`);
    for (const group of GROUPS) await must(["unset", `${group}/C`]);
    for (const group of GROUPS) await must(["grant", "crawler", group, "--expires", "12h"]);
    await must(["remove-agent", "mailer"]);
    for (const group of GROUPS) for (const name of ["A", "B"]) await set(`${group}/${name}`, "--as-file");
    await must(["add-agent", "second", "--no-commit"]);
    program.git("add", "--all");
    program.git("commit", "--quiet", "--message", "an agent, committed by hand");
    while (operations < 50) await set("stripe/A");
    expect(operations).toBeGreaterThanOrEqual(50);

    const config = join(program.home, ".config/vault-run");
    const keyFiles = (readdirSync(config, { recursive: true }) as string[]).filter((file) =>
      file.endsWith(".key"),
    );
    const keys = keyFiles.map(
      (file) => /AGE-SECRET-KEY-PQ-1\w+/.exec(readFileSync(join(config, file), "utf8"))?.[0] ?? "",
    );
    expect(keys).toHaveLength(5);
    const kept = await everythingInGit(program);
    const state = await execa("grep", ["-r", "", join(program.home, ".local")], { encoding: "latin1" });
    for (const text of [kept, state.stdout]) {
      expect(text).not.toContain("AGE-SECRET-KEY");
      for (const needle of [...values, ...keys].flatMap(forms))
        expect(text.includes(needle), "a value or key was found").toBe(false);
    }
    expect(kept).toContain("vault-run: remove agent mailer");
    expect(await program.must(["get", "stripe/A"])).toBe(values.at(-1));
  });
});

function forms(text: string): string[] {
  const bytes = Buffer.from(text);
  return [
    bytes.toString("latin1"),
    bytes.toString("base64").slice(0, -4),
    bytes.toString("base64url").slice(0, -4),
    bytes.toString("hex"),
  ];
}

/** Every object of the repository with its content, reachable or not, and every other file of the work tree and .git. */
async function everythingInGit(program: Program): Promise<string> {
  const { stdout: objects } = await execa(
    "sh",
    [
      "-c",
      "git cat-file --batch-all-objects --batch --unordered; cat .git/logs/HEAD .git/index; git log -p --all; git status --porcelain",
    ],
    { cwd: program.repo, encoding: "latin1", maxBuffer: 1e9 },
  );
  const { stdout: tree } = await execa("grep", ["-r", "--exclude-dir=objects", "", "."], {
    cwd: program.repo,
    encoding: "latin1",
    maxBuffer: 1e9,
  });
  return `${objects}\n${tree}`;
}
