import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { VaultErrorCode } from "../../src/vault-error.ts";

// The vectors that every implementation of docs/FORMAT.md answers alike: README.md beside this says what they are.

/** What stands at a path below `.vault`; null for nothing. */
export type Entry =
  | string
  | null
  | { readonly link: string }
  | { readonly base64: string }
  | { readonly repeated: string; readonly times: number };

/** One reading. What is not said is as in the vault: the agent `crawler` with its own key, at the vectors' time. */
export interface Step {
  /** What stands there instead. */
  readonly files?: Readonly<Record<string, Entry>>;
  readonly agent?: string;
  /** Whose key file; by name in `keys`. */
  readonly key?: string;
  /** VAULT_RUN_OWNER. */
  readonly owner?: string;
  readonly now?: string;
  /** One secret, or all that is granted as variables. */
  readonly get?: string;
  readonly env?: true;
  /** What comes of it: the value in base64, the variables, or the error's code. */
  readonly value?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly code?: VaultErrorCode;
}

/** Readings on one machine, one after the other. */
export interface Case {
  readonly name: string;
  /** The attack in the threat model that it performs. */
  readonly threat?: string;
  /** The machine's pins before the first, by their file's name. */
  readonly pins?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

export interface Listed {
  readonly group: string;
  readonly name: string;
  readonly variable: string;
  readonly deliver: "env" | "file";
  readonly valueId: string;
  readonly setAt: string;
  readonly expiresAt: string | null;
  readonly description: string | null;
}

export interface Vectors {
  readonly version: string;
  readonly suite: "pq" | "classic";
  readonly vault: string;
  /** The time of every reading that does not say another. */
  readonly now: string;
  /** Key files, by whose they are. */
  readonly keys: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  /** Every live value, in base64. */
  readonly values: Readonly<Record<string, string>>;
  /** What `crawler` was granted. */
  readonly granted: readonly Listed[];
  /** What pins say once `crawler` has read `stripe/API_KEY`. */
  readonly pinned: Readonly<Record<string, { readonly serial: number; readonly digest: string }>>;
  readonly cases: readonly Case[];
}

export interface Primitives {
  readonly identities: readonly {
    readonly text: string;
    readonly verifyKey: string | null;
    readonly fingerprint: string | null;
  }[];
  readonly recipients: readonly { readonly text: string; readonly valid: boolean }[];
  readonly times: readonly { readonly text: string; readonly valid: boolean }[];
  readonly descriptions: readonly { readonly text: string; readonly valid: boolean }[];
  readonly recordPaths: readonly { readonly text: string; readonly valid: boolean }[];
  readonly refs: readonly { readonly text: string; readonly valid: boolean }[];
  readonly unsafeVariables: readonly { readonly text: string; readonly valid: boolean }[];
  /** Of values, in base64: every spelling that is masked, and the name of its encoding. */
  readonly spellings: readonly {
    readonly value: string;
    readonly spellings: Readonly<Record<string, string>>;
  }[];
  readonly keyFiles: readonly {
    readonly text: string;
    readonly pins: {
      readonly agent: string | null;
      readonly vault: string | null;
      readonly owners: string[];
      readonly formerOwners: string[];
    } | null;
  }[];
}

const folder = import.meta.dirname;

export function readVaults(): Vectors[] {
  const names = readdirSync(folder).filter((name) => /^vault-.*\.json$/.test(name));
  return names.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
}

export function readPrimitives(): Primitives {
  return JSON.parse(readFileSync(join(folder, "primitives.json"), "utf8"));
}

/** Lays the files out below `root`, anew. */
export function layOut(root: string, files: Readonly<Record<string, Entry>>): void {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
  for (const [path, entry] of Object.entries(files)) {
    if (entry === null) continue;
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof entry === "object" && "link" in entry) symlinkSync(entry.link, file);
    else writeFileSync(file, contentOf(entry));
  }
}

function contentOf(entry: Exclude<Entry, null | { link: string }>): string | Buffer {
  if (typeof entry === "string") return entry;
  return "base64" in entry ? Buffer.from(entry.base64, "base64") : entry.repeated.repeat(entry.times);
}
