import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { REPORT_HEAD } from "../../src/report/html.ts";
import { Program } from "../fixtures/program.ts";

const template = await Program.template(async (program) => {
  await program.must(["init", "--classic"]);
  await program.must(["add-agent", "crawler"]);
  await program.set("web/TOKEN", "a token of some length");
  await program.must(["grant", "crawler", "web"]);
});

/** Has a script stand for the browser: it writes down what it was given. */
function withBrowser(program: Program, script: string): Record<string, string> {
  const browser = join(program.home, "browser");
  writeFileSync(browser, `#!/bin/sh\n${script}\n`);
  chmodSync(browser, 0o755);
  return { BROWSER: browser };
}

describe("vault-run report", () => {
  it("writes a page for its user alone, says where, and replaces it the next time", async () => {
    const program = template.copy();
    const path = join(program.repo, "report.html");
    for (let round = 0; round < 2; round++) {
      const { status, stdout, stderr } = await program.run(["report", "--html", "report.html"]);
      expect([status, stdout, stderr]).toEqual([0, "", `vault-run: wrote the report: ${path}\n`]);
      expect(statSync(path).mode & 0o777).toBe(0o600);
    }
    expect(readFileSync(path, "utf8").startsWith(REPORT_HEAD)).toBe(true);
    expect(program.git("status", "--porcelain")).toBe("?? report.html");
  });

  it("writes it whole to standard output, and nothing else there", async () => {
    const { status, stdout, stderr } = await template.run(["report", "--html", "-"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout.startsWith(REPORT_HEAD)).toBe(true);
    expect(stdout.endsWith("</html>\n")).toBe(true);
  });

  it("names what wants to be looked at first", async () => {
    const program = template.copy();
    await program.must(["revoke", "crawler", "web"]);
    const { stderr } = await program.run(["report", "--html", "report.html"]);
    expect(stderr).toContain("  to look at first: 1 value to rotate\n");
  });

  it("leaves alone what is no report", async () => {
    const program = template.copy();
    writeFileSync(join(program.repo, "notes.html"), "my notes");
    symlinkSync("report.html", join(program.repo, "link.html"));
    for (const name of ["notes.html", "link.html", ".git"]) {
      const { status, stderr } = await program.run(["report", "--html", name]);
      expect(status).toBe(1);
      expect(stderr).toMatch(
        /^vault-run: what is there is no report and is left alone: .*\n {2}move it away/,
      );
    }
    expect(readFileSync(join(program.repo, "notes.html"), "utf8")).toBe("my notes");
    expect(existsSync(join(program.repo, "report.html"))).toBe(false);
  });

  it.each([
    [["report"], "nowhere for the report to go"],
    [["report", "--html", "-", "--open"], "standard output cannot be opened"],
  ])("refuses %s as a usage error", async (args, what) => {
    const { status, stdout, stderr } = await template.run(args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(what);
  });

  it("opens the page in the browser, which gets none of the variables that lead to a key", async () => {
    const program = template.copy();
    const log = join(program.home, "opened");
    const own = withBrowser(
      program,
      `printf '%s\\n' "$@" > ${log}.new; env >> ${log}.new; mv ${log}.new ${log}`,
    );
    const key = join(program.home, ".config/vault-run", program.vaultId, "owner.key");
    const env = { ...own, VAULT_RUN_OWNER_KEY_FILE: key };
    const { status, stderr } = await program.run(["report", "--open"], { env });
    expect(status).toBe(0);
    const path = join(program.home, ".local/state/vault-run", program.vaultId, "report.html");
    expect(stderr).toBe(`vault-run: wrote the report: ${path}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const seen = readFileSync(log, "utf8");
    expect(seen.split("\n")[0]).toContain(path);
    expect(seen).not.toContain("VAULT_RUN_");
  });

  it("says where the page is where there is no browser, or none that works", async () => {
    const program = template.copy();
    for (const env of [{}, withBrowser(program, "exit 3")]) {
      const { status, stderr } = await program.run(["report", "--html", "report.html", "--open"], { env });
      expect(status).toBe(1);
      expect(stderr).toContain(`wrote the report: ${join(program.repo, "report.html")}\n`);
      expect(stderr).toContain("no browser could be opened from here\n  open that file in one yourself\n");
    }
  });

  it("shows nothing of a vault that does not verify, and writes nothing", async () => {
    const program = template.copy();
    const path = join(program.repo, ".vault/groups/web/group.json");
    writeFileSync(path, readFileSync(path, "utf8").replace(/"epoch": *1/, '"epoch": 2'));
    const { status, stderr } = await program.run(["report", "--html", "report.html"]);
    expect([status, stderr.split("\n")[0]]).toEqual([1, expect.stringMatching(/signed this record/)]);
    expect(existsSync(join(program.repo, "report.html"))).toBe(false);
  });
});
