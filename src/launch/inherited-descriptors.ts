import {
  closeSync,
  fstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { sleep } from "../vault/time.ts";
import { systemCode, VaultError } from "../vault-error.ts";

// Descriptors besides the standard three that whoever started us handed on. The program is to have them as if it had been
// started itself, but node marks those it finds to be closed when another program is started, and has some of its own
// among them. Whose a descriptor is shows from what it leads to and from the order in which node opens its own.

export interface InheritedDescriptor {
  readonly fd: number;
  /** Whether node marked it to be closed when a program is started. */
  readonly isMarked: boolean;
}

/** One that was found, and not only named. */
export interface FoundDescriptor extends InheritedDescriptor {
  readonly isSocket: boolean;
}

interface Descriptor extends FoundDescriptor {
  /** What it leads to, as /proc/self/fd says. */
  readonly target: string;
}

const FIRST = 3;
/** Node marks what it finds in one go, and these whatever it finds. One of them that is not is handed on all the same. */
const CERTAINLY_MARKED = 16;
const O_CLOEXEC = 0o2000000;

type Environment = Readonly<Record<string, string | undefined>>;

const POLL_MS = 2;
const MAX_POLLS = 1000;

/** To be called first: what vault-run opens later would be taken for the caller's. */
export function inheritedDescriptors(env: Environment): FoundDescriptor[] {
  const open = openDescriptors();
  const background = findBackgroundFile(env);
  // Of its own node opens this one first, and each descriptor gets the lowest number that is free.
  const first = open.find(({ target }) => target === "anon_inode:[eventpoll]")?.fd ?? 0;
  const isOwn = ({ fd, target, isMarked }: Descriptor) =>
    target === background ||
    (isMarked &&
      fd >= first &&
      (target.startsWith("anon_inode:") ||
        target === "/dev/null" ||
        // Both ends of a pipe.
        (target.startsWith("pipe:") && open.filter((other) => other.target === target).length > 1)));
  return open
    .filter((descriptor) => !isOwn(descriptor))
    .map(({ fd, isMarked, isSocket }) => ({ fd, isMarked, isSocket }));
}

/** How many descriptors are open: more than before, and node has opened something on its own. */
export function countDescriptors(): number {
  return listDescriptors().length;
}

/** Resolves once node has closed the file that it reads in the background: a child that starts earlier would have it. */
export async function backgroundFileClosed(env: Environment): Promise<void> {
  const background = findBackgroundFile(env);
  if (background === undefined) return;
  const isOpen = () => openDescriptors().some(({ target }) => target === background);
  for (let polls = 0; polls < MAX_POLLS && isOpen(); polls++) await sleep(POLL_MS);
}

/** Node reads these certificates in a thread of its own, through a descriptor that it does not mark to be closed. */
function findBackgroundFile({ NODE_EXTRA_CA_CERTS: path = "" }: Environment): string | undefined {
  try {
    return path === "" ? undefined : realpathSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

function openDescriptors(): Descriptor[] {
  return listDescriptors()
    .filter((fd) => fd >= FIRST)
    .sort((a, b) => a - b)
    .flatMap((fd) => {
      try {
        const target = readlinkSync(`/proc/self/fd/${fd}`);
        const isSocket = target.startsWith("socket:");
        if (fd < CERTAINLY_MARKED) return [{ fd, target, isSocket, isMarked: true }];
        const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
        return [{ fd, target, isSocket, isMarked: (Number.parseInt(flags ?? "0", 8) & O_CLOEXEC) !== 0 }];
      } catch {
        // It listed the folder, and is closed by now.
        return [];
      }
    });
}

function listDescriptors(): number[] {
  try {
    return readdirSync("/proc/self/fd").map(Number);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    // Without /proc nobody can say.
    return [];
  }
}

/**
 * Closes what leads to a key file that came as a descriptor (`--key-file /dev/fd/20`): the program must not have it.
 *
 * @returns those that are left.
 * @throws {VaultError} where the key is one of the standard streams, which the child is to have.
 */
export function withoutKey(
  inherited: readonly InheritedDescriptor[],
  keyFile: string,
): readonly InheritedDescriptor[] {
  // A key that came as a variable's text has no file.
  const key = keyFile.startsWith("/") ? findStats(() => statSync(keyFile)) : undefined;
  if (key === undefined) return inherited;
  const leadsToKey = (fd: number) => {
    const open = findStats(() => fstatSync(fd));
    return open?.ino === key.ino && open.dev === key.dev;
  };
  for (const fd of [0, 1, 2]) {
    if (!leadsToKey(fd)) continue;
    throw new VaultError(
      "key-file",
      `the key comes through descriptor ${fd}, which the program would inherit: ${keyFile}`,
      "name the file itself with --key-file, or put its text into VAULT_RUN_KEY",
    );
  }
  const leading = inherited.filter(({ fd }) => leadsToKey(fd));
  for (const { fd } of leading) closeSync(fd);
  return inherited.filter((descriptor) => !leading.includes(descriptor));
}

/** Undefined where there is none: a key that is no file, a descriptor that is closed. */
function findStats(stat: () => Stats): Stats | undefined {
  try {
    return stat();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
