import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execaSync } from "execa";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import { Identity, type Recipient } from "../../src/age/identity.ts";
import { open } from "../../src/age/open.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { parseKeyFile } from "../../src/vault/key-file.ts";
import { signedBytes } from "../../src/vault/record.ts";
import { git } from "../fixtures/vault.ts";
import { sealed, spelled } from "../vectors/forge.ts";

// What someone can make who may push to the repository and has no owner's key: a clone of their own, an identity of their
// own, records that nobody checked, commits and pushes. And what they could open of all that the repository ever held.

type Fields = Record<string, unknown>;

export class Attacker {
  readonly clone: string;
  readonly identity: Identity;
  readonly recipient: Recipient;
  readonly key: SigningKey;

  private constructor(clone: string, identity: Identity, recipient: Recipient) {
    this.clone = clone;
    this.identity = identity;
    this.recipient = recipient;
    this.key = SigningKey.derive(identity);
  }

  /** @param folder where the clone is to be. */
  static async arrive(remote: string, folder: string): Promise<Attacker> {
    git(dirname(folder), "clone", "--quiet", remote, folder);
    git(folder, "config", "user.name", "Mallory");
    git(folder, "config", "user.email", "mallory@example.org");
    const identity = await generateIdentity("classic");
    return new Attacker(folder, identity, await recipientOf(identity));
  }

  read(path: string): Fields {
    return JSON.parse(this.text(path));
  }

  text(path: string): string {
    return readFileSync(this.#at(path), "utf8");
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.#at(path)), { recursive: true });
    writeFileSync(this.#at(path), text);
  }

  remove(path: string): void {
    rmSync(this.#at(path), { recursive: true });
  }

  /** Changes a record and leaves the signature that it has. */
  edit(path: string, changes: Fields): void {
    this.write(path, spelled({ ...this.read(path), ...changes }));
  }

  /** Changes a record and signs it with a key of their own. */
  sign(path: string, record: Fields): void {
    this.write(path, signedBy(this.key, record));
  }

  /** An age file of a payload that anyone can seal to a recipient, in base64. */
  seal(payload: Fields, recipient: unknown): Promise<string> {
    return sealed(payload, recipient);
  }

  /** Lays out the vault as it was at a commit. */
  putBack(commit: string, ...paths: string[]): void {
    for (const path of paths.length === 0 ? [""] : paths) {
      rmSync(this.#at(path), { recursive: true, force: true });
      git(this.clone, "checkout", "--quiet", commit, "--", join(".vault", path));
    }
  }

  pull(): void {
    git(this.clone, "pull", "--quiet", "--ff-only");
  }

  commit(): void {
    git(this.clone, "add", "--all", "--force");
    git(this.clone, "commit", "--quiet", "--message", "looks harmless");
  }

  /** @returns a commit on top of theirs, whose tree has an entry of any name. */
  plantTree(name: string, content: string): string {
    const write = (type: string, input: string | Uint8Array) =>
      execaSync("git", ["hash-object", "-t", type, "-w", "--literally", "--stdin"], {
        cwd: this.clone,
        input: input as string,
      }).stdout;
    const blob = write("blob", content);
    const entry = Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, "hex")]);
    const before = execaSync("git", ["cat-file", "tree", "HEAD^{tree}"], {
      cwd: this.clone,
      encoding: "buffer",
    }).stdout;
    // Git sorts the entries of a tree, and there is one already.
    const entries = name < ".vault" ? [entry, Buffer.from(before)] : [Buffer.from(before), entry];
    const tree = write("tree", Buffer.concat(entries));
    const commit = git(this.clone, "commit-tree", tree, "-p", "HEAD", "-m", "looks harmless");
    git(this.clone, "push", "--quiet", "--force", "origin", `${commit}:refs/heads/planted`);
    return commit;
  }

  push(): void {
    this.commit();
    git(this.clone, "push", "--quiet", "origin", "HEAD:main");
  }

  #at(path: string): string {
    return join(this.clone, ".vault", path);
  }
}

/** With the key of whoever, an owner's that was stolen among them. */
export function signedBy(key: SigningKey, record: Fields): string {
  const { signatures: _, ...unsigned } = record;
  const sig = key.sign(signedBytes(unsigned as never));
  return spelled({ ...record, signatures: [{ key: key.verifyKey, alg: "ed25519", sig }] });
}

export function keyOf(keyFile: string): { identity: Identity; key: SigningKey } {
  const { identity } = parseKeyFile(readFileSync(keyFile, "utf8"), keyFile);
  return { identity, key: SigningKey.derive(identity) };
}

/**
 * The values that whoever has the identity opens of everything in a repository, in whatever commit, one thing out of the
 * other: what an attacker can have without any program of ours.
 */
export async function reach(repository: string, identity: Identity): Promise<Set<string>> {
  const waiting = [identity];
  const known = new Set([identity.reveal()]);
  const values = new Set<string>();
  const files = sealedIn(repository);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const file of files) {
      const payload = await openPayload(file, next);
      if (typeof payload?.value === "string") values.add(payload.value);
      const found = identityIn(payload);
      if (found === undefined || known.has(found.reveal())) continue;
      known.add(found.reveal());
      waiting.push(found);
    }
  }
  return values;
}

async function openPayload(file: Buffer, identity: Identity): Promise<Fields | undefined> {
  try {
    return JSON.parse((await open(file, identity))?.toString() ?? "null") ?? undefined;
  } catch {
    // What an attacker made may be anything.
    return undefined;
  }
}

/** The identity in a payload of a grant, a group or an escrow. */
function identityIn(payload: Fields | undefined): Identity | undefined {
  const text = `${payload?.identity ?? ""}\n${payload?.keyFile ?? ""}`;
  return Identity.parse(/^AGE-SECRET-KEY-\S+$/m.exec(text)?.[0] ?? "");
}

/** Every age file in any object of a repository. */
function sealedIn(repository: string): Buffer[] {
  const options = { cwd: repository, encoding: "buffer" } as const;
  const { stdout } = execaSync("git", ["cat-file", "--batch-all-objects", "--batch"], options);
  const text = Buffer.from(stdout).toString("latin1");
  const found = new Set([...text.matchAll(/"(?:sealed|escrow)": "([A-Za-z0-9+/=]+)"/g)].map(([, it]) => it));
  return [...found].map((base64) => Buffer.from(base64 ?? "", "base64"));
}
