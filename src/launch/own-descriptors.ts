import { closeSync, fstatSync, readdirSync, type Stats, statSync } from "node:fs";
import { VaultError } from "../vault-error.ts";

// A key file that came to us as a descriptor (`--key-file /dev/fd/20`, `< key`) would go on to the child: node closes only
// some of the descriptors it inherited when it starts one. Every one that leads to the key is closed before that.

/** @throws {VaultError} where the key is our standard input, which the child is to have. */
export function closeDescriptorsOf(keyFile: string): void {
  // A key that came as a variable's text has no file.
  if (!keyFile.startsWith("/")) return;
  const key = statOf(() => statSync(keyFile));
  if (key === undefined) return;
  for (const fd of readdirSync("/proc/self/fd").map(Number)) {
    const open = statOf(() => fstatSync(fd));
    if (open === undefined || open.ino !== key.ino || open.dev !== key.dev) continue;
    if (fd <= 2) {
      throw new VaultError(
        "key-file",
        `the key comes through descriptor ${fd}, which the program would inherit: ${keyFile}`,
        "name the file itself with --key-file, or put its text into VAULT_RUN_KEY",
      );
    }
    closeSync(fd);
  }
}

/** Undefined where there is none: a key that is no file, the descriptor that listed the folder. */
function statOf(stat: () => Stats): Stats | undefined {
  try {
    return stat();
  } catch {
    return undefined;
  }
}
