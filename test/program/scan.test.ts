import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasControls } from "../../src/vault/names.ts";
import { type Outcome, Program } from "../fixtures/program.ts";
import { bech32Identity, keySamples } from "../scan/samples.ts";

const API_KEY = "Zx9k4q7vhT2mW8-live";
const DB_PASSWORD = "winter-is-coming-7";

const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await made.must(["add-agent", "crawler"]);
  await made.set("stripe/API_KEY", API_KEY);
  await made.set("db/DB_PASSWORD", DB_PASSWORD);
  await made.must(["grant", "crawler", "stripe"]);
});

const said = ({ stdout, stderr }: Outcome) => stdout + stderr;
const base64 = (text: string) => Buffer.from(text).toString("base64");

function write(program: Program, path: string, content: string | Uint8Array): void {
  mkdirSync(join(program.repo, path, ".."), { recursive: true });
  writeFileSync(join(program.repo, path), content);
}

function stage(program: Program, path: string, content: string | Uint8Array): void {
  write(program, path, content);
  program.git("add", "--force", path);
}

interface Told {
  readonly rule: string;
  readonly file: string;
  readonly fingerprint: string;
  readonly what: string;
  readonly commit?: string;
}

async function scan(
  program: Program,
  args: string[],
  options = {},
): Promise<{ status: number; findings: Told[]; allowed: Told[] }> {
  const { status, stdout, stderr } = await program.run(["scan", ...args, "--json"], options);
  if (stdout === "") throw new Error(stderr);
  return { status: status ?? -1, ...JSON.parse(stdout) };
}

const rules = async (program: Program, args: string[], options = {}) =>
  (await scan(program, args, options)).findings.map(({ rule, file }) => `${rule} ${file}`);

describe("scan --staged", () => {
  it("goes by what is staged and not by the work tree, in both directions", async () => {
    const program = template.copy();
    stage(program, "hidden.txt", `key ${API_KEY}\n`);
    write(program, "hidden.txt", "clean\n");
    stage(program, "clean.txt", "clean\n");
    write(program, "clean.txt", `key ${API_KEY}\n`);
    expect(await rules(program, ["--staged"])).toEqual(["vault-value hidden.txt"]);
    program.git("rm", "--quiet", "--cached", "--force", "hidden.txt");
    expect(await rules(program, ["--staged"])).toEqual([]);
  });

  it("tells a value in base64 in YAML by its name, and shows it nowhere (promise 10)", async () => {
    const program = template.copy();
    const encoded = base64(`token=${API_KEY};`);
    stage(program, "k8s.yaml", `kind: Secret\ndata:\n  token: ${encoded}\n`);
    const before = program.auditLines().length;
    const outcome = await program.run(["scan", "--staged"]);
    expect(outcome.status).toBe(1);
    expect(outcome.stdout).toMatch(
      /^k8s\.yaml:3:\d+ vault-value: the value of stripe\/API_KEY, in base64 \*{8}/,
    );
    expect(outcome.stdout).toContain("git restore --staged k8s.yaml");
    for (const form of ["--json", "--sarif"]) {
      const told = said(await program.run(["scan", "--staged", form]));
      for (const secret of [API_KEY, encoded, encoded.slice(8, -8)])
        expect(told + said(outcome)).not.toContain(secret);
    }
    expect(program.auditLines()).toHaveLength(before);
  });

  it("works before the first commit, without a vault, in a folder below and with names of any kind", async () => {
    const program = Program.empty();
    stage(program, "sub/a b'ö.txt", bech32Identity("age-secret-key-pq-"));
    const cwd = join(program.repo, "sub");
    const outcome = await program.run(["scan", "--staged"], { cwd });
    expect(outcome.status).toBe(1);
    expect(outcome.stdout).toContain(`git restore --staged 'sub/a b'\\''ö.txt'`);
    expect(await rules(program, ["--staged"], { cwd })).toEqual(["age-identity sub/a b'ö.txt"]);
  });

  it("cannot be switched off by what is in the repository", async () => {
    const program = template.copy();
    stage(program, ".gitignore", "*\n");
    stage(program, ".gitattributes", "* -diff binary export-ignore\n");
    stage(program, ".secretlintrc.json", `{"rules":[]}`);
    stage(program, ".secretlintignore", "*\n");
    stage(
      program,
      "a.js",
      `/* secretlint-disable */ const key = "${API_KEY}"; const k = "glpat-${"aB3dE5gH7jK9mN1pQ2sT"}";`,
    );
    expect(await rules(program, ["--staged"])).toEqual(["vault-value a.js", "gitlab a.js"]);
  });

  it("passes over what vault-run itself writes", async () => {
    const program = template.copy();
    await program.must(["set", "stripe/OTHER", "--no-commit"], { input: "another-value-of-some-length" });
    await program.must(["add-agent", "second", "--no-commit"]);
    program.git("add", ".vault");
    expect((await program.run(["scan", "--staged"])).status).toBe(0);
    expect((await program.run(["scan", "--history"])).status).toBe(0);
  });
});

