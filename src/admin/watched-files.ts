import { digest } from "../vault/fingerprint.ts";
import type { RecordPath } from "../vault/paths.ts";
import { RecordFiles } from "../vault/record-files.ts";
import type { RecordSource } from "../vault/record-source.ts";
import { VaultError } from "../vault-error.ts";

// The work tree's files, with a memory of every answer they gave: what a plan was made from. Git moves them without asking for
// our lock, while a verb seals or waits for an answer; what was planned from the old ones must not be written over the new.

type Answer = string;

export class WatchedFiles implements RecordSource {
  readonly root: string;
  readonly #files: RecordFiles;
  readonly #answers = new Map<string, { readonly answer: Answer; readonly again: AskAgain }>();

  constructor(root: string) {
    this.root = root;
    this.#files = new RecordFiles(root);
  }

  read(path: RecordPath): Buffer | undefined {
    return this.#remember(`read ${path}`, (files) => files.read(path), digestOf);
  }

  has(path: RecordPath): boolean {
    return this.#remember(`has ${path}`, (files) => files.has(path), String);
  }

  list(folder: string): RecordPath[] {
    return this.#remember(`list ${folder}`, (files) => files.list(folder), listed);
  }

  listFolders(folder: "agents" | "groups"): string[] {
    return this.#remember(`folders ${folder}`, (files) => files.listFolders(folder), listed);
  }

  paths(): string[] {
    return this.#remember("paths", (files) => files.paths(), listed);
  }

  /** Whether every answer would be the same now. */
  get areUnchanged(): boolean {
    const files = new RecordFiles(this.root);
    try {
      return [...this.#answers.values()].every(({ answer, again }) => again(files) === answer);
    } catch (error) {
      // What was answered before and is refused now has changed.
      if (error instanceof VaultError) return false;
      throw error;
    }
  }

  #remember<T>(question: string, ask: (files: RecordFiles) => T, answerOf: (value: T) => Answer): T {
    const value = ask(this.#files);
    const answer = answerOf(value);
    // Of two answers the first counts: what was planned may rest on either.
    if (!this.#answers.has(question))
      this.#answers.set(question, { answer, again: (files) => answerOf(ask(files)) });
    return value;
  }
}

type AskAgain = (files: RecordFiles) => Answer;

function digestOf(bytes: Buffer | undefined): Answer {
  return bytes === undefined ? "" : digest(bytes);
}

function listed(names: readonly string[]): Answer {
  return names.join("\0");
}
