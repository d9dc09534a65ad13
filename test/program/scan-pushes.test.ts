import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { bech32Identity } from "../scan/samples.ts";

// What someone who may push, or open a pull request, tries so that a scan goes by a vault of their own, or does not look.

const NOTHING = "0".repeat(40);

const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
});

function commit(program: Program, files: Record<string, string>): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(program.repo, path, ".."), { recursive: true });
    writeFileSync(join(program.repo, path), content);
    program.git("add", "--force", path);
  }
  program.git("commit", "--quiet", "--message", "change");
  return program.git("rev-parse", "HEAD");
}

/** A vault of another hand, which allows what is found in `path` to be `content`. */
async function otherVault(path: string, content: string): Promise<Program> {
  const other = Program.empty();
  await other.must(["init", "--classic"]);
  writeFileSync(join(other.repo, path), content);
  const { stdout } = await other.run(["scan", "--json", path]);
  await other.must(["allow", JSON.parse(stdout).findings[0].fingerprint, "--reason", "mine"]);
  return other;
}

function verifyKeyOf(program: Program): string {
  return JSON.parse(readFileSync(join(program.repo, ".vault/vault.json"), "utf8")).owners[0].verifyKey;
}

/** What a server says of a push to its main. */
class Server {
  readonly folder: string;
  readonly #program: Program;
  readonly #env: Record<string, string>;

  constructor(program: Program, env: Record<string, string> = {}) {
    this.#program = program;
    this.folder = join(program.home, "server.git");
    this.#env = { HOME: join(program.home, "server-home"), ...env };
    program.git("clone", "--quiet", "--bare", program.repo, this.folder);
  }

  /** What the hook answers; afterwards the server has it. */
  async receives(id: string, ref = "refs/heads/main", old = NOTHING) {
    this.#program.git("push", "--quiet", this.folder, `${id}:refs/incoming/one`);
    this.#program.git("--git-dir", this.folder, "update-ref", "-d", "refs/incoming/one");
    const told = await this.#program.run(["scan", "--pushed", "--json"], {
      cwd: this.folder,
      env: this.#env,
      input: `${old} ${id} ${ref}\n`,
    });
    if (told.stdout === "") throw new Error(told.stderr);
    this.#program.git("--git-dir", this.folder, "update-ref", ref, id);
    const { findings, allowed } = JSON.parse(told.stdout);
    return {
      allowed,
      findings: findings.map(({ rule, file }: { rule: string; file: string }) => `${rule} ${file}`),
    };
  }
}

describe("a push that comes in", () => {
  it.each([["with the owner named"], ["without"]])(
    "is not judged by a vault that an earlier push put beside the server's, %s",
    async (how) => {
      const program = template.copy();
      const server = new Server(program, how === "without" ? {} : { VAULT_RUN_OWNER: verifyKeyOf(program) });
      const secret = `${bech32Identity("age-secret-key-")}\n`;
      const other = await otherVault("key.txt", secret);
      cpSync(join(other.repo, ".vault"), join(program.repo, "!/.vault"), { recursive: true });
      program.git("add", "--force", "!");
      await server.receives(commit(program, {}));
      const told = await server.receives(commit(program, { "key.txt": secret, ".vault/notes.json": "{}" }));
      expect(told.allowed).toEqual([]);
      expect(told.findings.sort()).toEqual(["age-identity key.txt", "vault-record .vault/notes.json"]);
    },
  );

  it("that puts a vault of another id in the place of the server's is a finding", async () => {
    const program = template.copy();
    const server = new Server(program);
    const other = await otherVault("key.txt", `${bech32Identity("age-secret-key-")}\n`);
    rmSync(join(program.repo, ".vault"), { recursive: true });
    cpSync(join(other.repo, ".vault"), join(program.repo, ".vault"), { recursive: true });
    program.git("add", "--all", "--force");
    const { findings } = await server.receives(commit(program, {}));
    expect(findings).toContain("vault-record .vault/vault.json");
    expect(findings).toContain("vault-record .vault/allow.json");
  });
});

describe("a pull request that swaps the vault", () => {
  it.each([["with the owner named"], ["by the base alone"]])("is refused, %s (promise 5)", async (how) => {
    const program = template.copy();
    const env: Record<string, string> =
      how === "by the base alone" ? {} : { VAULT_RUN_OWNER: verifyKeyOf(program) };
    const secret = `${bech32Identity("age-secret-key-")}\n`;
    const other = await otherVault("key.txt", secret);
    program.git("rm", "-r", "--quiet", ".vault");
    cpSync(join(other.repo, ".vault"), join(program.repo, ".vault"), { recursive: true });
    program.git("add", "--force", ".vault");
    commit(program, { "key.txt": secret });
    rmSync(join(program.home, ".config"), { recursive: true });
    rmSync(join(program.home, ".local"), { recursive: true });
    const told = await program.run(["scan", "--json", "--range", "HEAD~1..HEAD"], { env });
    expect(told.status).toBe(1);
    const { findings, allowed } = JSON.parse(told.stdout);
    expect(findings.map(({ rule }: { rule: string }) => rule)).toEqual(["vault", "age-identity"]);
    expect(allowed).toEqual([]);
  });
});
