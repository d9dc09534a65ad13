import { closeSync, constants, fchmodSync, openSync, statfsSync } from "node:fs";
import { writeWhole } from "../vault/write-file.ts";
import { systemCode, VaultError } from "../vault-error.ts";

// A file that never has a name: O_TMPFILE on the memory file system, or memfd_create(2) where there is none. The child
// gets it opened read-only; a path of the form /dev/fd/N opens it anew each time, so it can be read again and again. It is
// gone with its last holder.

const MEMORY_FOLDER = "/dev/shm";
// linux/magic.h. Anything else there may be a disk.
const MEMORY_FILE_SYSTEMS: readonly number[] = [0x01021994, 0x858458f6];
// linux/fcntl.h: O_TMPFILE is this bit with O_DIRECTORY, whose value differs between architectures. Node names neither.
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
/** What ssh, psql and their kind ask of a file with a key in it. */
const MODE = 0o400;

/**
 * A read-only descriptor of an unnamed in-memory file that holds `bytes`. The caller closes it.
 *
 * @throws {VaultError} `disk` where the machine has no place for one.
 */
export async function openMemoryFile(bytes: Uint8Array): Promise<number> {
  const inFolder = fill(openInFolder, bytes);
  if (typeof inFolder === "number") return inFolder;
  const { Libc } = await import("./libc.ts");
  const libc = await Libc.load();
  const unnamed = typeof libc === "string" ? libc : fill(() => libc.openMemoryFile(), bytes);
  if (typeof unnamed === "number") return unnamed;
  throw new VaultError(
    "disk",
    `no unnamed in-memory file can be made: ${MEMORY_FOLDER}: ${inFolder}; memfd: ${unnamed}`,
    `mount a tmpfs with some space on ${MEMORY_FOLDER}, or deliver the secret in a variable with --env`,
  );
}

/** A writable file; or why there is none. */
function openInFolder(): number | string {
  if (!MEMORY_FILE_SYSTEMS.includes(statfsSync(MEMORY_FOLDER).type)) return "not a tmpfs";
  return openSync(MEMORY_FOLDER, O_TMPFILE | constants.O_RDWR, MODE);
}

function fill(open: () => number | string, bytes: Uint8Array): number | string {
  let writable: number | string | undefined;
  try {
    writable = open();
    if (typeof writable === "string") return writable;
    writeWhole(writable, bytes);
    fchmodSync(writable, MODE);
    return openSync(`/proc/self/fd/${writable}`, constants.O_RDONLY);
  } catch (error) {
    return systemCode(error) ?? "error";
  } finally {
    if (typeof writable === "number") closeSync(writable);
  }
}
