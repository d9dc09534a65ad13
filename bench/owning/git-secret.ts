import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { versionOf } from "../behaviour/launchers.ts";
import type { Bench } from "../redact/bench.ts";
import { NAMES, SECRETS } from "./secrets.ts";
import { Keeping, type Said, type Step, type Tool, type Who } from "./tool.ts";

const PEOPLE = ["owner", "reader", "outsider"] as const satisfies readonly Who[];
const HIDE = ["hide", "-d", "-m"];

/** Undefined where it is not installed. Its keys are GnuPG's, made here once for all repositories. */
export function gitSecret(bench: Bench): Tool | undefined {
  const version = versionOf(bench, "git-secret");
  if (version === undefined) return undefined;
  for (const who of PEOPLE) {
    mkdirSync(gnupgHome(bench, who), { recursive: true, mode: 0o700 });
    const made = ["--quick-generate-key", `${who} <${addressOf(who)}>`, "default", "default", "never"];
    bench.run(gpg(bench, who, "--pinentry-mode", "loopback", "--passphrase", "", ...made), bench.folder);
  }
  return {
    ...{ name: "git-secret", version, suites: false },
    keep: (place) => new GitSecretKeeping(place),
    end: () => {
      for (const who of PEOPLE)
        bench.run(["gpgconf", "--homedir", gnupgHome(bench, who), "--kill", "all"], bench.folder);
    },
  };
}

/** A file for each secret. */
class GitSecretKeeping extends Keeping {
  env(who: Who): Record<string, string> {
    return { ...this.envWith(who), GNUPGHOME: gnupgHome(this.place.bench, who) };
  }

  async lay(): Promise<void> {
    this.#step("init");
    this.#step("tell", addressOf("owner"));
    for (const { variable, value } of SECRETS) this.write(variable, value);
    this.#step("add", ...NAMES);
    this.#step("hide", "-d");
    this.commit();
    const key = this.must("reader", ["gpg", "--batch", "--armor", "--export", addressOf("reader")]).stdout;
    this.must("owner", ["gpg", "--batch", "--import"], key);
    this.added = [
      { words: "`gpg --import`" },
      this.#step("tell", addressOf("reader")),
      ...[this.#step("reveal", "-f"), this.#step("hide", "-d")],
    ];
    this.commit();
  }

  override removeReader(): Step[] {
    return [
      this.#step("removeperson", addressOf("reader")),
      ...[this.#step("reveal", "-f"), this.#step("hide", "-d")],
    ];
  }

  async read(variable: string, who: Who): Promise<string | undefined> {
    return this.value(who, ["git", "secret", "cat", variable]);
  }

  set(variable: string, value: string): Said {
    this.#step("reveal", "-f");
    this.write(variable, value);
    return this.say("owner", ["git", "secret", ...HIDE]);
  }

  swap(one: string, other: string): void {
    this.exchange(`${one}.secret`, `${other}.secret`);
  }

  /** To all whose public keys are in the repository. */
  async forge(variable: string, value: string): Promise<void> {
    const keys = ["--homedir", ".gitsecret/keys", "--trust-model", "always"];
    const recipients = ["owner", "reader"].flatMap((who) => ["--recipient", addressOf(who)]);
    const words = ["gpg", "--batch", "--yes", ...keys, "--output", `${variable}.secret`, "--encrypt"];
    this.must("outsider", [...words, ...recipients], value);
  }

  override async intrude(): Promise<void> {
    this.must("outsider", ["git", "secret", "tell", addressOf("outsider")]);
  }

  #step(...words: readonly string[]): Step {
    return this.step("owner", words[0] ?? "", ["git", "secret", ...words]);
  }
}

function gnupgHome(bench: Bench, who: Who): string {
  return join(bench.folder, "gnupg", who);
}

function gpg(bench: Bench, who: Who, ...words: readonly string[]): string[] {
  return ["gpg", "--batch", "--quiet", "--homedir", gnupgHome(bench, who), ...words];
}

function addressOf(who: string): string {
  return `${who}@example.org`;
}
