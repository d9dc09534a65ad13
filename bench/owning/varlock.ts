import { commandOf } from "../redact/peers.ts";
import { exchanged } from "./exchanged.ts";
import { NAMES, SECRETS } from "./secrets.ts";
import { Keeping, type Said, type Tool, type Who } from "./tool.ts";

const FILE = ".env";

export function varlock(version: string): Tool {
  return { name: "varlock", version, suites: false, keep: (place) => new VarlockKeeping(place) };
}

/** Values encrypted to a key of this machine: nobody else's opens them, so that the owner is who reads, too. */
class VarlockKeeping extends Keeping {
  env(who: Who): Record<string, string> {
    return this.envWith(who === "reader" ? "owner" : who, commandOf("varlock"));
  }

  async lay(): Promise<void> {
    this.write(
      ".env.schema",
      `# @defaultSensitive=true\n# ---\n${NAMES.map((name) => `${name}=\n`).join("")}`,
    );
    this.write(FILE, NAMES.map((name) => `${name}=\n`).join(""));
    for (const { variable, value } of SECRETS) this.set(variable, value);
    this.commit();
  }

  async read(variable: string, who: Who): Promise<string | undefined> {
    return this.value(who, [commandOf("varlock"), "printenv", variable]);
  }

  /** Its answer has to be put into the file by hand. */
  set(variable: string, value: string): Said {
    const said = this.must("owner", [commandOf("varlock"), "encrypt"], value);
    const reference = /varlock\("?[^)]*\)/.exec(said.stdout)?.[0];
    if (reference === undefined) throw new TypeError(`no reference: ${said.text}`);
    this.#put(variable, reference);
    return said;
  }

  swap(one: string, other: string): void {
    this.edit(FILE, (text) => exchanged(text, (name) => new RegExp(`^${name}=(.*)$`, "m"), one, other));
  }

  /** As it is: a value need not be encrypted. */
  async forge(variable: string, value: string): Promise<void> {
    this.#put(variable, `"${value}"`);
  }

  override guard(): void {
    this.must("owner", [commandOf("varlock"), "scan", "--install-hook"]);
  }

  #put(variable: string, text: string): void {
    this.edit(FILE, (file) => file.replace(new RegExp(`^${variable}=.*$`, "m"), () => `${variable}=${text}`));
  }
}
