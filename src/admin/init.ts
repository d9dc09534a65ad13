import { randomBytes } from "node:crypto";
import { lstatSync } from "node:fs";
import { resolve } from "node:path";
import { generateIdentity, recipientOf } from "../age/generate.ts";
import type { Suite } from "../age/identity.ts";
import { SigningKey, type VerifyKey } from "../age/signing-key.ts";
import { formatKeyFile } from "../vault/key-file.ts";
import { ownerKeyPath } from "../vault/key-lookup.ts";
import type { Machine } from "../vault/machine.ts";
import { parseOwnerName, type VaultId } from "../vault/names.ts";
import { VAULT_PATH } from "../vault/paths.ts";
import { signRecord } from "../vault/record.ts";
import { FORMAT, type VaultRecord } from "../vault/schema.ts";
import { timestamp } from "../vault/time.ts";
import { ownerKeys } from "../vault/vault.ts";
import { diskError, VaultError } from "../vault-error.ts";
import { applyPlan } from "./apply.ts";
import { readBasis } from "./basis.ts";
import { afterwards, type Narrator, type OperateOptions, withTarget } from "./operate.ts";
import type { Plan } from "./plan.ts";

export interface InitOptions extends OperateOptions {
  readonly suite: Suite;
  readonly ownerName: string;
  readonly audit: "required" | "best-effort";
  /** What the owner's key file holds, of its plain text: sealed for one. Asked once nothing else refuses the vault. */
  readonly keyText?: (plain: string) => Promise<string>;
}

export interface Initialised {
  readonly vault: VaultId;
  readonly verifyKey: VerifyKey;
  /** Where the owner's key was written. */
  readonly keyPath: string;
  readonly commit: string | undefined;
}

/** Makes a vault and its owner's key. */
export async function initVault(
  machine: Machine,
  options: InitOptions,
  narrator: Narrator,
): Promise<Initialised> {
  const name = parseOwnerName(options.ownerName);
  return withTarget(machine, options, narrator, async (target, finished) => {
    const basis = await readBasis(target);
    if (isOtherThanFolder(options.root)) {
      throw new VaultError(
        "exists",
        `something is there already that is no folder: ${options.root}`,
        "move it away, or make the vault in another folder with --vault",
      );
    }
    if (basis.watched.has(VAULT_PATH)) {
      throw new VaultError(
        "exists",
        `there is a vault already: ${options.root}`,
        finished?.keyFile === undefined
          ? "use it, or make the new one in another folder with --vault"
          : `use it; its owner's key, which to back up now, is ${finished.keyFile.path}`,
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
      owners: [{ name, recipient: await recipientOf(identity), verifyKey: signingKey.verifyKey }],
      policy: { audit: options.audit },
      succession: [],
      createdAt,
    };
    const record: VaultRecord = signRecord(unsigned, signingKey);
    const owners = ownerKeys(record);
    const plain = formatKeyFile(identity, { vault, owners, createdAt });
    const keyFile = {
      path: keyPath(machine, options, vault),
      text: options.keyText === undefined ? plain : await options.keyText(plain),
    };
    const writes = [{ path: VAULT_PATH, record }];
    const plan: Plan = { event: { action: "init" }, writes, message: "vault-run: make a vault", keyFile };
    const commit = await applyPlan(plan, target, options.commit, basis, (token) =>
      afterwards(machine, vault, plan, token, signingKey, new Map(), owners, options, narrator),
    );
    return { vault, verifyKey: signingKey.verifyKey, keyPath: keyFile.path, commit };
  });
}

function keyPath(machine: Machine, { ownerKeyFile }: InitOptions, vault: VaultId): string {
  return ownerKeyFile === undefined ? ownerKeyPath(machine, vault) : resolve(machine.cwd, ownerKeyFile);
}

function isOtherThanFolder(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch (error) {
    throw diskError(error, "make a vault", path);
  }
}
