import { type ChildProcess, spawn } from "node:child_process";
import type { Libc, Modes, WindowSize } from "../libc.ts";
import { isForeground } from "../signals.ts";

// The terminal that we stand on. While the child has a pseudo-terminal, it is that one which edits lines, echoes and
// makes signals of keys; this one passes every byte on as it is. Only a process in the foreground may say so, and what
// was set is put back however we end: by ourselves, or, where we are killed, by a small shell that waits for it.

/** Not the user's, which may be what a launch says it is: it decides which program runs. */
const STTY_PATH = "/usr/bin:/bin";

export class UserTerminal {
  readonly fd: number;
  readonly #libc: Libc;
  #found: Modes | undefined;
  #guard: ChildProcess | undefined;
  #isRaw = false;

  private constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.fd = fd;
    this.#look();
  }

  /** Undefined where none of the descriptors is a terminal. */
  static find(libc: Libc, descriptors: readonly number[]): UserTerminal | undefined {
    const fd = descriptors.find((candidate) => libc.modes(candidate) !== undefined);
    return fd === undefined ? undefined : new UserTerminal(libc, fd);
  }

  /** Its modes as they were found when it was first ours; undefined before: in the background they are someone else's. */
  get modes(): Modes | undefined {
    return this.#found;
  }

  get size(): WindowSize | undefined {
    return this.#libc.windowSize(this.fd);
  }

  /** Lets every byte pass as it is, if we are in the foreground; says whether we are. */
  enter(): boolean {
    const found = this.#look();
    if (found === undefined || !isForeground()) return false;
    const raw = this.#libc.raw(found);
    this.#guard ??= this.#startGuard(raw, found);
    this.#libc.setModes(this.fd, raw);
    this.#isRaw = true;
    return true;
  }

  /** Puts the modes back. In the background they are someone else's by now. */
  leave(): void {
    if (this.#isRaw && this.#found !== undefined && isForeground()) this.#libc.setModes(this.fd, this.#found);
    this.#isRaw = false;
  }

  /** Puts the modes back for good. */
  end(): void {
    this.leave();
    this.#guard?.stdin?.destroy();
  }

  /** Whether it has been hung up. */
  get isGone(): boolean {
    return this.#libc.modes(this.fd) === undefined;
  }

  #look(): Modes | undefined {
    if (this.#found === undefined && isForeground()) this.#found = this.#libc.modes(this.fd);
    return this.#found;
  }

  /** Starts what puts the modes back if we are killed. */
  #startGuard(raw: Modes, found: Modes): ChildProcess {
    // Its input ends when we do. Where the modes are not ours any more, someone has put them right already.
    const script = `read -r _; [ "$(stty -g <&3)" = ${sttyText(raw)} ] && stty ${sttyText(found)} <&3`;
    const guard = spawn("/bin/sh", ["-c", script], {
      stdio: ["pipe", "ignore", "ignore", this.fd],
      detached: true,
      env: { PATH: STTY_PATH },
    });
    guard.on("error", () => {});
    guard.unref();
    return guard;
  }
}

/** The modes as stty(1) prints and takes them with -g: struct termios of Linux, its numbers in hexadecimal. */
export function sttyText(modes: Modes): string {
  const flags = [0, 4, 8, 12].map((offset) => modes.readUInt32LE(offset));
  const characters = [...modes.subarray(17, 17 + 32)];
  return [...flags, ...characters].map((number) => number.toString(16)).join(":");
}