describe("a vault in a folder further down", () => {
  it("is gone by from the top too, where hooks run, and no other folder of its name is taken for one", async () => {
    const program = template.copy();
    mkdirSync(join(program.repo, "sub"));
    program.git("mv", ".vault", "sub/.vault");
    program.git("commit", "--quiet", "--message", "move");
    stage(program, "key.txt", `${API_KEY}\n`);
    stage(program, "sub/.vault/notes.json", "{}");
    stage(program, "other/.vault/notes.txt", "of another program\n");
    expect((await rules(program, ["--staged"])).sort()).toEqual([
      "vault-record sub/.vault/notes.json",
      "vault-value key.txt",
    ]);
  });

  it("counts before one above the repository, unless that is named", async () => {
    const program = template.copy();
    mkdirSync(join(program.repo, "sub"));
    program.git("mv", ".vault", "sub/.vault");
    program.git("commit", "--quiet", "--message", "move");
    const other = Program.empty();
    await other.must(["init", "--classic"]);
    cpSync(join(other.repo, ".vault"), join(program.home, ".vault"), { recursive: true });
    stage(program, "key.txt", `${API_KEY}\n`);
    expect(await rules(program, ["--staged"])).toEqual(["vault-value key.txt"]);
    expect(await rules(program, ["--staged"], { env: { VAULT_RUN_VAULT: program.home } })).toEqual([]);
    program.git("rm", "-r", "--quiet", "--cached", "sub");
    rmSync(join(program.repo, "sub"), { recursive: true });
    expect(await rules(program, ["--staged"])).toEqual([]);
  });
});

