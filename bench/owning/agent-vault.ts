import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isThere } from "../launch/tools.ts";
import type { Bench } from "../redact/bench.ts";
import { SECRETS } from "./secrets.ts";
import { Keeping, type Said, type Server, type Step, type Tool, type Who } from "./tool.ts";

const FOLDER = ".agent-vault";

/** Undefined where it is not installed. There are other programs of its name; this one has that verb, and no --version. */
export function agentVault(bench: Bench): Tool | undefined {
  if (!isThere(bench, "agent-vault", ["restore-agent", "--help"])) return undefined;
  return { name: "agent-vault", version: "", suites: false, keep: (place) => new AgentVaultKeeping(place) };
}

class AgentVaultKeeping extends Keeping {
  env(who: Who): Record<string, string> {
    const env = this.envWith(who);
    return who === "outsider" ? { ...env, AGENT_VAULT_KEY: this.place.people.outsider.identity } : env;
  }

  async lay(): Promise<void> {
    this.#must("init");
    for (const { variable, value } of SECRETS) this.set(variable, value);
    this.added = [this.#step("add-agent", "reader"), this.#step("grant", "reader", "group")];
    copyFileSync(join(this.homeOf("owner"), FOLDER, "agents/reader.key"), this.#keyFile());
  }

  override removeReader(): Step[] {
    return [this.#step("revoke", "reader", "group")];
  }

  async read(variable: string, who: Who): Promise<string | undefined> {
    const key = who === "reader" ? ["--key", this.#keyFile()] : [];
    return this.value(who, ["agent-vault", "get", `group/${variable}`, ...key]);
  }

  set(variable: string, value: string): Said {
    return this.#set("owner", variable, value);
  }

  swap(one: string, other: string): void {
    this.exchange(`${FOLDER}/secrets/group/${one}.enc`, `${FOLDER}/secrets/group/${other}.enc`);
  }

  async forge(variable: string, value: string): Promise<void> {
    this.#set("outsider", variable, value);
  }

  override async intrude(): Promise<void> {
    this.edit(`${FOLDER}/manifest.yaml`, (text) =>
      text.replace("agents:\n", "agents:\n- name: outsider\n  groups:\n  - group\n"),
    );
    mkdirSync(join(this.place.repo, FOLDER, "agents/outsider"));
    this.write(`${FOLDER}/agents/outsider/public.key`, `${this.place.people.outsider.recipient}\n`);
  }

  /** `init` has installed it. */
  override guard(): void {}

  override server(): Server | undefined {
    if (!isThere(this.place.bench, "agent-vault-mcp", ["--help"])) return undefined;
    return {
      command: ["agent-vault-mcp", "--repo", this.place.repo, "--key", this.#keyFile()],
      get: (variable) => ({ name: "agent_vault_get", arguments: { secret: `group/${variable}` } }),
    };
  }

  /** From a file: otherwise it takes a value as an argument. */
  #set(who: Who, variable: string, value: string): Said {
    const file = join(this.homeOf(who), "value");
    writeFileSync(file, value);
    const said = this.must(who, ["agent-vault", "set", `group/${variable}`, "--from-file", file]);
    rmSync(file);
    return said;
  }

  #keyFile(): string {
    return join(this.homeOf("reader"), "agent.key");
  }

  #must(...words: readonly string[]): Said {
    return this.must("owner", ["agent-vault", ...words]);
  }

  #step(...words: readonly string[]): Step {
    return this.step("owner", words[0] ?? "", ["agent-vault", ...words]);
  }
}
