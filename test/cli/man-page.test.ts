import { execaSync } from "execa";
import { describe, expect, it } from "vitest";
import { manPage } from "../../src/cli/man-page.ts";
import {
  LAUNCH_EXAMPLES,
  LAUNCH_STATUSES,
  LAUNCH_TERMS,
  VARIABLES,
  VERB_STATUSES,
} from "../../src/cli/manual.ts";
import { VERBS } from "../../src/cli/verbs.ts";

const page = manPage("1.2.3", "2026-01-31");
/** As a reader sees it, in plain ASCII and on one line. */
const shown = execaSync("mandoc", ["-T", "ascii"], { input: page })
  .stdout.replaceAll(/.[\b]/g, "")
  .replaceAll(/\s+/g, " ");
const plain = (text: string) => text.replaceAll("…", "...").replaceAll(/\s+/g, " ").trim();

describe("the man page", () => {
  it("is rendered without a warning", () => {
    for (const command of [
      ["mandoc", "-T", "lint", "-W", "warning"],
      ["groff", "-man", "-ww", "-T", "ascii", "-z"],
    ]) {
      const [file = "", ...args] = command;
      const { stdout, stderr, exitCode } = execaSync(file, args, { input: page, reject: false });
      expect({ stdout, stderr, exitCode }).toEqual({ stdout: "", stderr: "", exitCode: 0 });
    }
  });

  it("has every option of a launch, its statuses and examples, and the variables, as help says it", () => {
    for (const { word, takes = "", about } of [...LAUNCH_TERMS, ...LAUNCH_STATUSES, ...VARIABLES])
      expect(shown).toContain(plain(`${word} ${takes} ${about}`));
    for (const example of LAUNCH_EXAMPLES) expect(shown).toContain(plain(example));
  });

  it.each(VERBS.map((verb) => [verb.name, verb] as const))(
    "has %s with its options, statuses and examples",
    (_, verb) => {
      const takes = verb.takes === "" ? "" : `${verb.takes} `;
      expect(shown).toContain(plain(`vault-run ${verb.name} ${takes}[options] ${verb.about}.`));
      for (const { flag, about } of verb.options) expect(shown).toContain(plain(`${flag} ${about}`));
      for (const status of Object.values({ ...VERB_STATUSES, ...verb.statuses }))
        expect(shown).toContain(`(${status})`);
      for (const example of verb.examples) expect(shown).toContain(plain(example));
    },
  );
});