describe("scan of commits", () => {
  it("reads files that are gone, messages and merges, each finding once, with the commit that brought it", async () => {
    const program = template.copy();
    const start = program.git("rev-parse", "HEAD");
    stage(program, "config.js", `const key = "${API_KEY}";\n`);
    program.git("commit", "--quiet", "--message", "add");
    const added = program.git("rev-parse", "HEAD");
    stage(program, "config.js", `// more\nconst key = "${API_KEY}";\n`);
    program.git("commit", "--quiet", "--message", "change");
    program.git("rm", "--quiet", "config.js");
    program.git(
      "commit",
      "--quiet",
      "--message",
      `remove\n\n  ${keySamples()[0]?.text.replaceAll("\n", "\n  ")}`,
    );
    program.git("switch", "--quiet", "--create", "side", start);
    stage(program, "side.txt", `${DB_PASSWORD}\n`);
    program.git("commit", "--quiet", "--message", "side");
    program.git("switch", "--quiet", "main");
    program.git("merge", "--quiet", "--no-ff", "--no-commit", "side");
    stage(program, "evil.txt", bech32Identity("age-plugin-tpm-", 40));
    program.git("commit", "--quiet", "--message", "merge");
    const { findings } = await scan(program, ["--range", `${start}..HEAD`]);
    expect(findings.map(({ rule, file }) => `${rule} ${file}`).sort()).toEqual([
      "age-identity evil.txt",
      "private-key (commit message)",
      "vault-value config.js",
      "vault-value side.txt",
    ]);
    expect(findings.find(({ file }) => file === "config.js")?.commit).toBe(added);
    expect((await scan(program, ["--history"])).findings).toHaveLength(4);
    expect(await rules(program, ["--range", "HEAD^2~1..side"])).toEqual(["vault-value side.txt"]);
    expect(await rules(program, ["--range", `${"0".repeat(40)}..side`])).toEqual(["vault-value side.txt"]);
    expect(await rules(program, ["--range", "main..main"])).toEqual([]);
  });

  it("reads commits as they are stored: who made them, and what git does not show of their messages", async () => {
    const program = template.copy();
    const start = program.git("rev-parse", "HEAD");
    const tree = program.git("rev-parse", "HEAD^{tree}");
    const made = (author: string, extra: string, message: string | Buffer) => {
      const who = `<a@b> 1700000000 +0000`;
      const parent = program.git("rev-parse", "HEAD");
      const head = `tree ${tree}\nparent ${parent}\nauthor ${author} ${who}\ncommitter a ${who}\n${extra}\n`;
      const input = Buffer.concat([Buffer.from(head), Buffer.from(message)]);
      const args = ["hash-object", "-t", "commit", "-w", "--stdin", "--literally"];
      program.git(
        "reset",
        "--quiet",
        "--soft",
        execFileSync("git", args, { cwd: program.repo, input }).toString().trim(),
      );
    };
    const told = async () => {
      const range = ["--range", `${start}..HEAD`];
      const found = (await scan(program, range)).findings.map(({ file, what }) => `${file} ${what}`);
      program.git("reset", "--quiet", "--soft", start);
      return found;
    };
    made("a", "", `hidden\0 behind ${API_KEY}\n`);
    expect(await told()).toEqual(["(commit message) the value of stripe/API_KEY"]);
    made("a", "encoding UTF-16LE\n", `not what it says: ${API_KEY}\n`);
    expect(await told()).toEqual(["(commit message) the value of stripe/API_KEY"]);
    made("a", "encoding UTF-16LE\n", Buffer.from(`what it says: ${API_KEY}\n`, "utf16le"));
    expect(await told()).toEqual(["(commit message) the value of stripe/API_KEY"]);
    made(API_KEY, `x-more ${DB_PASSWORD}\n`, "fine\n");
    expect(await told()).toEqual([
      "(commit header) the value of stripe/API_KEY",
      "(commit header) the value of db/DB_PASSWORD",
    ]);
  });

  it("judges a file by each name that it had", async () => {
    const program = template.copy();
    const start = program.git("rev-parse", "HEAD");
    stage(program, "notes.txt", "API_KEY=not-the-same-value\n");
    program.git("commit", "--quiet", "--message", "add");
    program.git("mv", "notes.txt", ".env");
    program.git("commit", "--quiet", "--message", "rename");
    expect(await rules(program, ["--range", `${start}..HEAD`])).toEqual(["plain-env .env"]);
  });

  it("knows of no commit before the first, and of those that no branch has where HEAD is on none", async () => {
    const program = Program.empty();
    expect(await rules(program, ["--history"])).toEqual([]);
    stage(program, "a.txt", "clean\n");
    program.git("commit", "--quiet", "--message", "first");
    program.git("switch", "--quiet", "--detach");
    stage(program, "key.txt", bech32Identity("age-secret-key-"));
    program.git("commit", "--quiet", "--message", "second");
    expect(await rules(program, ["--history"])).toEqual(["age-identity key.txt"]);
  });

  it("shows nothing that drives a terminal, in JSON and SARIF of the very same names", async () => {
    const program = template.copy();
    const name = "a\u009b31m\u007f\u202e\u2028\u001b]0;b.txt";
    stage(program, name, `key ${API_KEY}\n`);
    for (const format of ["--json", "--sarif"]) {
      const { stdout } = await program.run(["scan", "--staged", format]);
      expect(hasControls(stdout.replaceAll("\n", ""))).toBe(false);
      expect(JSON.stringify(JSON.parse(stdout))).toContain(
        format === "--json" ? JSON.stringify(name) : encodeURIComponent("\u202e"),
      );
    }
  });

  it("goes by a vault of another repository, of which no commit here knows anything", async () => {
    const program = template.copy();
    const other = Program.empty();
    write(other, "hidden.txt", `key ${API_KEY}\n`);
    for (const message of ["first", "second"]) {
      write(other, "hidden.txt", `key ${message === "first" ? "" : API_KEY}\n`);
      other.git("add", "hidden.txt");
      other.git("commit", "--quiet", "--message", message);
    }
    const args = ["scan", "--range", "HEAD~1..HEAD", "--vault", program.repo, "--json"];
    const { status, stdout, stderr } = await program.run(args, { cwd: other.repo });
    expect(stderr).not.toContain("git");
    expect(JSON.parse(stdout).findings).toMatchObject([{ rule: "vault-value", file: "hidden.txt" }]);
    expect(status).toBe(1);
  });

  it("prints SARIF with fingerprints that stay", async () => {
    const program = template.copy();
    stage(program, "a b.txt", `${API_KEY}\n`);
    program.git("commit", "--quiet", "--message", "add");
    const sarif = async () =>
      JSON.parse((await program.run(["scan", "--range", "HEAD~1..", "--sarif"])).stdout);
    const { version, runs } = await sarif();
    expect(version).toBe("2.1.0");
    expect(runs[0].results[0]).toMatchObject({
      ruleId: "vault-value",
      level: "error",
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: "a%20b.txt" },
            region: { startLine: 1, startColumn: 1 },
          },
        },
      ],
      partialFingerprints: { "vaultRun/v1": expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect((await sarif()).runs[0].results).toEqual(runs[0].results);
  });
});

