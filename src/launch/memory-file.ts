import { closeSync, constants, openSync } from "node:fs";
import { writeWhole } from "../vault/write-file.ts";
import { systemCode, VaultError } from "../vault-error.ts";

// A file that never has a name: O_TMPFILE on the memory file system. The child gets it opened read-only; a path of the
// form /dev/fd/N opens it anew each time, so it can be read again and again. It is gone with its last holder.

const MEMORY_FOLDER = "/dev/shm";
// linux/fcntl.h: O_TMPFILE is this bit with O_DIRECTORY, whose value differs between architectures. Node names neither.
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/** A read-only descriptor of an unnamed in-memory file that holds `bytes`. The caller closes it. */
export function openMemoryFile(bytes: Uint8Array): number {
  let writable: number;
  try {
    writable = openSync(MEMORY_FOLDER, O_TMPFILE | constants.O_RDWR, 0o400);
  } catch (error) {
    throw new VaultError(
      "disk",
      `no unnamed in-memory file can be made (${systemCode(error) ?? "error"}): ${MEMORY_FOLDER}`,
      `mount a tmpfs on ${MEMORY_FOLDER}, or deliver the secret in a variable with --env`,
      { cause: error },
    );
  }
  try {
    writeWhole(writable, bytes);
    return openSync(`/proc/self/fd/${writable}`, constants.O_RDONLY);
  } catch (error) {
    throw new VaultError(
      "disk",
      `the in-memory file could not be filled (${systemCode(error) ?? "error"}): ${MEMORY_FOLDER}`,
      `free some space on ${MEMORY_FOLDER}, or deliver the secret in a variable with --env`,
      {
        cause: error,
      },
    );
  } finally {
    closeSync(writable);
  }
}
