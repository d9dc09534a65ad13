import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { VALUE } from "../fixtures/crawler.ts";
import { commandsOf, exampleFolder } from "../fixtures/example.ts";
import { NAMESPACE } from "../fixtures/isolation.ts";
import { Program } from "../fixtures/program.ts";
import { git } from "../fixtures/vault.ts";

// The daemon that Debian has, in namespaces of its own, with the crontab as it stands there.

const MACHINE = resolve(import.meta.dirname, "../fixtures/machine-with-user.sh");
/** An empty table of the system's own, so that cron runs this one alone. */
const CRON = `
for folder in /etc/cron.d /var/spool/cron /run; do mount -t tmpfs tmpfs $folder; done
mount --bind /dev/null /etc/crontab
install --directory --group=crontab --mode=1730 /var/spool/cron/crontabs
cd "$1"
eval "$2"
exec cron -f`;
let program: Program;
let home: string;
let bare: string;

beforeAll(async () => {
  program = Program.lasting();
  await program.must(["init", "--classic"]);
  await program.set("stripe/API_KEY", VALUE);
  cpSync(exampleFolder("cron"), program.repo, { recursive: true });
  await program.must(["add-agent", "crawler", "--out", join(program.home, "crawler.key")]);
  await program.must(["grant", "crawler", "stripe"]);
  program.git("add", "job.sh");
  program.git("commit", "--quiet", "--message", "job");
  home = join(program.home, "crawler-home");
  mkdirSync(home);
  bare = join(program.home, "bare.git");
  git(program.home, "clone", "--quiet", "--bare", program.repo, bare);
  cpSync(join(program.home, "crawler.key"), join(program.repo, "crawler.key"));
});

/** Whether the job's two lines are there, or anything else than those. */
function isWhole(log: string): boolean {
  const text = existsSync(log) ? readFileSync(log, "utf8") : "";
  return text.startsWith("job:") ? text.split("\n").length > 2 : text.includes("\n");
}

describe("cron", () => {
  it("runs the job with its secret as the agent's user, masks it in the log, and records the launch", async () => {
    const prefix = join(inject("packageFolder"), "../../..");
    const commands = commandsOf("cron");
    expect(commands).toHaveLength(1);
    const words = [...NAMESPACE, "--mount", "sh", MACHINE, prefix, process.execPath, bare, home];
    const [file = "", ...args] = [...words, "sh", "-ec", CRON, "sh", program.repo, commands.join("\n")];
    const daemon = execa(file, args, { reject: false, all: true });
    const log = join(home, "crawler.log");
    onTestFinished(() => {
      daemon.kill("SIGKILL");
    });
    let hasEnded = false;
    daemon.finally(() => {
      hasEnded = true;
    });
    // At the beginning of the next minute, on whatever machine.
    while (!hasEnded && !isWhole(log)) await new Promise((resolve) => setTimeout(resolve, 200));
    daemon.kill("SIGKILL");
    const { all } = await daemon;
    expect(all).toBe("");
    const [first, second] = readFileSync(log, "utf8").split("\n");
    expect(first).toBe("job: asking with [REDACTED:stripe/API_KEY]");
    expect(second).toBe("vault-run: masked in the output: stripe/API_KEY 1x (stdout raw)");
    const state = join(home, ".local/state/vault-run");
    const audit = readFileSync(join(state, readdirSync(state)[0] ?? "", "audit.jsonl"), "utf8");
    expect(JSON.parse(audit.split("\n")[0] ?? "")).toMatchObject({
      action: "launch",
      agent: "crawler",
      uid: 61999,
    });
  }, 600_000);
});
