import type { VerifyKey } from "../age/signing-key.ts";
import { keyFingerprint } from "./fingerprint.ts";
import type { VaultId } from "./names.ts";

// What stands in a key file's place when the key itself is in the system's keychain. Only a key that was put there is looked
// for there, and its name tells it from every other key, so that none can take another's place.

const MARKER = /^# keychain: vault-run ([0-9a-f]{32}\/[0-9a-f]{32})$/m;

/** The name in the keychain under which a key is kept. */
export function keychainAccount(vault: VaultId, key: VerifyKey): string {
  return `${vault}/${keyFingerprint(key)}`;
}

export function formatMarker(account: string): string {
  return [
    "# vault-run owner key: it is in the keychain of this system and not in this file",
    `# keychain: vault-run ${account}`,
    "",
  ].join("\n");
}

/** The name that a marker gives; undefined for a text that is none: one that holds anything but comments. */
export function findMarkedAccount(text: string): string | undefined {
  const isAllComments = text.split(/\r?\n/).every((line) => line === "" || line.startsWith("#"));
  return isAllComments ? MARKER.exec(text.replaceAll("\r\n", "\n"))?.[1] : undefined;
}
