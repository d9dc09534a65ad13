import type { Change } from "./change.ts";

// An owner's side as programs see it; open-admin.ts does it.

/** Gives an owner's passphrase, where their key has one. */
export type Passphrase = () => string | Uint8Array | Promise<string | Uint8Array>;

export interface OwnerOptions {
  /** The owner's key file; otherwise the places where the verbs look. */
  readonly ownerKeyFile?: string | undefined;
  /** Asked where the owner's key has a passphrase; otherwise VAULT_RUN_OWNER_PASSPHRASE_FILE names a file that holds it. */
  readonly passphrase?: Passphrase | undefined;
  /** What takes the audit log's lines in place of its file, as `--audit-to`; otherwise VAULT_RUN_AUDIT_TO. */
  readonly auditTo?: string | undefined;
  /** Told what is no failure and should be known. Without it node emits a warning (`process.on("warning")`). */
  readonly onWarning?: ((text: string) => void) | undefined;
}

export interface AdminOptions extends OwnerOptions {
  /** The folder that holds `.vault`; otherwise VAULT_RUN_VAULT, or the nearest one upwards from the current folder. */
  readonly vault?: string | undefined;
}

/** A secret whose value somebody who lost access could have read: only a new value at its source mends that. */
export interface Exposed {
  /** `GROUP/NAME`. */
  readonly ref: string;
  readonly valueId: string;
  readonly setAt: string;
}

/** What a change would do, or did. */
export interface Planned {
  /** As in the audit log. */
  readonly action: string;
  /** The commit's message. */
  readonly message: string;
  /** The records that it writes, in `.vault`. Empty where there is nothing to do. */
  readonly paths: readonly string[];
  /** What to rotate: values that somebody could have read who loses access by it. */
  readonly rotate: readonly Exposed[];
}

export interface Applied<Result> extends Planned {
  /** Short id of the commit; null with `commit: false`, and where there was nothing to do. */
  readonly commit: string | null;
  readonly result: Result;
}

export interface ApplyOptions {
  /** False: write the files and leave the commit to whoever has the repo. */
  readonly commit?: boolean | undefined;
  /** Told as records are sealed and written. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** An agent, as `agents --json` prints it. */
export interface ListedAgent {
  readonly name: string;
  /** Its key's fingerprint. */
  readonly key: string;
  readonly recipient: string;
  readonly createdAt: string;
  readonly description: string | null;
  readonly grants: readonly {
    readonly group: string;
    readonly grantedAt: string;
    readonly expiresAt: string | null;
  }[];
}

/** A group, its policy as `policy --json` prints it. */
export interface ListedGroup {
  readonly name: string;
  readonly policy: {
    readonly reveal: boolean;
    /** The beginnings of the commands that may run; null where any may. */
    readonly commands: readonly (readonly string[])[] | null;
    readonly origins: readonly string[];
  };
}

/** A secret, as `list --json` prints it. */
export interface ListedSecret {
  /** `GROUP/NAME`. */
  readonly ref: string;
  readonly group: string;
  readonly name: string;
  /** The variable that it is injected as. */
  readonly variable: string;
  readonly deliver: "env" | "file";
  readonly valueId: string;
  readonly setAt: string;
  readonly expiresAt: string | null;
  readonly description: string | null;
  /** Whether somebody who may not read it today could have read its value. */
  readonly exposed: boolean;
}

/** Who and what is in a vault, each in name order. */
export interface Listing {
  readonly agents: readonly ListedAgent[];
  readonly groups: readonly ListedGroup[];
  readonly secrets: readonly ListedSecret[];
}

/** A vault in an owner's hands. */
export interface Admin {
  /** The vault's id. */
  readonly id: string;
  /** The owner whose key this is. */
  readonly owner: string;
  /**
   * The vault as it is now. Opens no value.
   *
   * @throws {VaultError}
   */
  list(): Promise<Listing>;
  /**
   * What a change would do to the vault as it is now. Nothing is written.
   *
   * @throws {VaultError} where the vault or the change is refused. What `apply` can meet besides is not looked at: a repository
   * that cannot be committed to, a lock that is held, a key file that is there already.
   */
  plan(change: Change<unknown>): Promise<Planned>;
  /**
   * Makes a change: all of it or nothing, in one commit of exactly the vault's files, recorded in the audit log.
   *
   * @throws {VaultError}
   */
  apply<Result>(change: Change<Result>, options?: ApplyOptions): Promise<Applied<Result>>;
}
