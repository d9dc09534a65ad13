import { closeSync, constants, openSync } from "node:fs";
import { constants as os } from "node:os";
import { systemCode, VaultError } from "../vault-error.ts";

// The few calls of the C library that node lacks. The package that makes them is optional, and loaded only here, where a
// launch needs one of them (docs/DEPENDENCIES.md says which does): the plain launch through pipes needs none.

// asm-generic/ioctls.h. Other processors, ppc64 among those that node runs on, number them otherwise.
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;
const WINDOW_SIZE_BYTES = 8;
const TCSANOW = 0;
// More than any C library's struct termios takes; what is in it is the library's affair.
const MODES_BYTES = 128;
const O_CLOEXEC = 0o2000000;
const MFD_CLOEXEC = 1;
const F_SETFD = 2;
const PR_SET_DUMPABLE = 4;
const P_ALL = 0;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
const SIGINFO_BYTES = 128;
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = O_CLOEXEC;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** sockaddr_un: the family, then the path and a NUL. */
const ADDRESS_BYTES = 110;
// Where si_pid stands in siginfo_t: behind three integers, at the next multiple of a pointer's size.
const SI_PID_OFFSET = process.arch === "ia32" || process.arch === "arm" ? 12 : 16;

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
  pipe2(ends: number[], flags: number): number;
  memfd_create(name: string, flags: number): number;
  fcntl(fd: number, command: number, type: "int", argument: number): number;
  prctl(option: number, type: "unsigned long", argument: number): number;
  waitid(which: number, id: number, info: Buffer, options: number): number;
  waitpid(pid: number, status: null, options: number): number;
  socket(domain: number, type: number, protocol: number): number;
  sendto(fd: number, bytes: Buffer, length: number, flags: number, address: Buffer, size: number): number;
}

/** Both ends of a pipe(2), ours: neither reaches a child that is not given it. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
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
    if (process.platform !== "linux") return "this is not Linux";
    try {
      const { default: koffi } = await import("koffi");
      const library = koffi.load(null);
      const calls = Object.fromEntries(
        PROTOTYPES.map(([name, prototype]) => [name, library.func(prototype)]),
      );
      return new Libc(calls as unknown as Calls, () => koffi.errno());
    } catch (error) {
      const code = systemCode(error);
      // As it is imported from source, and as the built program requires it.
      if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND")
        return "the optional package koffi is not installed";
      return `the optional package koffi does not work here (${code ?? (error instanceof Error ? error.name : "error")})`;
    }
  }

  /** @throws {VaultError} `disk`: there are no descriptors left. */
  openPipe(): Pipe {
    const ends = [-1, -1];
    if (this.#calls.pipe2(ends, O_CLOEXEC) === -1) {
      throw new VaultError(
        "disk",
        `no pipe can be made (${this.#errorName()})`,
        "raise the limit of open files, or of what pipes may hold (/proc/sys/fs/pipe-user-pages-soft)",
      );
    }
    const [read = -1, write = -1] = ends;
    return { read, write };
  }

  /** A file in memory that has no name and is open for writing; the code of the error where there can be none. */
  openMemoryFile(): number | string {
    const fd = this.#calls.memfd_create("vault-run", MFD_CLOEXEC);
    return fd === -1 ? this.#errorName() : fd;
  }

  /** Lets the descriptors outlive an execve(2) of ours. @returns why not; undefined where they do. */
  keepOpen(descriptors: readonly number[]): string | undefined {
    const unkept = descriptors.find((fd) => this.#calls.fcntl(fd, F_SETFD, "int", 0) === -1);
    return unkept === undefined ? undefined : `${unkept} cannot be kept open (${this.#errorName()})`;
  }

  /** No core dumps of this process, and no look into its memory from others of the same user. Ends with execve(2). */
  hideMemory(): void {
    this.#calls.prctl(PR_SET_DUMPABLE, "unsigned long", 0);
  }

  /** Ends `hideMemory`. */
  showMemory(): void {
    this.#calls.prctl(PR_SET_DUMPABLE, "unsigned long", 1);
  }

  /** A child of ours that has ended and has not been waited for, which it still is afterwards. */
  findZombie(): number | undefined {
    const info = Buffer.alloc(SIGINFO_BYTES);
    if (this.#calls.waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT) === -1) return undefined;
    const pid = info.readInt32LE(SI_PID_OFFSET);
    return pid === 0 ? undefined : pid;
  }

  /** Waits for a child of ours that has ended, whoever started it. */
  reap(pid: number): void {
    this.#calls.waitpid(pid, null, WNOHANG);
  }

  /** @throws {VaultError} `no-terminal` */
  openPseudoTerminal(): PseudoTerminal {
    if (process.arch === "ppc64") throw noneMade("their calls are others on ppc64");
    const { O_RDWR, O_NOCTTY, O_NONBLOCK } = constants;
    const ours = this.#calls.posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (ours === -1) throw noneMade(this.#errorName());
    try {
      const isReady = this.#calls.grantpt(ours) === 0 && this.#calls.unlockpt(ours) === 0;
      const path = isReady ? this.#calls.ptsname(ours) : null;
      if (path === null) throw noneMade(this.#errorName());
      return { ours, theirs: openSync(path, O_RDWR | O_NOCTTY), path };
    } catch (error) {
      closeSync(ours);
      throw error instanceof VaultError ? error : noneMade(systemCode(error) ?? "error");
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

  /**
   * Sends one datagram to the socket at `path`.
   *
   * @throws a system call's error: `EAGAIN` where its queue is full.
   */
  sendDatagram(path: string, bytes: Buffer): void {
    const address = Buffer.alloc(ADDRESS_BYTES);
    new Uint16Array(address.buffer, address.byteOffset, 1).set([AF_UNIX]);
    address.write(path, 2);
    const fd = this.#calls.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd === -1) throw this.#error("socket");
    try {
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      // A datagram is taken whole or not at all.
      if (this.#calls.sendto(fd, bytes, bytes.length, flags, address, address.length) === -1)
        throw this.#error("sendto");
    } finally {
      closeSync(fd);
    }
  }

  #error(call: string): Error {
    return Object.assign(new Error(call), { code: this.#errorName() });
  }

  #errorName(): string {
    const errno = this.#errno();
    return Object.entries(os.errno).find(([, number]) => number === errno)?.[0] ?? `error ${errno}`;
  }
}

/** @param why as `load` says it. */
export function noPipe(why: string): VaultError {
  return new VaultError(
    "no-pipe",
    `no pipe can be made: ${why}`,
    "reinstall vault-run with its optional packages, or deliver the secret with --file",
  );
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
  ["pipe2", "int pipe2(_Out_ int *ends, int flags)"],
  ["memfd_create", "int memfd_create(const char *name, unsigned int flags)"],
  ["fcntl", "int fcntl(int fd, int command, ...)"],
  ["prctl", "int prctl(int option, ...)"],
  ["waitid", "int waitid(int which, int id, _Out_ void *info, int options)"],
  ["waitpid", "int waitpid(int pid, void *status, int options)"],
  ["socket", "int socket(int domain, int type, int protocol)"],
  [
    "sendto",
    "long sendto(int fd, const void *bytes, size_t length, int flags, const void *address, unsigned int size)",
  ],
];
