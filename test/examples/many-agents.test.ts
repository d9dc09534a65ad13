import { chmodSync, cpSync, readFileSync, rmSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { afterAll, describe, expect, inject, it } from "vitest";
import { commandsOf } from "../fixtures/example.ts";
import { copyExample, follow, isIn } from "../fixtures/story.ts";
import { keptTempFolder } from "../fixtures/temp-folder.ts";

// It takes root, as the story does: the agents run under the users 65533 and 65534.

// Other users reach the program where a system has it, and node where the repository may not be theirs to see.
const bin = keptTempFolder();
afterAll(() => rmSync(bin, { recursive: true, force: true }));
chmodSync(bin, 0o755);
cpSync(process.execPath, join(bin, "node"));
chmodSync(dirname(dirname(inject("binFolder"))), 0o711);

const program = copyExample("many-agents");
chmodSync(program.home, 0o755);
const env = { PATH: [bin, program.env.PATH].join(delimiter) };
const folders = `export AGENTS=${program.home}/agents AUDIT=${program.home}/audit\n`;
const asCrawler = "sh launch-as.sh 65533 crawler";
const told = await follow(program, commandsOf("many-agents"), env);
const values = await Promise.all(
  ["crawl/CRAWL_TOKEN", "mail/MAIL_PASSWORD", "database/DATABASE_URL"].map((ref) =>
    program.must(["get", ref]),
  ),
);

describe("several agents on one host", () => {
  it("each have their own, as the README tells", () => {
    expect(told.status, told.stderr).toBe(0);
    const [crawler, mailer] = told.stdout.split("\n");
    expect(crawler).toBe("uid 65533 has CRAWL_TOKEN and DATABASE_URL");
    expect(mailer).toBe("uid 65534 has MAIL_PASSWORD");
    for (const value of values) expect(isIn(told, value.trim())).toBe(false);
  });

  it("do not come to another's key, nor to the owner's", async () => {
    expect(told.stderr).toContain("agents/mailer/key: Permission denied");
    expect(told.stderr).toMatch(/cannot read the key file \(EACCES\): .*agents\/mailer\/key/);
    expect(told.stdout).toContain("ended with 125");
    const owner = join(program.home, ".config/vault-run", program.vaultId, "owner.key");
    expect(statSync(owner).mode & 0o777).toBe(0o600);
    const read = await follow(program, [folders, `${asCrawler} -- cat ${owner}\n`], env);
    expect([read.status, read.stdout]).toEqual([1, ""]);
    const launch = await follow(program, [folders, `${asCrawler} --group mail -- node agent.js\n`], env);
    expect([launch.status, launch.stdout]).toEqual([125, ""]);
  });

  it("do not see into one another's processes", async () => {
    const watch = `
sh launch-as.sh 65534 mailer -- sh -c 'echo $$ > "$HOME/pid"; exec sleep 300' &
until [ -s "$AGENTS/mailer/pid" ]; do sleep 0.1; done
read -r pid < "$AGENTS/mailer/pid"
until grep -q sleep "/proc/$pid/comm"; do sleep 0.1; done
grep -c MAIL_PASSWORD "/proc/$pid/environ"
${asCrawler} -- cat "/proc/$pid/environ" || echo "not read, $?"
${asCrawler} -- kill "$pid" || echo "not ended, $?"
`;
    const seen = await follow(program, [folders, watch], env);
    expect(seen.status, seen.stderr).toBe(0);
    expect(seen.stdout).toBe("1\nnot read, 1\nnot ended, 1\n");
  });

  it("can neither read the audit log, nor change it, nor write to it by themselves", async () => {
    const log = join(program.home, "audit/audit.jsonl");
    const before = readFileSync(log, "utf8");
    for (const attempt of ["cat $AUDIT/audit.jsonl", ": > $AUDIT/audit.jsonl", "echo x >&3"]) {
      const line = attempt.replace("$AUDIT", dirname(log));
      const tried = await follow(program, [folders, `${asCrawler} -- sh -c '${line}'\n`], env);
      expect([tried.status === 0, tried.stdout], attempt).toEqual([false, ""]);
    }
    const after = readFileSync(log, "utf8");
    expect(after.startsWith(before)).toBe(true);
    expect(after.slice(before.length).trim().split("\n")).toHaveLength(3);
  });

  it("leave lines that tell what each could have read beside what it did", () => {
    expect(told.stdout).toMatch(/^mailer +mail\/MAIL_PASSWORD +1 /m);
    expect(told.stdout).not.toMatch(/^crawler +mail\//m);
    const ofMailer = told.stdout.split("AGENT ").at(-1) ?? "";
    expect(ofMailer).toMatch(/^mailer +mail\/MAIL_PASSWORD .* yes +1 of 1 +1 /m);
    expect(ofMailer).toMatch(/^mailer +database\/DATABASE_URL .* yes +0 of 1 +never /m);
    expect(ofMailer).not.toContain("crawl");
  });
});
