import { isUtf8 } from "node:buffer";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { diskError, VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { readFileUpTo, readStream } from "../input.ts";
import { oneOf } from "../words.ts";
import { findAgentVault, readAgentVault } from "./agent-vault.ts";
import { parseDotenv } from "./dotenv.ts";
import { parseJson } from "./json.ts";
import type { Source } from "./source.ts";

const MAX_SOURCE_BYTES = 16 * 1024 * 1024;
const FORMATS = ["dotenv", "json", "agent-vault"] as const;

export interface ReadSource extends Source {
  /** The file whose values are in plain text; undefined for standard input and for a vault. */
  readonly plainFile?: string;
}

/** What `import FILE` names: a file, standard input for `-`, or the folder of another vault. */
export function readSource(context: CommandContext, file: string): Promise<ReadSource> {
  const option = context.text("format");
  const format =
    option === undefined ? undefined : oneOf("format", FORMATS, option, "vault-run import --help");
  const path = resolve(context.machine.cwd, file);
  const isFolder = file !== "-" && isFolderAt(path);
  if (format === "agent-vault" || (format === undefined && isFolder)) return readFolder(context, path);
  if (context.text("key") !== undefined) throw usage("--key is for a vault of agent-vault", file);
  if (isFolder) throw usage("a folder, and no file of this format", file);
  return readText(context, file, path, format);
}

function readFolder(context: CommandContext, path: string): Promise<ReadSource> {
  const folder = findAgentVault(path);
  if (folder === undefined) throw usage("no vault of agent-vault (it has no manifest.yaml)", path);
  const key = context.text("key");
  if (key === undefined) {
    throw new VaultError(
      "usage",
      `a vault of agent-vault opens with its owner's key, and none is named: ${folder}`,
      "name it: --key ~/.agent-vault/owner.key",
    );
  }
  return readAgentVault(folder, resolve(context.machine.cwd, key), context.text("group"));
}

async function readText(
  context: CommandContext,
  file: string,
  path: string,
  format: "dotenv" | "json" | undefined,
): Promise<ReadSource> {
  const where = file === "-" ? "standard input" : file;
  const bytes = await readBytes(context, file, path);
  if (bytes.length > MAX_SOURCE_BYTES || !isUtf8(bytes)) {
    const what = isUtf8(bytes) ? "larger than 16 MiB" : "no text (it is not UTF-8)";
    throw new VaultError(
      "bad-value",
      `${what}: ${where}`,
      "set such values one by one: vault-run set --from-file",
    );
  }
  // What editors on other systems put first.
  const text = bytes.toString("utf8").replace(/^\ufeff/, "");
  bytes.fill(0);
  const isJson = format === undefined ? text.trimStart().startsWith("{") : format === "json";
  const source = isJson ? parseJson(text, where) : parseDotenv(text, where);
  return file === "-" ? source : { ...source, plainFile: path };
}

function readBytes(context: CommandContext, file: string, path: string): Promise<Buffer> | Buffer {
  if (file !== "-") return readFileUpTo(path, MAX_SOURCE_BYTES + 1);
  const stdin = context.console.input();
  if (stdin.isTTY !== true) return readStream(stdin, MAX_SOURCE_BYTES + 1);
  throw new VaultError(
    "usage",
    "standard input is the terminal, which would show what is typed",
    "pipe the file in, or name it: vault-run import FILE --group GROUP",
  );
}

function isFolderAt(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw diskError(error, "read", path);
  }
}

function usage(what: string, where: string): VaultError {
  return new VaultError("usage", `${what}: ${where}`, "see vault-run import --help");
}
