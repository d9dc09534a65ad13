import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import type { AuditReceiver } from "../vault/machine.ts";
import { systemCode, VaultError } from "../vault-error.ts";
import type { FoundDescriptor } from "./inherited-descriptors.ts";
import { Libc } from "./libc.ts";

// Where the lines of the audit log go in place of its file: `--audit-to`. Loaded only where that is asked for. A line is
// taken when the system took all of it; what the reader at the other end makes of it nobody here can see. What cannot take
// it in time has failed, as a disk that is full.

const SYSLOG_SOCKET = "/dev/log";
const JOURNAL_SOCKET = "/run/systemd/journal/socket";
/** RFC 3164: facility 10 (authpriv), severity 5 (notice). */
const PRIORITY = 10 * 8 + 5;
/** What rsyslog takes for one message unless it is told otherwise. Others take less, and all cut off what is beyond. */
const SYSLOG_BYTES = 8192;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LAST_STANDARD = 2;
const O_APPEND = 0o2000;
const LINE_FEED = 0x0a;
const WAIT_MS = 5000;
const POLL_MS = 10;

export interface Receiver extends AuditReceiver {
  /** The descriptor that it writes to, which is not for the program. */
  readonly fd?: number;
}

/**
 * @param where `fd:N`, `syslog` or `journald`.
 * @param inherited what we were handed on besides the standard streams: no other descriptor may be named.
 */
export function auditReceiver(
  where: string,
  pid: number,
  now: () => number,
  inherited: readonly FoundDescriptor[],
): Receiver {
  if (where === "journald") return datagrams("the journal", JOURNAL_SOCKET, journalEntry);
  if (where === "syslog")
    return datagrams("syslog", SYSLOG_SOCKET, (line) => syslogMessage(line, pid, now()));
  const fd = /^fd:([1-9]\d{0,5})$/.exec(where)?.[1];
  if (fd !== undefined) return descriptor(Number(fd), inherited);
  throw new VaultError(
    "usage",
    "--audit-to takes fd:N, syslog or journald",
    "name a descriptor as fd:3; for a file set the folder, with VAULT_RUN_AUDIT_DIR",
  );
}

function descriptor(fd: number, inherited: readonly FoundDescriptor[]): Receiver {
  const name = `descriptor ${fd}`;
  /** Whether something else than a whole line may stand before the next: part of one, or what the program wrote. */
  let isUnended = isOpenEnded(fd);
  return {
    fd,
    async write(line) {
      const why = findFault(fd, inherited);
      if (why !== undefined) {
        const hint = `write it as: vault-run ... --audit-to fd:${fd} ${fd}>>FILE`;
        throw new VaultError("audit", `cannot write the audit record: ${name} ${why}`, hint);
      }
      const bytes = Buffer.from(`${isUnended ? "\n" : ""}${line}\n`);
      let written = 0;
      try {
        patiently(name, "look at what reads it", () => {
          while (written < bytes.length) written += writeSync(fd, bytes, written);
        });
      } finally {
        if (written > 0) isUnended = written < bytes.length || fd <= LAST_STANDARD;
      }
    },
  };
}

/** What is wrong with a descriptor that a line could be written to and be lost. */
function findFault(fd: number, inherited: readonly FoundDescriptor[]): string | undefined {
  const found = inherited.find((candidate) => candidate.fd === fd);
  if (fd > LAST_STANDARD && found === undefined) return "was not handed on by what started vault-run";
  if (found?.isMarked === false) return "cannot be kept from the program, as a lower number can";
  const stat = findStats(fd);
  if (stat?.isFile() === true && !isForAppending(fd)) return "is a file that was not opened for appending";
  // Node puts it in the place of a standard stream that is closed.
  const isNull = stat?.isCharacterDevice() === true && stat.rdev === statSync("/dev/null").rdev;
  return isNull ? "leads to /dev/null, which keeps nothing" : undefined;
}

/** Whether it is a file that ends in part of a line, which a killed writer left. Where that cannot be seen, one may. */
function isOpenEnded(fd: number): boolean {
  const stat = findStats(fd);
  if (stat?.isFile() !== true || stat.size === 0) return false;
  try {
    // The one that we were handed may be for writing alone.
    const reading = openSync(`/proc/self/fd/${fd}`, "r");
    try {
      const last = Buffer.alloc(1);
      readSync(reading, last, 0, 1, stat.size - 1);
      return last[0] !== LINE_FEED;
    } finally {
      closeSync(reading);
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return true;
  }
}

/** Undefined where it is closed, which the first line will show. */
function findStats(fd: number): Stats | undefined {
  try {
    return fstatSync(fd);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Otherwise two that have it open write over each other's lines. True where there is no /proc that could tell. */
function isForAppending(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1];
    return flags === undefined || (Number.parseInt(flags, 8) & O_APPEND) !== 0;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return true;
  }
}

function datagrams(name: string, path: string, format: (line: string) => Buffer): Receiver {
  return {
    async write(line) {
      const libc = await Libc.load();
      if (typeof libc === "string") {
        throw new VaultError(
          "audit",
          `cannot write the audit record to ${name}: ${libc}`,
          "reinstall vault-run with its optional packages, or name another place: --audit-to fd:N",
        );
      }
      const message = format(line);
      patiently(`${name} (${path})`, `look whether ${name} is running here`, () =>
        libc.sendDatagram(path, message),
      );
    },
  };
}

/** https://systemd.io/JOURNAL_NATIVE_PROTOCOL: a field a line. JCS leaves no line feed in ours. */
function journalEntry(line: string): Buffer {
  return Buffer.from(`MESSAGE=${line}\nPRIORITY=5\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=vault-run\n`);
}

/** RFC 3164 as it is sent on one machine: local time, and no host. */
function syslogMessage(line: string, pid: number, nowMs: number): Buffer {
  const at = new Date(nowMs);
  const two = (part: number, fill: string) => `${part}`.padStart(2, fill);
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => two(part, "0")).join(":");
  const head = `<${PRIORITY}>${MONTHS[at.getMonth()]} ${two(at.getDate(), " ")} ${time} vault-run[${pid}]: `;
  const message = Buffer.from(head + line);
  if (message.length <= SYSLOG_BYTES) return message;
  throw new VaultError(
    "audit",
    `the audit record has ${message.length} bytes, and syslog takes ${SYSLOG_BYTES} in one message`,
    "release fewer secrets at once (--group, --only), or name another place: --audit-to journald or fd:N",
  );
}

/** Tries until it is taken, as long as the other end is only busy. Nothing else of this process runs meanwhile. */
function patiently(name: string, hint: string, attempt: () => void): void {
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; ; waited += POLL_MS) {
    try {
      attempt();
      return;
    } catch (error) {
      const code = systemCode(error);
      if (code === undefined) throw error;
      if (code !== "EAGAIN" || waited >= WAIT_MS) {
        const next = code === "ENOSPC" ? "free some space and run the command again" : hint;
        const what = `cannot write the audit record (${code}): ${name}`;
        throw new VaultError("audit", what, next, { cause: error });
      }
    }
    Atomics.wait(asleep, 0, 0, POLL_MS);
  }
}
