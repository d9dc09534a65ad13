import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Outcome, Program } from "../fixtures/program.ts";
import { runFile, writeInProject } from "../fixtures/project.ts";
import { type Case, layOut, readVaults, type Step, type Vectors } from "../vectors/vectors.ts";

// The attacks among the vectors, on the command and on the Node SDK as installed. Python's tests perform the same ones.
// They go by the machine's clock, which no attack depends on.

const READ = `
  import { openVault, VaultError } from "vault-run";
  const { agent, keyFile, vault, ref } = JSON.parse(process.argv[2]);
  const answer = {};
  try {
    const opened = await openVault({ agent, keyFile, vault });
    if (ref === undefined) answer.variables = (await opened.env()).reveal();
    else answer.value = (await opened.get(ref)).bytes().toString("base64");
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    answer.code = error.code;
    answer.message = error.message;
  }
  console.log(JSON.stringify(answer));
`;

interface Answer {
  readonly value?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly code?: string;
  readonly message?: string;
}

/** A machine on which a case's steps are read one after the other. */
class Reader {
  readonly program: Program;
  readonly #vectors: Vectors;

  constructor(vectors: Vectors, pins: Case["pins"] = {}) {
    this.program = Program.empty();
    this.#vectors = vectors;
    for (const [name, text] of Object.entries(pins)) {
      const path = join(this.program.home, ".local/state/vault-run", vectors.vault, "pins", name);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(path, text, { mode: 0o600 });
    }
  }

  bySdk(step: Step, file: string): Promise<Outcome> {
    const { env, ...place } = this.#layOut(step);
    return runFile(file, this.program, { env, args: [JSON.stringify({ ...place, ref: step.get })] });
  }

  byCommand(step: Step): Promise<Outcome> {
    const { env, agent, keyFile, vault } = this.#layOut(step);
    const words = ["--agent", agent, "--key-file", keyFile, "--vault", vault];
    const print = ["--no-redact", "--", "node", "-e", "console.log(JSON.stringify(process.env))"];
    return this.program.run(step.get === undefined ? [...words, ...print] : ["get", step.get, ...words], {
      env,
      encoding: "latin1",
    });
  }

  #layOut(step: Step) {
    const vault = join(this.program.repo, ".vault");
    layOut(vault, { ...this.#vectors.files, ...step.files });
    const keyFile = join(this.program.home, "agent.key");
    rmSync(keyFile, { force: true });
    const agent = step.agent ?? "crawler";
    writeFileSync(keyFile, this.#vectors.keys[step.key ?? agent] ?? "", { mode: 0o600 });
    const env: Record<string, string> = step.owner === undefined ? {} : { VAULT_RUN_OWNER: step.owner };
    return { vault, keyFile, agent, env };
  }
}

describe.each(readVaults().map((vectors) => [vectors.suite, vectors] as const))(
  "the attacks of the vectors, suite %s",
  (_, vectors) => {
    const attacks = vectors.cases.filter(({ threat }) => threat !== undefined);
    it("are there", () => expect(attacks.length).toBeGreaterThan(80));

    it.each(attacks.map((attack) => [`${attack.threat}: ${attack.name}`, attack] as const))(
      "%s",
      async (_name, { steps, pins }) => {
        const file = writeInProject(READ, "mjs");
        const [sdk, command] = [new Reader(vectors, pins), new Reader(vectors, pins)];
        for (const step of steps) {
          const { status, stdout, stderr } = await sdk.bySdk(step, file);
          expect(status, stderr).toBe(0);
          const { message, ...answer } = JSON.parse(stdout) as Answer;
          const { value, variables, code } = step;
          expect(answer).toEqual(JSON.parse(JSON.stringify({ value, variables, code })));
          // No system hands U+0000 to a program.
          if (`${step.get}${step.agent}`.includes("\0")) continue;
          const printed = await command.byCommand(step);
          if (code === undefined) {
            expect(printed.status, printed.stderr).toBe(0);
            if (value !== undefined)
              expect(Buffer.from(printed.stdout, "latin1").toString("base64")).toBe(value);
          } else {
            expect(printed.status).toBe(step.get === undefined ? 125 : code === "bad-name" ? 2 : 1);
            expect(printed.stdout).toBe("");
            const said = Buffer.from(printed.stderr, "latin1").toString("utf8");
            expect(said.replaceAll(command.program.home, "~")).toContain(
              `vault-run: ${message?.replaceAll(sdk.program.home, "~")}\n`,
            );
          }
        }
      },
    );
  },
);
