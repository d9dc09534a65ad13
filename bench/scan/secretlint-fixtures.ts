import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Sample } from "./samples.ts";

// The samples that secretlint's rules are tested with, from a checkout of its repository: its packages leave them out. What has
// options of its own, or belongs to a rule that looks for no secret, is none of them.

const NO_SECRETS = /-(?:example|pattern|filter-comments|no-dotenv|no-homedir|no-k8s-kind-secret|preset-.*)$/;

export function secretlintSamples(checkout: string): Sample[] {
  const packages = join(checkout, "packages/@secretlint");
  return readdirSync(packages)
    .filter((name) => name.startsWith("secretlint-rule-") && !NO_SECRETS.test(name))
    .flatMap((name) => samplesOf(join(packages, name, "test/snapshots"), name));
}

function samplesOf(folder: string, rule: string): Sample[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const own = join(folder, name);
    const input = readdirSync(own).find((file) => file.startsWith("input"));
    if (input === undefined || existsSync(join(own, "options.json"))) return [];
    const { messages } = JSON.parse(readFileSync(join(own, "output.json"), "utf8")) as {
      messages: unknown[];
    };
    return [
      { rule, file: input, text: readFileSync(join(own, input), "latin1"), positive: messages.length > 0 },
    ];
  });
}
