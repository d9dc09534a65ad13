import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { SILENT_PEERS } from "./peers.ts";

/** Where programs are that a bench has built to compare with. */
export const TOOLS = resolve(import.meta.dirname, "../.cache/tools");

/** A folder that is home to everything that the bench starts. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), "vault-run-bench-"));
  readonly path = [dirname(process.execPath), process.env.PATH, TOOLS].join(delimiter);
  readonly env = { PATH: this.path, HOME: this.folder, ...SILENT_PEERS };

  run(command: readonly string[], cwd: string, input = ""): Buffer {
    const [file = "", ...args] = command;
    const { status, stdout, stderr, error } = spawnSync(file, args, {
      cwd,
      input,
      env: this.env,
      maxBuffer: 1 << 26,
    });
    if (status !== 0)
      throw new Error(`${command.join(" ")} ended with ${status}: ${error?.message ?? stderr}`);
    return stdout;
  }

  file(name: string, content: Uint8Array | string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  makeFolder(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path);
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
