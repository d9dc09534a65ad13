import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandOf } from "../redact/peers.ts";
import { exchanged } from "./exchanged.ts";
import { SECRETS } from "./secrets.ts";
import { Keeping, type Said, type Tool, type Who } from "./tool.ts";

const FILE = ".env";
const KEYS = ".env.keys";

export function dotenvx(version: string): Tool {
  return { name: "dotenvx", version, suites: false, keep: (place) => new DotenvxKeeping(place) };
}

/** One pair of keys a file: who reads it has the one private key, as the owner has. */
class DotenvxKeeping extends Keeping {
  env(who: Who): Record<string, string> {
    const env = this.envWith(who, commandOf("dotenvx"));
    const file = this.#keyFile(who);
    return existsSync(file) ? { ...env, DOTENV_PRIVATE_KEY: readFileSync(file, "utf8") } : env;
  }

  async lay(): Promise<void> {
    const key = this.#encrypt(SECRETS);
    writeFileSync(this.#keyFile("owner"), key);
    writeFileSync(this.#keyFile("reader"), key);
    this.commit();
  }

  async read(variable: string, who: Who): Promise<string | undefined> {
    // It gives what it can open also where it says that it cannot open others, and what it cannot open as it is.
    const value = this.say(who, [commandOf("dotenvx"), "get", variable]).stdout.trim();
    return value === "" || value.startsWith("encrypted:") ? undefined : value;
  }

  /** It takes values from the command line alone. */
  set(variable: string, value: string): Said {
    return this.#set("owner", variable, value);
  }

  swap(one: string, other: string): void {
    this.edit(FILE, (text) => exchanged(text, (name) => new RegExp(`^${name}="([^"]*)"$`, "m"), one, other));
  }

  async forge(variable: string, value: string): Promise<void> {
    this.#set("outsider", variable, value);
  }

  /** Puts a public key of the outsider's own where the file's is. */
  override async intrude(): Promise<void> {
    const before = this.text(FILE);
    writeFileSync(this.#keyFile("outsider"), this.#encrypt([]));
    const [line = ""] = PUBLIC_KEY.exec(this.text(FILE)) ?? [];
    this.write(FILE, before.replace(PUBLIC_KEY, line));
  }

  override guard(): void {
    this.must("owner", [commandOf("dotenvx"), "protect"]);
  }

  /** @returns the private key of a file that it makes anew. */
  #encrypt(secrets: typeof SECRETS): string {
    const lines = [...secrets, { variable: "OTHER", value: "1" }].map(
      (it) => `${it.variable}="${it.value}"\n`,
    );
    this.write(FILE, lines.join(""));
    this.must("owner", ["env", "-u", "DOTENV_PRIVATE_KEY", commandOf("dotenvx"), "encrypt"]);
    const path = join(this.place.repo, KEYS);
    const key = /DOTENV_PRIVATE_KEY="?([0-9a-f]+)/.exec(readFileSync(path, "utf8"))?.[1];
    rmSync(path);
    if (key === undefined) throw new TypeError("no key");
    return key;
  }

  #keyFile(who: Who): string {
    return join(this.homeOf(who), "key");
  }

  #set(who: Who, variable: string, value: string): Said {
    return this.must(who, [commandOf("dotenvx"), "set", variable, value]);
  }
}

const PUBLIC_KEY = /^DOTENV_PUBLIC_KEY=.*$/m;
