import { basename } from "node:path";
import { lintSource } from "@secretlint/core";
import { secretLintProfiler } from "@secretlint/profiler";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import { Scanner } from "../../src/scan/scanner.ts";
import type { Sample } from "./samples.ts";

export type FindsIn = (sample: Sample) => Promise<boolean>;

secretLintProfiler.setEnabled(false);
const preset = [{ id: creator.meta.id, rule: creator, options: [] as never }];
const scanner = new Scanner(undefined, new Map());

/** Whether anything is found in a sample: by `scan` without a vault, and by secretlint's preset as it is. */
export const CONTENDERS: Readonly<Record<string, FindsIn>> = {
  "vault-run scan": async ({ file, text }) =>
    (await scanner.scan({ file, chunks: [Buffer.from(text)] })).length > 0,
  "secretlint's preset": async ({ file, text }) => {
    const source = {
      content: text,
      filePath: `/dev/null/${basename(file)}`,
      ext: /\.\w+$/.exec(file)?.[0] ?? "",
      contentType: "text" as const,
    };
    const { messages } = await lintSource({
      source,
      options: { noPhysicFilePath: true, config: { rules: preset } },
    });
    return messages.length > 0;
  },
};
