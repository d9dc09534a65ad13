import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { isDeepStrictEqual } from "node:util";
import { AgentSession } from "../../src/launch/agent-session.ts";
import { deliver, grantedSecrets } from "../../src/launch/select.ts";
import type { Machine } from "../../src/vault/machine.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { VaultError } from "../../src/vault-error.ts";
import type { Answer } from "../vectors/read-case.ts";
import { layOut, type Vectors } from "../vectors/vectors.ts";
import { type Mutation, Mutator } from "./mutations.ts";
import { Random } from "./random.ts";

// Both readers, TypeScript's and Python's, on the same files at the same time, each with a home of its own.

const AT_ONCE = 64;
const WORKER = join(import.meta.dirname, "worker.py");
const PYTHON = resolve(import.meta.dirname, "../../python");

type Outcome = Answer | { readonly crash: string };

export interface Difference {
  readonly seed: number;
  readonly mutation: Mutation;
  readonly here: Outcome;
  readonly python: Outcome;
}

/** The readings of this many mutations: how many came out in which way, and those that the readers disagree on. */
export interface Comparison {
  readonly outcomes: ReadonlyMap<string, number>;
  readonly differences: readonly Difference[];
}

export class Comparer {
  readonly #folder: string;
  readonly #vectors: Vectors;
  readonly #files: Readonly<Record<string, string>>;
  readonly #worker: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: Interface;

  constructor(folder: string, vectors: Vectors) {
    this.#folder = folder;
    this.#vectors = vectors;
    this.#files = Object.fromEntries(
      Object.entries(vectors.files).filter(([path]) => !path.endsWith("LARGE.json")),
    );
    const env = { PATH: process.env.PATH, PYTHONPATH: join(PYTHON, "src") };
    this.#worker = spawn(join(PYTHON, ".venv/bin/python"), [WORKER], {
      env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#answers = createInterface({ input: this.#worker.stdout });
    for (let slot = 0; slot < AT_ONCE; slot++) {
      mkdirSync(this.#place(slot, "repo"), { recursive: true });
      layOut(this.#place(slot, "repo/.vault"), this.#files);
    }
  }

  async compare(seed: number, count: number): Promise<Comparison> {
    const mutator = new Mutator(this.#vectors, this.#files, await this.#soundPins());
    const [outcomes, differences] = [new Map<string, number>(), [] as Difference[]];
    for (let first = 0; first < count; first += AT_ONCE) {
      const seeds = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, at) => seed + first + at);
      const mutations = await Promise.all(seeds.map((each) => mutator.make(new Random(each))));
      mutations.forEach((mutation, slot) => {
        this.#prepare(slot, mutation);
      });
      const asked = this.#ask(mutations);
      const here: Outcome[] = [];
      for (const [slot, mutation] of mutations.entries()) here.push(await this.#readHere(slot, mutation));
      const python = await asked;
      for (const [slot, mutation] of mutations.entries()) {
        const [ours, theirs] = [here[slot] as Outcome, python[slot] as Outcome];
        const outcome = "code" in ours && ours.code !== undefined ? ours.code : "opened";
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        if (!isDeepStrictEqual(ours, theirs))
          differences.push({ seed: seeds[slot] ?? 0, mutation, here: ours, python: theirs });
        this.#restore(slot, mutation);
      }
    }
    return { outcomes, differences };
  }

  close(): void {
    this.#worker.stdin.end();
  }

  /** As a reading of everything leaves them. */
  async #soundPins(): Promise<Record<string, string>> {
    const sound = {
      files: {},
      keyFile: this.#vectors.keys.crawler ?? "",
      pins: undefined,
      now: Date.parse(this.#vectors.now),
    };
    this.#prepare(0, sound);
    await this.#readHere(0, { ...sound, get: "stripe/API_KEY" });
    await this.#readHere(0, { ...sound, get: "mail/PASSWORD" });
    const folder = join(this.#state(0, "here"), "pins");
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".json"),
    );
    return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  }

