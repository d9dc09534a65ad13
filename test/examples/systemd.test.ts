import { cpSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { VALUE } from "../fixtures/crawler.ts";
import { commandsOf, exampleFolder } from "../fixtures/example.ts";
import { NAMESPACE } from "../fixtures/isolation.ts";
import { Program } from "../fixtures/program.ts";
import { git } from "../fixtures/vault.ts";

// The units as they stand there, run by systemd itself, in namespaces of its own.

const fixture = (name: string) => resolve(import.meta.dirname, "../fixtures", name);
const OUTPUT =
  "job: asking with [REDACTED:stripe/API_KEY]\nvault-run: masked in the output: stripe/API_KEY 1x (stdout raw)\n";
let program: Program;
let bare: string;

beforeAll(async () => {
  program = Program.lasting();
  await program.must(["init", "--classic"]);
  await program.set("stripe/API_KEY", VALUE);
  cpSync(exampleFolder("systemd"), program.repo, { recursive: true });
  await program.must(["add-agent", "crawler", "--out", join(program.home, "crawler.key")]);
  await program.must(["grant", "crawler", "stripe"]);
  program.git("add", "job.sh");
  program.git("commit", "--quiet", "--message", "job");
  bare = join(program.home, "bare.git");
  git(program.home, "clone", "--quiet", "--bare", program.repo, bare);
  cpSync(join(program.home, "crawler.key"), join(program.repo, "crawler.key"));
});

/** Runs words on a machine with vault-run and a clone of the repository. */
function onMachine(...words: string[]) {
  const prefix = join(inject("packageFolder"), "../../..");
  const home = join(program.home, "crawler-home");
  mkdirSync(home, { recursive: true });
  const [file, ...namespace] = NAMESPACE;
  const args = [
    ...namespace,
    "--mount",
    "sh",
    fixture("machine-with-user.sh"),
    prefix,
    process.execPath,
    bare,
    home,
  ];
  return execa(file, [...args, ...words], {
    reject: false,
    stripFinalNewline: false,
    timeout: 100_000,
    killSignal: "SIGKILL",
  });
}

describe("systemd", () => {
  it("verifies the units, finds the service hardened, and runs it by its timer with its secret, masked", async () => {
    const commands = commandsOf("systemd");
    expect(commands).toHaveLength(1);
    const state = join(program.home, "var-lib");
    mkdirSync(state, { mode: 0o755 });
    const words = ["sh", fixture("systemd.sh"), commands.join("\n"), program.repo, state];
    const { exitCode, stdout, stderr } = await onMachine(...words);
    expect(stdout).toMatch(/Overall exposure level for crawler.service: [01]\./);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(readFileSync(join(state, "output"), "utf8")).toBe(OUTPUT);
    const logs = join(state, "private/crawler/vault-run");
    const audit = readFileSync(join(logs, readdirSync(logs)[0] ?? "", "audit.jsonl"), "utf8");
    const { action, agent, uid } = JSON.parse(audit.split("\n")[0] ?? "");
    expect([action, agent]).toEqual(["launch", "crawler"]);
    // A user of systemd's, for as long as the service runs.
    expect(uid).toBeGreaterThanOrEqual(61184);
    expect(uid).toBeLessThanOrEqual(65519);
  });

  it("may give the key to the service's user by an access list, as from version 254 on", async () => {
    const unit = readFileSync(join(exampleFolder("systemd"), "crawler.service"), "utf8");
    const [, command = ""] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
    const script = `
      set -e
      mount -t tmpfs -o mode=755 tmpfs /run
      install -D --mode=0400 "$1" /run/credentials/crawler.service/vault-run-key
      chmod 500 /run/credentials/crawler.service
      setfacl --modify user:crawler:rX /run/credentials/crawler.service /run/credentials/crawler.service/vault-run-key
      stat --format='%a %u %g' /run/credentials/crawler.service/vault-run-key
      exec setpriv --reuid=crawler --regid=61999 --clear-groups --no-new-privs env HOME=/home/crawler \\
        CREDENTIALS_DIRECTORY=/run/credentials/crawler.service ${command}`;
    const { exitCode, stdout, stderr } = await onMachine(
      "sh",
      "-c",
      script,
      "sh",
      join(program.repo, "crawler.key"),
    );
    expect([exitCode, stdout + stderr]).toEqual([0, `440 0 0\n${OUTPUT}`]);
  });
});
