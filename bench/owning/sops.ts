import { versionOf } from "../behaviour/launchers.ts";
import type { Bench } from "../redact/bench.ts";
import { exchanged } from "./exchanged.ts";
import { SECRETS } from "./secrets.ts";
import { Keeping, type Said, type Step, type Tool, type Who } from "./tool.ts";

const FILE = "secrets.yaml";
const RULES = ".sops.yaml";

/** Undefined where it is not installed. */
export function sops(bench: Bench): Tool | undefined {
  const version = versionOf(bench, "sops");
  if (version === undefined) return undefined;
  return { name: "sops", version, suites: true, keep: (place) => new SopsKeeping(place) };
}

/** All secrets in one file, as its own documentation has them. */
class SopsKeeping extends Keeping {
  env(who: Who): Record<string, string> {
    const { identity } = this.place.people[who];
    return { ...this.envWith(who), SOPS_AGE_KEY: identity };
  }

  async lay(): Promise<void> {
    this.#allow("owner");
    this.#make("owner", FILE, SECRETS);
    this.added = [this.#allow("owner", "reader"), this.#step("updatekeys", "--yes", FILE)];
    this.commit();
  }

  override removeReader(): Step[] {
    return [
      this.#allow("owner"),
      this.#step("updatekeys", "--yes", FILE),
      this.#step("rotate", "--in-place", FILE),
    ];
  }

  async read(variable: string, who: Who): Promise<string | undefined> {
    return this.#extract(variable, who, FILE) ?? this.#extract(variable, who, `${variable}.yaml`);
  }

  set(variable: string, value: string): Said {
    const command = ["sops", "set", "--value-stdin", FILE, `["${variable}"]`];
    return this.say("owner", command, JSON.stringify(value));
  }

  override ways(): Readonly<Record<string, (variable: string, value: string) => Said>> {
    return {
      "`set`": (variable, value) => this.set(variable, value),
      "a new file": (variable, value) => this.#make("owner", `${variable}.yaml`, [{ variable, value }]),
    };
  }

  swap(one: string, other: string): void {
    this.edit(FILE, (text) => exchanged(text, (name) => new RegExp(`^${name}: (.*)$`, "m"), one, other));
  }

  async forge(variable: string, value: string): Promise<void> {
    const secrets = SECRETS.map((secret) => (secret.variable === variable ? { variable, value } : secret));
    this.#make("outsider", FILE, secrets);
  }

  override async intrude(): Promise<void> {
    this.#allow("owner", "reader", "outsider");
  }

  #extract(variable: string, who: Who, file: string): string | undefined {
    return this.value(who, ["sops", "decrypt", "--extract", `["${variable}"]`, file]);
  }

  #make(who: Who, file: string, secrets: readonly { variable: string; value: string }[]): Said {
    const lines = secrets.map(({ variable, value }) => `${variable}: "${value}"\n`);
    const said = this.must(who, ["sops", "encrypt", "--filename-override", file], lines.join(""));
    this.write(file, said.stdout);
    return said;
  }

  /** Who new files and `updatekeys` are for. */
  #allow(...who: readonly Who[]): Step {
    const recipients = who.map((each) => this.place.people[each].recipient).join(",");
    this.write(RULES, `creation_rules:\n  - age: ${recipients}\n`);
    return { words: `edit \`${RULES}\`` };
  }

  #step(...words: readonly string[]): Step {
    return this.step("owner", words[0] ?? "", ["sops", ...words]);
  }
}