  #prepare(slot: number, { files, keyFile, pins }: Mutation): void {
    for (const [path, content] of Object.entries(files)) this.#write(slot, path, content);
    writeFileSync(this.#place(slot, "agent.key"), keyFile, { mode: 0o600 });
    for (const reader of ["here", "python"] as const) {
      rmSync(this.#state(slot, reader), { recursive: true, force: true });
      for (const [name, text] of Object.entries(pins ?? {})) {
        const path = join(this.#state(slot, reader), "pins", name);
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        writeFileSync(path, text, { mode: 0o600 });
      }
    }
  }

  #restore(slot: number, { files }: Mutation): void {
    for (const path of Object.keys(files)) this.#write(slot, path, this.#files[path] ?? null);
  }

  #write(slot: number, path: string, content: string | Buffer | null): void {
    const file = this.#place(slot, `repo/.vault/${path}`);
    if (content === null) rmSync(file, { force: true });
    else writeFileSync(file, content);
  }

  #ask(mutations: readonly Mutation[]): Promise<Outcome[]> {
    const steps = mutations.map(({ owner, now, get }, slot) => ({
      home: this.#place(slot, "python"),
      agent: "crawler",
      root: this.#place(slot, "repo/.vault"),
      keyFile: this.#place(slot, "agent.key"),
      owner,
      now,
      get,
    }));
    const answer = new Promise<Outcome[]>((found, failed) => {
      this.#answers.once("line", (line) => found(JSON.parse(line)));
      this.#worker.once("exit", () => failed(new Error("the Python reader ended")));
    });
    this.#worker.stdin.write(`${JSON.stringify(steps)}\n`);
    return answer.finally(() => this.#worker.removeAllListeners("exit"));
  }

  async #readHere(slot: number, { owner, now, get }: Mutation): Promise<Outcome> {
    const [home, root] = [this.#place(slot, "here"), this.#place(slot, "repo/.vault")];
    const env = owner === undefined ? {} : { VAULT_RUN_OWNER: owner };
    const machine: Machine = {
      env,
      cwd: home,
      home,
      host: "vectors",
      pid: process.pid,
      uid: 0,
      now: () => now,
    };
    const options = { agent: "crawler", keyFile: this.#place(slot, "agent.key"), vault: root };
    try {
      const session = await AgentSession.open(machine, options, () => {});
      return get === undefined
        ? { variables: await variablesOf(session) }
        : { value: await openedAt(session, get) };
    } catch (error) {
      return error instanceof VaultError ? { code: error.code } : { crash: String(error) };
    }
  }

  #state(slot: number, reader: "here" | "python"): string {
    return join(this.#place(slot, reader), ".local/state/vault-run", this.#vectors.vault);
  }

  #place(slot: number, path: string): string {
    return join(this.#folder, `${slot}`, path);
  }
}

/** As the Node SDK gives it, whatever its variable. */
async function openedAt(session: AgentSession, ref: string): Promise<string> {
  const [record] = grantedSecrets(session, [], [parseSecretRef(ref)]);
  if (record === undefined) throw new TypeError("no secret was found");
  session.requireUnexpired(record);
  return session.release([record], { action: "sdk" }, ([value]) => value?.bytes().toString("base64") ?? "");
}

/** As the Node SDK gives them. */
async function variablesOf(session: AgentSession): Promise<Record<string, string>> {
  const records = grantedSecrets(session, [], []).filter((secret) => secret.deliver === "env");
  for (const record of records) session.requireUnexpired(record);
  const deliveries = deliver(records);
  return session.release(records, { action: "sdk" }, (values) => {
    if (!values.every((value) => value.isText())) throw new VaultError("bad-value", "binary", "");
    return Object.fromEntries(deliveries.map(({ variable }, at) => [variable, values[at]?.reveal() ?? ""]));
  });
}
