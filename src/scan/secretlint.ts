import { basename } from "node:path";
import { lintSource } from "@secretlint/core";
import { secretLintProfiler } from "@secretlint/profiler";
import { rules } from "@secretlint/secretlint-rule-preset-recommend";
import type { Match } from "./match.ts";

// secretlint's recommended rules, all but the one that lets a comment in a file switch the others off: whoever can write
// the file could write the comment. Of a message only the place and the rule's name are taken: its text quotes the secret.

const SWITCH = "@secretlint/secretlint-rule-filter-comments";
const PREFIX = "@secretlint/secretlint-rule-";
/** What stands for a key in documentation. */
const FILLER = /([xX*.0])\1{9}/;
const chosen = rules
  .filter((rule) => rule.meta.id !== SWITCH)
  .map((rule) => ({ id: rule.meta.id, rule, options: {} }));

// It keeps a mark for every rule and file, for as long as the process lives.
secretLintProfiler.setEnabled(false);

/** @param path names the file. Rules go by its last part; a rule that opens it finds nothing there. */
export async function findBySecretlint(text: string, path: string): Promise<Match[]> {
  const name = basename(path) || "file";
  const { messages } = await lintSource({
    source: {
      content: text,
      filePath: `/dev/null/${name}`,
      ext: /\.\w+$/.exec(name)?.[0] ?? "",
      contentType: "text",
    },
    options: { noPhysicFilePath: true, maskSecrets: false, config: { rules: chosen } },
  });
  return messages
    .filter((message) => message.type === "message" && !FILLER.test(text.slice(...message.range)))
    .map(({ ruleId, range: [start, end] }) => {
      const rule = ruleId.replace(PREFIX, "");
      return { rule, what: `a secret by secretlint's rule ${rule}`, start, end };
    });
}