describe("scan of files", () => {
  it("reads files, folders and standard input, whatever git ignores", async () => {
    const program = template.copy();
    write(program, ".gitignore", "build\n");
    write(program, "build/out.js", `x="${API_KEY}"`);
    expect(await rules(program, ["."])).toEqual(["vault-value build/out.js"]);
    expect(await rules(program, ["out.js"], { cwd: join(program.repo, "build") })).toEqual([
      "vault-value build/out.js",
    ]);
    expect(await rules(program, ["-"], { input: `log: ${base64(API_KEY)}` })).toEqual([
      "vault-value (standard input)",
    ]);
    expect((await program.run(["scan", "missing"])).status).toBe(2);
  });

  it("reads files and folders whose names are no UTF-8", async () => {
    const program = template.copy();
    const folder = join(program.repo, "odd");
    mkdirSync(folder);
    const below = (...bytes: number[]) => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(bytes)]);
    writeFileSync(below(0x78, 0xff), `${API_KEY}\n`);
    mkdirSync(below(0x64, 0xfe));
    writeFileSync(below(0x64, 0xfe, 0x2f, 0x61), `${DB_PASSWORD}\n`);
    expect(await rules(program, ["odd"])).toEqual(["vault-value odd/d\ufffd/a", "vault-value odd/x\ufffd"]);
  });

  it("says of a path that cannot be followed why", async () => {
    const program = template.copy();
    symlinkSync("loop", join(program.repo, "loop"));
    const long = "x".repeat(300);
    const told = async (path: string) => said(await program.run(["scan", path]));
    expect(await told("loop")).toContain(`cannot look at (ELOOP): ${join(program.repo, "loop")}`);
    expect(await told(long)).toContain(`cannot look at (ENAMETOOLONG): ${join(program.repo, long)}`);
    expect((await program.run(["scan", long])).status).toBe(1);
  });

  it("tells records that are none, plain values beside the vault and key files that others can read", async () => {
    const program = template.copy();
    write(program, ".vault/notes.txt", "hello");
    write(program, ".vault/groups/db/secrets/X.json", "{}");
    write(program, ".env", `export API_KEY="not-the-same-value"\nDB_PASSWORD=\nUNKNOWN=value\n`);
    write(program, ".env.example", "API_KEY=not-the-same-value\n");
    write(program, "crawler.key", bech32Identity("age-secret-key-"));
    chmodSync(join(program.repo, "crawler.key"), 0o644);
    const { findings } = await scan(program, ["."]);
    expect(findings.map(({ rule, file }) => `${rule} ${file}`)).toEqual([
      "plain-env .env",
      "vault-record .vault/groups/db/secrets/X.json",
      "vault-record .vault/notes.txt",
      "age-identity crawler.key",
      "key-file-mode crawler.key",
    ]);
    expect(findings[0]?.what).toBe("plain values of names that the vault holds: API_KEY");
  });

  it("judges what is longer than any record by its beginning", async () => {
    const program = template.copy();
    const long = Buffer.concat([Buffer.from("API_KEY=not-the-same-value\n"), Buffer.alloc(17_000_000, "x")]);
    for (const path of [".vault/groups/db/secrets/X.json", ".env"]) stage(program, path, long);
    const { findings } = await scan(program, ["--staged"]);
    expect(findings.map(({ rule, file }) => `${rule} ${file}`)).toEqual([
      "plain-env .env",
      "vault-record .vault/groups/db/secrets/X.json",
    ]);
    expect(findings[1]?.what).toContain("larger than any record can be");
  });

  it("looks for an agent's own values with an agent's key, and for none without any", async () => {
    const program = template.copy();
    write(program, "both.txt", `${API_KEY}\n${DB_PASSWORD}\n`);
    const what = async (args: string[], options = {}) =>
      (await scan(program, ["both.txt", ...args], options)).findings.map((finding) => finding.what);
    expect(await what([])).toEqual(["the value of stripe/API_KEY", "the value of db/DB_PASSWORD"]);
    expect(await what(["--agent", "crawler"])).toEqual(["the value of stripe/API_KEY"]);
    rmSync(join(program.home, ".config/vault-run", program.vaultId, "owner.key"));
    expect(await what([])).toEqual(["the value of stripe/API_KEY"]);
    rmSync(join(program.home, ".config"), { recursive: true });
    expect(await what([])).toEqual([]);
    expect((await program.run(["scan", "both.txt", "--agent", "crawler"])).status).toBe(1);
    const named = await program.run(["scan", "both.txt", "--owner-key-file", "missing.key"]);
    expect([named.status, named.stdout]).toEqual([1, ""]);
  });

  it("needs no git for files, and says so where it needs it", async () => {
    const program = template.copy();
    write(program, "a.txt", `${API_KEY}\n`);
    const env = { PATH: program.env.PATH?.split(delimiter)[0] ?? "" };
    expect(await rules(program, ["a.txt"], { env })).toEqual(["vault-value a.txt"]);
    const staged = await program.run(["scan", "--staged"], { env });
    expect([staged.status, staged.stderr]).toEqual([1, expect.stringContaining("git was not found")]);
  });

  it("refuses what it cannot do, before it looks", async () => {
    const program = template.copy();
    for (const args of [
      [],
      ["--staged", "--history"],
      ["--range", "main"],
      ["--staged", "a.txt"],
      ["-", "--json", "--sarif"],
    ])
      expect((await program.run(["scan", ...args])).status, args.join(" ")).toBe(2);
    expect((await program.run(["scan", "--range", "nowhere..main"])).stderr).toContain(
      "no such commit here: nowhere",
    );
    expect((await program.run(["scan", "--range", "--output=x..main"])).status).not.toBe(0);
    expect((await program.run(["scan", "--staged"], { cwd: program.home })).stderr).toContain(
      "not inside a git repository",
    );
  });
});

