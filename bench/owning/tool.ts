import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import type { Suite } from "../../src/age/identity.ts";
import { initRepository } from "../launch/vaults.ts";
import type { Bench } from "../redact/bench.ts";

// A tool that keeps secrets in a repository, and the three who meet it: the owner, a reader with a key of their own where the
// tool knows such a thing, and an outsider who may write to the repository and has no key that opens anything in it.

export type Who = "owner" | "reader" | "outsider";

export interface Said {
  readonly status: number;
  readonly stdout: string;
  /** Both outputs. */
  readonly text: string;
}

/** What someone has to do: the words of a command, or a file that is edited by hand. */
export interface Step {
  readonly words: string;
  readonly said?: Said;
}

/** A server for models, and how one asks it for a secret and has it start a program with all of them. */
export interface Server {
  readonly command: readonly string[];
  readonly get: (variable: string) => { name: string; arguments: Record<string, unknown> };
  readonly run?: (
    program: readonly string[],
    variable: string,
  ) => { name: string; arguments: Record<string, unknown> };
}

export interface Person {
  readonly home: string;
  readonly identity: string;
  readonly recipient: string;
}

export interface Tool {
  readonly name: string;
  readonly version: string;
  /** Whether its keys are age identities of whichever suite the owner chooses. */
  readonly suites: boolean;
  keep(place: Place): Keeping;
  /** Ends what it left running. */
  end?(): void;
}

/** A repository, and the homes and age identities of the three. */
export class Place {
  readonly bench: Bench;
  readonly repo: string;
  readonly people: Readonly<Record<Who, Person>>;

  private constructor(bench: Bench, repo: string, people: Readonly<Record<Who, Person>>) {
    this.bench = bench;
    this.repo = repo;
    this.people = people;
  }

  static async make(bench: Bench, name: string, suite: Suite = "classic"): Promise<Place> {
    const folder = bench.makeFolder(name);
    const repo = join(folder, "repo");
    mkdirSync(repo);
    initRepository(bench, repo);
    const arrive = async (who: Who): Promise<Person> => {
      const home = join(folder, who);
      mkdirSync(home);
      const identity = await generateIdentity(suite);
      return { home, identity: identity.reveal(), recipient: await recipientOf(identity) };
    };
    const people = {
      owner: await arrive("owner"),
      reader: await arrive("reader"),
      outsider: await arrive("outsider"),
    };
    return new Place(bench, repo, people);
  }

  /** The same once more, as it is now, in a folder of its own. */
  copy(name: string): Place {
    const folder = join(this.bench.folder, name);
    cpSync(dirname(this.repo), folder, { recursive: true, preserveTimestamps: true });
    const at = (path: string) => join(folder, basename(path));
    const moved = (person: Person) => ({ ...person, home: at(person.home) });
    const { owner, reader, outsider } = this.people;
    const people = { owner: moved(owner), reader: moved(reader), outsider: moved(outsider) };
    return new Place(this.bench, at(this.repo), people);
  }
}

/** Ten secrets in a repository. What a tool does not offer, its class leaves out. */
export abstract class Keeping {
  readonly place: Place;
  readonly #arguments: string[] = [];
  readonly #inputs: string[] = [];

  constructor(place: Place) {
    this.place = place;
  }

  /** How commands were given a text. */
  wayOf(text: string): string {
    if (this.#arguments.some((argument) => argument.includes(text))) return "as an argument";
    return this.#inputs.some((input) => input.includes(text)) ? "on standard input" : "in a file";
  }

  /** Lays the secrets down and commits them. What it has to know of them later it keeps in the homes. */
  abstract lay(): Promise<void>;
  /** What `who` is given; undefined where they are refused. */
  abstract read(variable: string, who: Who): Promise<string | undefined>;
  /** As the owner, from standard input where the tool takes that. */
  abstract set(variable: string, value: string): Said;
  /** What it took to add the reader; undefined where a reader has no key of their own. */
  added: readonly Step[] | undefined;
  /** Takes the reader out: a step for each command and file. */
  removeReader?(): Step[];
  /** What is still to be rotated. */
  worklist?(): string;
  /** Who has read a secret, as far as the tool knows. */
  record?(variable: string): string;
  /** Whatever an outsider can do so that two names have each other's values. */
  abstract swap(one: string, other: string): void;
  /** Whatever an outsider can do to give a name a value of theirs. */
  abstract forge(variable: string, value: string): Promise<void>;
  /** Whatever an outsider can write into the repository so that they become a reader. */
  intrude?(): Promise<void>;
  /** Ways of the owner's to write a value where an outsider may have intruded, by what they are called. */
  ways(): Readonly<Record<string, (variable: string, value: string) => Said>> {
    return { "": (variable, value) => this.set(variable, value) };
  }
  /** Has git run the tool's own look at a commit. */
  guard?(): void;
  /** Undefined where it is not installed. */
  server?(): Server | undefined;

  abstract env(who: Who): Readonly<Record<string, string>>;

  say(who: Who, command: readonly string[], input = ""): Said {
    const [file = "", ...args] = command;
    this.#arguments.push(...args);
    this.#inputs.push(input);
    const { status, stdout, stderr } = spawnSync(file, args, {
      cwd: this.place.repo,
      env: this.env(who),
      input,
      encoding: "utf8",
    });
    return { status: status ?? -1, stdout, text: `${stdout}${stderr}` };
  }

  must(who: Who, command: readonly string[], input = ""): Said {
    const said = this.say(who, command, input);
    if (said.status !== 0) throw new Error(`${command.join(" ")} ended with ${said.status}: ${said.text}`);
    return said;
  }

  /** The output of a command that gives a value. */
  value(who: Who, command: readonly string[]): string | undefined {
    const { status, stdout } = this.say(who, command);
    return status === 0 ? stdout.replace(/\n$/, "") : undefined;
  }

  step(who: Who, words: string, command: readonly string[]): Step {
    return { words: `\`${words}\``, said: this.must(who, command) };
  }

  git(...words: readonly string[]): Said {
    return this.must("owner", ["git", ...words]);
  }

  commit(): void {
    this.git("add", "--all");
    this.git("commit", "--quiet", "--allow-empty", "--no-verify", "--message", "change");
  }

  text(file: string): string {
    return readFileSync(join(this.place.repo, file), "utf8");
  }

  write(file: string, content: string): void {
    writeFileSync(join(this.place.repo, file), content);
  }

  /** Edits a file by hand. */
  edit(file: string, change: (text: string) => string): Step {
    this.write(file, change(this.text(file)));
    return { words: `edit \`${file}\`` };
  }

  /** Has two files each other's names. */
  exchange(one: string, other: string): void {
    const [first, second] = [join(this.place.repo, one), join(this.place.repo, other)];
    renameSync(first, `${first}.moved`);
    renameSync(second, first);
    renameSync(`${first}.moved`, second);
  }

  /** @param program whose folder is to be in the PATH, for hooks. */
  protected envWith(who: Who, program?: string): Record<string, string> {
    const { env, path } = this.place.bench;
    const folders = program === undefined ? path : `${dirname(program)}${delimiter}${path}`;
    return { ...env, PATH: folders, HOME: this.homeOf(who) };
  }

  protected homeOf(who: Who): string {
    return this.place.people[who].home;
  }
}

/** All files of a repository and of the homes beside it that hold a text, but git's own. */
export function filesWith(place: Place, text: string): string[] {
  const folders = [place.repo, ...Object.values(place.people).map(({ home }) => home)];
  const entries = folders.flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }));
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes("/.git/"));
  return files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));
}
