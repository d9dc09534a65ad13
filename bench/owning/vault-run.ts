import { join } from "node:path";
import { Identity, parseRecipient } from "../../src/age/identity.ts";
import { open } from "../../src/age/open.ts";
import { seal } from "../../src/age/seal.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { encodeValue, secretContext } from "../../src/vault/payload.ts";
import { signed } from "../../test/vectors/forge.ts";
import { VAULT_RUN } from "../launch/vaults.ts";
import type { Bench } from "../redact/bench.ts";
import { SECRETS } from "./secrets.ts";
import { Keeping, type Said, type Server, type Step, type Tool, type Who } from "./tool.ts";

type Fields = Record<string, unknown>;

const GROUP = ".vault/groups/group";

export function vaultRun(bench: Bench): Tool {
  const version = bench.run([VAULT_RUN, "--version"], bench.folder).toString().trim();
  return { name: "vault-run", version, suites: true, keep: (place) => new VaultRunKeeping(place) };
}

class VaultRunKeeping extends Keeping {
  env(who: Who): Record<string, string> {
    const env = this.envWith(who, VAULT_RUN);
    return who === "owner" ? env : { ...env, VAULT_RUN_KEY_FILE: this.#keyFile(who) };
  }

  async lay(): Promise<void> {
    const { suite } = Identity.parse(this.place.people.owner.identity) ?? {};
    this.#must("init", ...(suite === "classic" ? ["--classic"] : []));
    const lines = SECRETS.map(({ variable, value }) => `${variable}='${value}'\n`);
    this.must("owner", [VAULT_RUN, "import", "-", "--group", "group"], lines.join(""));
    this.added = [
      this.#step("add-agent", "reader", "--out", this.#keyFile("reader")),
      this.#step("grant", "reader", "group"),
    ];
  }

  override removeReader(): Step[] {
    return [this.#step("revoke", "reader", "group", "--yes")];
  }

  override worklist(): string {
    return this.say("owner", [VAULT_RUN, "rotation"]).text;
  }

  /** The reader's log is on the reader's machine until it is pushed. */
  override record(variable: string): string {
    this.git("init", "--quiet", "--bare", "../remote");
    this.git("remote", "add", "origin", "../remote");
    this.must("reader", [VAULT_RUN, "audit", "push"]);
    this.#must("audit", "fetch");
    return this.#must("audit", "--secret", `group/${variable}`, "--action", "pull").stdout;
  }

  async read(variable: string, who: Who): Promise<string | undefined> {
    if (who !== "outsider") return this.value(who, [VAULT_RUN, "get", `group/${variable}`]);
    // Without the program, which would refuse the key for more than one reason.
    const identity = Identity.parse(this.place.people.outsider.identity);
    if (identity === undefined) throw new TypeError("no identity");
    const sealed = Buffer.from(String(this.#fields(this.#secret(variable)).sealed), "base64");
    const payload = await open(sealed, identity);
    return payload === undefined ? undefined : JSON.parse(payload.toString()).value;
  }

  set(variable: string, value: string): Said {
    return this.say("owner", [VAULT_RUN, "set", `group/${variable}`], value);
  }

  swap(one: string, other: string): void {
    this.exchange(this.#secret(one), this.#secret(other));
  }

  async forge(variable: string, value: string): Promise<void> {
    const path = this.#secret(variable);
    const secret = this.#fields(path) as Fields & Parameters<typeof secretContext>[0];
    const recipient = parseRecipient(String(this.#fields(`${GROUP}/group.json`).recipient));
    if (recipient === undefined) throw new TypeError("no recipient");
    const sealed = await seal(encodeValue(secretContext(secret), Buffer.from(value)), [recipient]);
    this.#sign(path, { ...secret, sealed: sealed.toString("base64") });
  }

  override async intrude(): Promise<void> {
    const path = `${GROUP}/group.json`;
    this.#sign(path, { ...this.#fields(path), recipient: this.place.people.outsider.recipient });
  }

  override guard(): void {
    this.#must("hook", "install", "--yes");
  }

  override server(): Server {
    return {
      command: [VAULT_RUN, "mcp", "--agent", "reader"],
      get: (variable) => ({ name: "get_secret", arguments: { name: `group/${variable}` } }),
      run: (command, variable) => ({
        name: "run_with_secrets",
        arguments: { command, secrets: [`group/${variable}`] },
      }),
    };
  }

  /** With the only key that an outsider has, newer than what was there. */
  #sign(path: string, record: Fields): void {
    const identity = Identity.parse(this.place.people.outsider.identity);
    if (identity === undefined) throw new TypeError("no identity");
    const serial = Number(record.serial) + 1;
    this.write(path, signed({ ...record, serial }, SigningKey.derive(identity)));
  }

  #fields(path: string): Fields {
    return JSON.parse(this.text(path));
  }

  #secret(variable: string): string {
    return `${GROUP}/secrets/${variable}.json`;
  }

  #keyFile(who: Who): string {
    return join(this.homeOf(who), "agent.key");
  }

  #must(...words: readonly string[]): Said {
    return this.must("owner", [VAULT_RUN, ...words]);
  }

  #step(...words: readonly string[]): Step {
    return this.step("owner", words[0] ?? "", [VAULT_RUN, ...words]);
  }
}