describe("the allow-list", () => {
  async function withFinding(): Promise<{ program: Program; fingerprint: string }> {
    const program = template.copy();
    stage(program, "docs.md", `for example ${bech32Identity("age-secret-key-")}\n`);
    program.git("commit", "--quiet", "--message", "document");
    const { findings } = await scan(program, ["--history"]);
    return { program, fingerprint: findings[0]?.fingerprint ?? "" };
  }

  it("passes over a finding with its reason, until it is taken back; other bytes are another finding", async () => {
    const { program, fingerprint } = await withFinding();
    await program.must(["allow", fingerprint, "--reason", "an example in the docs"]);
    expect(program.git("show", "--name-only", "--format=%s")).toBe(
      `vault-run: allow finding ${fingerprint.slice(0, 12)}\n\n.vault/allow.json`,
    );
    const passed = await scan(program, ["--history"]);
    expect(passed).toMatchObject({
      status: 0,
      findings: [],
      allowed: [{ fingerprint, reason: "an example in the docs" }],
    });
    expect(JSON.parse(await program.must(["allow", "--json"])).allowed).toMatchObject([{ fingerprint }]);
    stage(program, "docs.md", `for example ${bech32Identity("age-secret-key-")}\n`);
    expect((await scan(program, ["--staged"])).status).toBe(1);
    await program.must(["allow", fingerprint, "--remove"]);
    expect((await scan(program, ["--history"])).status).toBe(1);
    expect((await program.run(["check"])).status).toBe(0);
  });

  it("of plain values holds for the very file that was allowed, not for later values of the same names", async () => {
    const program = template.copy();
    stage(program, ".env", "API_KEY=not-the-same-value\n");
    const [finding] = (await scan(program, ["--staged"])).findings;
    await program.must(["allow", finding?.fingerprint ?? "", "--reason", "of a local server"]);
    expect((await scan(program, [".env"])).status).toBe(0);
    write(program, ".env", "API_KEY=another-value\n");
    expect(await rules(program, [".env"])).toEqual(["plain-env .env"]);
  });

  it("refuses words that are none of its own", async () => {
    const { program, fingerprint } = await withFinding();
    const before = program.snapshot();
    for (const args of [
      [fingerprint],
      ["abc", "--reason", "x"],
      [fingerprint, "--remove"],
      ["--reason", "x"],
      [fingerprint, "--reason", "two\nlines"],
    ])
      expect((await program.run(["allow", ...args])).status, args.join(" ")).toBe(2);
    expect(program.snapshot()).toBe(before);
  });

  it("counts only as an owner signed it: a pull request cannot allow itself (promise 5)", async () => {
    const { program, fingerprint } = await withFinding();
    await program.must(["allow", fingerprint, "--reason", "an example"]);
    const path = join(program.repo, ".vault/allow.json");
    const signed = readFileSync(path, "utf8");
    // Altered, without a signature, and by an owner of another vault.
    const other = Program.empty();
    await other.must(["init", "--classic"]);
    await other.must(["allow", fingerprint, "--reason", "mine"]);
    const foreign = readFileSync(join(other.repo, ".vault/allow.json"), "utf8");
    for (const forged of [signed.replace("an example", "an EXAMPLE"), foreign, `${signed} `, "{}"]) {
      writeFileSync(path, forged);
      const { status, findings } = await scan(program, ["--range", "HEAD~2..HEAD"]);
      expect(status).toBe(1);
      expect(findings.map(({ rule }) => rule)).toEqual(["vault", "age-identity"]);
      // Nothing can be allowed there before the list is an owner's again.
      const { stdout } = await program.run(["scan", "--range", "HEAD~2..HEAD"]);
      expect(stdout).not.toContain(`vault-run allow ${findings[0]?.fingerprint}`);
      expect(stdout).toContain(`vault-run allow ${fingerprint}`);
    }
  });

  it("is refused when it is older than was seen, or than in the base of a pull request (promise 6)", async () => {
    const { program, fingerprint } = await withFinding();
    await program.must(["allow", fingerprint, "--reason", "for now"]);
    const old = readFileSync(join(program.repo, ".vault/allow.json"));
    program.git("branch", "--quiet", "behind");
    await program.must(["allow", fingerprint, "--remove"]);
    // The newer one is at the tip of main: no rollback, but nothing of the older one counts.
    program.git("switch", "--quiet", "behind");
    expect(await rules(program, ["--history"])).toEqual(["age-identity docs.md"]);
    // A branch that had the newer one itself and puts the older one back is a rollback.
    program.git("switch", "--quiet", "--create", "pull", "main");
    stage(program, ".vault/allow.json", old);
    program.git("commit", "--quiet", "--message", "put it back");
    expect(await rules(program, ["--history"])).toEqual(["vault .vault", "age-identity docs.md"]);
    // A job that has seen nothing, and knows the owner by its variable, or by the base alone.
    const key = JSON.parse(readFileSync(join(program.repo, ".vault/vault.json"), "utf8")).owners[0].verifyKey;
    rmSync(join(program.home, ".config"), { recursive: true });
    rmSync(join(program.home, ".local"), { recursive: true });
    for (const env of [{ VAULT_RUN_OWNER: key }, {}]) {
      const job = program.copy();
      expect(await rules(job, ["--range", "main..pull"], { env })).toEqual(["vault .vault"]);
    }
    // Without a base nothing tells, and the owner's variable decides what counts.
    expect((await scan(program.copy(), ["docs.md"], { env: { VAULT_RUN_OWNER: key } })).allowed).toHaveLength(
      1,
    );
    expect((await scan(program.copy(), ["docs.md"])).allowed).toHaveLength(0);
  });

  it("merges: what either branch allowed is allowed", async () => {
    const program = template.copy();
    const first = "1".repeat(64);
    const second = "2".repeat(64);
    program.git("switch", "--quiet", "--create", "side");
    await program.must(["allow", first, "--reason", "one"]);
    program.git("switch", "--quiet", "main");
    await program.must(["allow", second, "--reason", "two"]);
    expect(() => program.git("merge", "--quiet", "side")).toThrow();
    await program.must(["resolve"]);
    program.git("commit", "--quiet", "--no-edit");
    const { allowed } = JSON.parse(await program.must(["allow", "--json"]));
    expect(allowed.map((entry: Told) => entry.fingerprint).sort()).toEqual([first, second]);
  });
});

describe("a large repository", () => {
  it("of a hundred staged files and a binary of 50 MB is looked through in bounded memory", async () => {
    const program = template.copy();
    for (let i = 0; i < 100; i++) write(program, `src/${i}.ts`, "export const value = 1;\n".repeat(100));
    execFileSync("sh", ["-c", "head -c 50000000 /dev/urandom > big.bin"], { cwd: program.repo });
    program.git("add", ".");
    cpSync(join(program.repo, "big.bin"), join(program.repo, "copy.bin"));
    const outcome = await program.run(["scan", "--staged"], {
      env: { NODE_OPTIONS: "--max-old-space-size=64" },
    });
    expect([outcome.status, outcome.stdout]).toEqual([0, ""]);
  });
});
