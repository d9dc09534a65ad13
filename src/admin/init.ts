import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { generateIdentity, recipientOf } from "../age/generate.ts";
import type { Suite } from "../age/identity.ts";
import { SigningKey, type VerifyKey } from "../age/signing-key.ts";
import { AuditLog } from "../audit/log.ts";
import { findHeadCommit } from "../git/head.ts";
import { digest } from "../vault/fingerprint.ts";
import { createKeyFile, formatKeyFile } from "../vault/key-file.ts";
import { ownerKeyPath } from "../vault/key-lookup.ts";
import { type Machine, stateFolder } from "../vault/machine.ts";
import { GROUP_NAME, printable, type VaultId } from "../vault/names.ts";
import { VAULT_PATH } from "../vault/paths.ts";
import { Pins } from "../vault/pins.ts";
import { encodeRecord, signRecord } from "../vault/record.ts";
import { FORMAT, type VaultRecord } from "../vault/schema.ts";
import { timestamp } from "../vault/time.ts";
import { VaultError } from "../vault-error.ts";
import { applyPlan } from "./apply.ts";
import { type Narrator, type OperateOptions, withTarget } from "./operate.ts";
import type { Plan } from "./plan.ts";

export interface InitOptions extends OperateOptions {
  readonly suite: Suite;
  readonly ownerName: string;
  readonly audit: "required" | "best-effort";
}

export interface Initialised {
  readonly vault: VaultId;
  readonly verifyKey: VerifyKey;
  /** Where the owner's key was written. */
  readonly keyPath: string;
  readonly commit: string | undefined;
}

/** Makes a vault and its owner's key. The key file is there before the vault is, and gone again if the vault fails. */
export async function initVault(
  machine: Machine,
  options: InitOptions,
  narrator: Narrator,
): Promise<Initialised> {
  if (!GROUP_NAME.test(options.ownerName)) {
    throw new VaultError(
      "bad-name",
      `not an owner's name: ${printable(options.ownerName)}`,
      "use 1 to 64 of a-z 0-9 . _ - beginning with a letter or digit",
    );
  }
  return withTarget(machine, options, narrator, async (target) => {
    if (existsSync(join(options.root, VAULT_PATH))) {
      throw new VaultError(
        "exists",
        `there is a vault already: ${options.root}`,
        "use it, or make the new one in another folder with --vault",
      );
    }
    const vault = randomBytes(16).toString("hex") as VaultId;
    const identity = await generateIdentity(options.suite);
    const signingKey = SigningKey.derive(identity);
    const createdAt = timestamp(machine.now());
    const unsigned: Omit<VaultRecord, "signatures"> = {
      type: "vault",
      vault,
      serial: machine.now(),
      format: FORMAT,
      suite: options.suite,
      owners: [
        { name: options.ownerName, recipient: await recipientOf(identity), verifyKey: signingKey.verifyKey },
      ],
      policy: { audit: options.audit },
      succession: [],
      createdAt,
    };
    const record: VaultRecord = signRecord(unsigned, signingKey);
    const keyPath =
      options.ownerKeyFile === undefined
        ? ownerKeyPath(machine, vault)
        : resolve(machine.cwd, options.ownerKeyFile);
    createKeyFile(keyPath, formatKeyFile(identity, { vault, owners: [signingKey.verifyKey], createdAt }));
    const plan: Plan = {
      action: "init",
      writes: [{ path: VAULT_PATH, record }],
      message: "vault-run: make a vault",
    };
    let commit: string | undefined;
    try {
      commit = await applyPlan(plan, target, options.commit);
    } catch (error) {
      // A key that opens nothing would only be mistaken for one that does.
      rmSync(keyPath, { force: true });
      throw error;
    }
    const pin = { serial: record.serial, digest: digest(encodeRecord(record)) };
    const self = { pid: machine.pid, host: machine.host, doing: options.doing };
    try {
      await new Pins(stateFolder(machine, vault)).save(
        new Map([[VAULT_PATH, pin]]),
        [signingKey.verifyKey],
        self,
      );
      new AuditLog(machine, vault, findHeadCommit(options.root)).append({ action: "init" }, signingKey);
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      narrator.note(`the vault is made, but ${error.message}`);
    }
    return { vault, verifyKey: signingKey.verifyKey, keyPath, commit };
  });
}
