import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { systemCode } from "../vault-error.ts";
import { type Child, spawnFailure } from "./child.ts";

const DEFAULT_PATH = "/bin:/usr/bin";
const HEAD_BYTES = 4096;
/** The kernel follows no more interpreters of interpreters. */
const MAX_INTERPRETERS = 4;

// elf(5)
const ELF_MAGIC = "\x7fELF";
const ELF_CLASS_OFFSET = 4;
const ELF_MACHINE_OFFSET = 18;
const PT_INTERP = 3;
const HEADER_BYTES = 64;

/**
 * Finds the file that execvp(3) would execute: for when something else starts it, whose own words would be another's.
 *
 * @throws {SpawnFailure} where there is no such program, or none that can be executed.
 */
export function findExecutable({ command: [file], cwd, env }: Child): string {
  const folders = file.includes("/") ? [""] : (env.PATH ?? DEFAULT_PATH).split(delimiter);
  let code = "ENOENT";
  for (const folder of folders) {
    const path = resolve(cwd, join(folder, file));
    const found = refusalOf(path);
    if (found === undefined) return path;
    // Like execvp: one that may not be executed is passed over for a later one, and else is the answer.
    if (found === "EACCES") code = found;
  }
  throw spawnFailure(code, file);
}

/** The code with which the file cannot be executed, undefined where it can. */
function refusalOf(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? undefined : "EACCES";
  } catch (error) {
    return systemCode(error) === "EACCES" ? "EACCES" : "ENOENT";
  }
}

/**
 * Whether execve(2) is certain to take the file: a program for this machine, or a script, whose interpreter is there.
 * What is neither (a script without a first line that says who reads it, a foreign program that the system knows how to
 * run) may be executed as well.
 */
export function isCertainToExecute(path: string): boolean {
  return isLoadable(path, MAX_INTERPRETERS);
}

function isElf(head: Buffer): boolean {
  return head.subarray(0, ELF_MAGIC.length).equals(Buffer.from(ELF_MAGIC, "latin1"));
}

function isScript(head: Buffer): boolean {
  return head.subarray(0, 2).equals(Buffer.from("#!", "latin1"));
}

function isLoadable(path: string, depth: number): boolean {
  const head = depth === 0 || refusalOf(path) !== undefined ? undefined : findHead(path);
  if (head === undefined) return false;
  if (isElf(head)) return isForThisMachine(head) && isLoaderThere(head);
  if (!isScript(head)) return false;
  const interpreter = /^#![ \t]*([^ \t\n\0]+)/.exec(head.toString("latin1"))?.[1];
  return interpreter?.startsWith("/") === true && isLoadable(interpreter, depth - 1);
}

/** The same processor and word size as node's own. */
function isForThisMachine(head: Buffer): boolean {
  const own = findHead(process.execPath);
  return (
    own !== undefined &&
    head.length >= HEADER_BYTES &&
    head[ELF_CLASS_OFFSET] === own[ELF_CLASS_OFFSET] &&
    head.readUInt16LE(ELF_MACHINE_OFFSET) === own.readUInt16LE(ELF_MACHINE_OFFSET)
  );
}

/** Whether what loads the program is there, which one that is linked statically does not need. */
function isLoaderThere(head: Buffer): boolean {
  const is64 = head[ELF_CLASS_OFFSET] === 2;
  const table = is64 ? Number(head.readBigUInt64LE(32)) : head.readUInt32LE(28);
  const entryBytes = head.readUInt16LE(is64 ? 54 : 42);
  const entries = head.readUInt16LE(is64 ? 56 : 44);
  for (let entry = 0; entry < entries; entry++) {
    const at = table + entry * entryBytes;
    if (at + entryBytes > head.length) return false;
    if (head.readUInt32LE(at) !== PT_INTERP) continue;
    const from = is64 ? Number(head.readBigUInt64LE(at + 8)) : head.readUInt32LE(at + 4);
    const bytes = is64 ? Number(head.readBigUInt64LE(at + 32)) : head.readUInt32LE(at + 16);
    return (
      from + bytes <= head.length &&
      refusalOf(head.toString("latin1", from, from + bytes).replace(/\0.*$/s, "")) === undefined
    );
  }
  return true;
}

function findHead(path: string): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(fd, head));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    // It may be executed and not read.
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
