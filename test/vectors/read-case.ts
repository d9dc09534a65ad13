import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { AgentSession } from "../../src/launch/agent-session.ts";
import { select } from "../../src/launch/select.ts";
import { createKeyFile } from "../../src/vault/key-file.ts";
import { type Machine, stateFolder } from "../../src/vault/machine.ts";
import type { VaultId } from "../../src/vault/names.ts";
import { makeFolder, writeFileAtomic } from "../../src/vault/write-file.ts";
import { VaultError } from "../../src/vault-error.ts";
import { layOut, type Step, type Vectors } from "./vectors.ts";

/** What came of a reading, in the words of a step. */
export type Answer = Pick<Step, "value" | "variables" | "code">;

/** A machine of its own, on which a case's steps are read one after the other. */
export class VectorMachine {
  readonly home: string;
  readonly #vectors: Vectors;

  constructor(home: string, vectors: Vectors, pins: Readonly<Record<string, string>> = {}) {
    this.home = home;
    this.#vectors = vectors;
    const folder = stateFolder(this.#machine({}), vectors.vault as VaultId);
    for (const [name, text] of Object.entries(pins)) {
      makeFolder(dirname(`${folder}/pins/${name}`));
      writeFileAtomic(`${folder}/pins/${name}`, Buffer.from(text), 0o600);
    }
  }

  async read(step: Step): Promise<Answer> {
    const root = join(this.home, "repo/.vault");
    makeFolder(dirname(root));
    layOut(root, { ...this.#vectors.files, ...step.files });
    const keyFile = join(this.home, "agent.key");
    rmSync(keyFile, { force: true });
    createKeyFile(keyFile, this.#vectors.keys[step.key ?? step.agent ?? "crawler"] ?? "");
    try {
      const session = await AgentSession.open(
        this.#machine(step),
        { agent: step.agent ?? "crawler", keyFile, vault: root },
        () => {},
      );
      return step.env === true
        ? { variables: await variablesOf(session) }
        : { value: await valueAt(session, step.get ?? "") };
    } catch (error) {
      if (error instanceof VaultError) return { code: error.code };
      throw error;
    }
  }

  #machine({ owner, now = this.#vectors.now }: Pick<Step, "owner" | "now">): Machine {
    const env = owner === undefined ? {} : { VAULT_RUN_OWNER: owner };
    const nowMs = Date.parse(now);
    return {
      env,
      cwd: this.home,
      home: this.home,
      host: "vectors",
      pid: process.pid,
      uid: 0,
      now: () => nowMs,
    };
  }
}

const NOTHING = { group: [], only: [], env: [], file: [], pipe: [], allowExpired: false };

async function valueAt(session: AgentSession, ref: string): Promise<string> {
  const secrets = select(session, { ...NOTHING, only: [ref] }).map(({ secret }) => secret);
  return session.release(secrets, { action: "get" }, ([value]) => value?.bytes().toString("base64") ?? "");
}

async function variablesOf(session: AgentSession): Promise<Record<string, string>> {
  const deliveries = select(session, NOTHING).filter(({ as }) => as === "env");
  const secrets = deliveries.map(({ secret }) => secret);
  return session.release(secrets, { action: "get" }, (values) => {
    const binary = values.find((value) => !value.isText());
    if (binary !== undefined) throw new VaultError("bad-value", `${binary.ref} is binary`, "");
    return Object.fromEntries(
      deliveries.map(({ variable }, index) => [variable, values[index]?.reveal() ?? ""]),
    );
  });
}
