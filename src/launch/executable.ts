import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { delimiter } from "node:path";
import { systemCode } from "../vault-error.ts";
import { type Child, spawnFailure } from "./child.ts";

/** Where execvp(3) looks without a PATH. */
export const DEFAULT_PATH = "/bin:/usr/bin";
const HEAD_BYTES = 4096;
/** The kernel looks no further for the end of a script's first word (BINPRM_BUF_SIZE, less one). */
const SCRIPT_HEAD_BYTES = 255;
/** The kernel follows no more interpreters of interpreters. */
const MAX_INTERPRETERS = 4;

// elf(5)
const ELF_MAGIC = Buffer.from("\x7fELF", "latin1");
const HEADER_BYTES = 64;
const [CLASS_OFFSET, DATA_OFFSET, TYPE_OFFSET, MACHINE_OFFSET] = [4, 5, 16, 18];
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const [ET_EXEC, ET_DYN] = [2, 3];
const PT_INTERP = 3;

/**
 * What execvp(3) would execute: used where something else starts it, whose error messages would be its own.
 *
 * @returns the path as execvp(3) gives it to execve(2), relative where the command or the PATH is.
 * @throws {SpawnFailure} where there is no such program, or none that can be executed.
 */
export function requireExecutable({ command: [file], cwd, env }: Child): string {
  const folders = file.includes("/") ? [""] : (env.PATH ?? DEFAULT_PATH).split(delimiter);
  let code = "ENOENT";
  for (const folder of folders) {
    // As it is written: what a `..` leads to behind a link, only the system knows.
    const path = folder === "" ? file : `${folder}/${file}`;
    const refusal = refusalOf(path.startsWith("/") ? path : `${cwd}/${path}`);
    if (refusal === undefined) return path;
    // Like execvp: one that may not be executed is passed over for a later one, and else is the answer.
    if (refusal !== "ENOENT") code = refusal;
  }
  throw spawnFailure(code, file);
}

/**
 * Whether the file is of a form that execve(2) takes: a program for this machine, or a script, whose interpreter is
 * there. What is neither (a script without a `#!` line, a foreign program that the system knows how to run) may be
 * executed as well.
 */
export function isExecutableForm(path: string): boolean {
  return isLoadable(path, MAX_INTERPRETERS);
}

function isLoadable(path: string, depth: number): boolean {
  const head = depth === 0 || refusalOf(path) !== undefined ? undefined : findHead(path);
  if (head === undefined) return false;
  if (isElf(head)) return isForThisMachine(head) && isLoaderLoadable(head);
  const interpreter = /^#![ \t]*([^ \t\n\0]+)[ \t\n]/.exec(
    head.toString("latin1", 0, SCRIPT_HEAD_BYTES),
  )?.[1];
  return interpreter?.startsWith("/") === true && isLoadable(interpreter, depth - 1);
}

function isElf(head: Buffer): boolean {
  return head.length >= HEADER_BYTES && head.subarray(0, ELF_MAGIC.length).equals(ELF_MAGIC);
}

let own: Buffer | undefined;

/** A program (no object file) for the same processor and word size as node's own. */
function isForThisMachine(head: Buffer): boolean {
  own ??= findHead(process.execPath);
  const type = head.readUInt16LE(TYPE_OFFSET);
  return (
    own !== undefined &&
    head[DATA_OFFSET] === LITTLE_ENDIAN &&
    head[CLASS_OFFSET] === own[CLASS_OFFSET] &&
    head.readUInt16LE(MACHINE_OFFSET) === own.readUInt16LE(MACHINE_OFFSET) &&
    (type === ET_EXEC || type === ET_DYN)
  );
}

/** Whether what loads the program is a program itself; one that is linked statically needs none. */
function isLoaderLoadable(head: Buffer): boolean {
  const is64 = head[CLASS_OFFSET] === CLASS_64;
  // Elf64_Ehdr, Elf32_Ehdr: e_phoff, e_phentsize, e_phnum.
  const table = is64 ? Number(head.readBigUInt64LE(32)) : head.readUInt32LE(28);
  const entryBytes = head.readUInt16LE(is64 ? 54 : 42);
  const entries = head.readUInt16LE(is64 ? 56 : 44);
  if (entries === 0 || entryBytes !== (is64 ? 56 : 32)) return false;
  for (let entry = 0; entry < entries; entry++) {
    const at = table + entry * entryBytes;
    if (at + entryBytes > head.length) return false;
    if (head.readUInt32LE(at) !== PT_INTERP) continue;
    // Elf64_Phdr, Elf32_Phdr: p_offset, p_filesz.
    const from = is64 ? Number(head.readBigUInt64LE(at + 8)) : head.readUInt32LE(at + 4);
    const bytes = is64 ? Number(head.readBigUInt64LE(at + 32)) : head.readUInt32LE(at + 16);
    if (from + bytes > head.length) return false;
    const loader = findHead(head.toString("latin1", from, from + bytes).replace(/\0.*$/s, ""));
    return loader !== undefined && isElf(loader) && isForThisMachine(loader);
  }
  return true;
}

/** The code with which the file cannot be executed, undefined where it can. */
function refusalOf(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? undefined : "EACCES";
  } catch (error) {
    const code = systemCode(error);
    return code === "EACCES" || code === "ELOOP" ? code : "ENOENT";
  }
}

/** Undefined where it may be executed and not read. */
function findHead(path: string): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(fd, head));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
