import { constants, openSync } from "node:fs";
import { arch, platform } from "node:process";
import { getSystemErrorName } from "node:util";
import { systemCode, VaultError } from "../../vault-error.ts";

// The few calls of the C library that a terminal takes and node lacks. The package that makes them is optional, and
// loaded only here: never on a launch without a terminal.

// asm-generic/ioctls.h. Other processors, ppc64 among those that node runs on, number them otherwise.
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;
const WINDOW_SIZE_BYTES = 8;
const TCSANOW = 0;
// More than any C library's struct termios takes; what is in it is the library's affair.
const MODES_BYTES = 128;
const O_CLOEXEC = 0o2000000;

/** A terminal's modes, as tcgetattr(3) gives them. */
export type Modes = Buffer & { readonly __brand: "Modes" };
/** A terminal's rows and columns, as TIOCGWINSZ gives them. */
export type WindowSize = Buffer & { readonly __brand: "WindowSize" };

interface Calls {
  posix_openpt(flags: number): number;
  grantpt(fd: number): number;
  unlockpt(fd: number): number;
  ptsname(fd: number): string | null;
  tcgetattr(fd: number, modes: Buffer): number;
  tcsetattr(fd: number, when: number, modes: Buffer): number;
  cfmakeraw(modes: Buffer): void;
  ioctl(fd: number, request: number, type: "void *", argument: Buffer): number;
}

/** Both ends of a pseudo-terminal. */
export interface PseudoTerminal {
  /** Our descriptor, which does not block. */
  readonly ours: number;
  /** The descriptor that programs get, and the path of what it leads to. */
  readonly theirs: number;
  readonly path: string;
}

export class Libc {
  readonly #calls: Calls;
  readonly #errno: () => number;

  private constructor(calls: Calls, errno: () => number) {
    this.#calls = calls;
    this.#errno = errno;
  }

  /** The library; or why there is none, for a message. */
  static async load(): Promise<Libc | string> {
    if (platform !== "linux" || arch === "ppc64") return "they are made on Linux alone, and not on ppc64";
    try {
      const { default: koffi } = await import("koffi");
      const library = koffi.load(null);
      const calls = Object.fromEntries(
        PROTOTYPES.map(([name, prototype]) => [name, library.func(prototype)]),
      );
      return new Libc(calls as unknown as Calls, () => koffi.errno());
    } catch {
      return "the optional package koffi is not installed";
    }
  }

  /** @throws {VaultError} `no-terminal` */
  openPseudoTerminal(): PseudoTerminal {
    const { O_RDWR, O_NOCTTY, O_NONBLOCK } = constants;
    const ours = this.#calls.posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (ours === -1 || this.#calls.grantpt(ours) === -1 || this.#calls.unlockpt(ours) === -1)
      throw noneMade(getSystemErrorName(-this.#errno()));
    const path = this.#calls.ptsname(ours);
    if (path === null) throw noneMade(getSystemErrorName(-this.#errno()));
    try {
      return { ours, theirs: openSync(path, O_RDWR | O_NOCTTY), path };
    } catch (error) {
      throw noneMade(systemCode(error) ?? "error");
    }
  }

  /** Undefined where the descriptor is no terminal, or one that is gone. */
  modes(fd: number): Modes | undefined {
    const modes = Buffer.alloc(MODES_BYTES) as Modes;
    return this.#calls.tcgetattr(fd, modes) === 0 ? modes : undefined;
  }

  setModes(fd: number, modes: Modes): void {
    this.#calls.tcsetattr(fd, TCSANOW, modes);
  }

  /** The same modes, but that every byte passes as it is, in both directions. */
  raw(modes: Modes): Modes {
    const raw = Buffer.from(modes) as Modes;
    this.#calls.cfmakeraw(raw);
    return raw;
  }

  /** Undefined where the descriptor is no terminal, or one that is gone. */
  windowSize(fd: number): WindowSize | undefined {
    const size = Buffer.alloc(WINDOW_SIZE_BYTES) as WindowSize;
    return this.#calls.ioctl(fd, TIOCGWINSZ, "void *", size) === 0 ? size : undefined;
  }

  /** The kernel tells the programs on the terminal by SIGWINCH, where the size is another than before. */
  setWindowSize(fd: number, size: WindowSize): void {
    this.#calls.ioctl(fd, TIOCSWINSZ, "void *", size);
  }
}

function noneMade(code: string): VaultError {
  return new VaultError(
    "no-terminal",
    `no pseudo-terminal can be made (${code})`,
    "look at /dev/ptmx, /dev/pts and /proc/sys/kernel/pty, or pass --tty pipe",
  );
}

const PROTOTYPES: readonly (readonly [keyof Calls, string])[] = [
  ["posix_openpt", "int posix_openpt(int flags)"],
  ["grantpt", "int grantpt(int fd)"],
  ["unlockpt", "int unlockpt(int fd)"],
  ["ptsname", "const char *ptsname(int fd)"],
  ["tcgetattr", "int tcgetattr(int fd, _Out_ void *modes)"],
  ["tcsetattr", "int tcsetattr(int fd, int when, const void *modes)"],
  ["cfmakeraw", "void cfmakeraw(_Inout_ void *modes)"],
  ["ioctl", "int ioctl(int fd, unsigned long request, ...)"],
];
