import { DamagedAgeFile } from "../age/damaged-age-file.ts";
import type { Identity } from "../age/identity.ts";
import { open } from "../age/open.ts";
import { VaultError } from "../vault-error.ts";
import { formatRef } from "./names.ts";
import { grantPath, groupPath, secretPath } from "./paths.ts";
import {
  decodeIdentity,
  decodeValue,
  grantContext,
  groupContext,
  sealedBytes,
  secretContext,
} from "./payload.ts";
import type { GrantRecord, GroupRecord, SecretRecord } from "./schema.ts";
import { Secret } from "./secret.ts";

/** The group's identity, opened from an agent's grant with that agent's identity. */
export async function openGrant(grant: GrantRecord, agent: Identity): Promise<Identity> {
  const path = grantPath(grant.agent, grant.group);
  return openSealed(path, grant.sealed, agent, (text) => decodeIdentity(path, grantContext(grant), text));
}

/** The group's identity, opened from its own record with an owner's identity. */
export async function openGroup(group: GroupRecord, owner: Identity): Promise<Identity> {
  const path = groupPath(group.name);
  return openSealed(path, group.sealed, owner, (text) => decodeIdentity(path, groupContext(group), text));
}

/** A secret's value, opened with its group's identity. */
export async function openSecret(secret: SecretRecord, group: Identity): Promise<Secret> {
  const path = secretPath(secret.group, secret.name);
  const value = await openSealed(path, secret.sealed, group, (text) =>
    decodeValue(path, secretContext(secret), text),
  );
  return new Secret(formatRef(secret), value);
}

/** What `read` makes of the plaintext, which is overwritten then, also where it is refused. */
export async function openSealed<T>(
  path: string,
  sealed: string,
  identity: Identity,
  read: (plaintext: Buffer) => T,
): Promise<T> {
  let plaintext: Buffer | undefined;
  try {
    plaintext = await open(sealedBytes(sealed), identity);
  } catch (error) {
    if (!(error instanceof DamagedAgeFile)) throw error;
    throw new VaultError(
      "sealed-damaged",
      `the age file in this record is damaged: .vault/${path}`,
      `restore it from a commit that was good: git log -- .vault/${path}`,
      {
        cause: error,
      },
    );
  }
  if (plaintext === undefined) {
    throw new VaultError(
      "not-for-identity",
      `sealed to another identity: .vault/${path}`,
      "the record and the key belong to different times; pull the latest vault, or ask the owner for the current key",
    );
  }
  try {
    return read(plaintext);
  } finally {
    plaintext.fill(0);
  }
}
