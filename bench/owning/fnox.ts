import { chmodSync } from "node:fs";
import { join } from "node:path";
import { versionOf } from "../behaviour/launchers.ts";
import type { Bench } from "../redact/bench.ts";
import { exchanged } from "./exchanged.ts";
import { SECRETS } from "./secrets.ts";
import { Keeping, type Said, type Server, type Step, type Tool, type Who } from "./tool.ts";

const FILE = "fnox.toml";

/** Undefined where it is not installed. */
export function fnox(bench: Bench): Tool | undefined {
  const version = versionOf(bench, "fnox");
  if (version === undefined) return undefined;
  return { name: "fnox", version, suites: true, keep: (place) => new FnoxKeeping(place) };
}

class FnoxKeeping extends Keeping {
  env(who: Who): Record<string, string> {
    const { identity } = this.place.people[who];
    return { ...this.envWith(who), FNOX_AGE_KEY: identity };
  }

  async lay(): Promise<void> {
    this.write(FILE, `[providers]\nage = { type = "age", recipients = [] }\n`);
    this.#allow("owner");
    for (const { variable, value } of SECRETS) this.#set("owner", variable, value);
    this.added = [this.#allow("owner", "reader"), this.#step("reencrypt", "--force")];
    this.commit();
  }

  override removeReader(): Step[] {
    return [this.#allow("owner"), this.#step("reencrypt", "--force")];
  }

  async read(variable: string, who: Who): Promise<string | undefined> {
    return this.value(who, ["fnox", "get", variable]);
  }

  set(variable: string, value: string): Said {
    return this.#set("owner", variable, value);
  }

  swap(one: string, other: string): void {
    const patternOf = (name: string) => new RegExp(`^${name} *= *.*value *= *"([^"]*)".*$`, "m");
    this.edit(FILE, (text) => exchanged(text, patternOf, one, other));
  }

  async forge(variable: string, value: string): Promise<void> {
    this.#set("outsider", variable, value);
  }

  override async intrude(): Promise<void> {
    this.#allow("owner", "reader", "outsider");
  }

  /** It has no verb that installs a hook: this is the line that one would write. */
  override guard(): void {
    this.write(".git/hooks/pre-commit", "#!/bin/sh\nexec fnox scan\n");
    chmodSync(join(this.place.repo, ".git/hooks/pre-commit"), 0o755);
  }

  override server(): Server {
    return {
      command: ["fnox", "mcp"],
      get: (variable) => ({ name: "get_secret", arguments: { name: variable } }),
      run: (command) => ({ name: "exec", arguments: { command } }),
    };
  }

  #set(who: Who, variable: string, value: string): Said {
    return this.must(who, ["fnox", "set", variable, "--provider", "age"], value);
  }

  #allow(...who: readonly Who[]): Step {
    const recipients = who.map((each) => `"${this.place.people[each].recipient}"`).join(", ");
    return this.edit(FILE, (text) => text.replace(/recipients = \[.*?\]/, `recipients = [${recipients}]`));
  }

  #step(...words: readonly string[]): Step {
    return this.step("owner", words[0] ?? "", ["fnox", ...words]);
  }
}
