import { execaSync } from "execa";
import { describe, expect, it } from "vitest";
import { LAUNCH_OPTIONS } from "../../src/cli/launch-options.ts";
import { manPage } from "../../src/cli/man-page.ts";
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

  it("has every option of a launch, as help says it", () => {
    for (const [name, option] of Object.entries(LAUNCH_OPTIONS)) {
      const flag = "takes" in option ? `--${name} ${option.takes}` : `--${name}`;
      expect(shown).toContain(plain(`${flag} ${option.about}`));
    }
  });

  it.each(VERBS.map((verb) => [verb.name, verb] as const))(
    "has %s with its options and examples",
    (_, verb) => {
      expect(shown).toContain(plain(`vault-run ${verb.name} ${verb.takes} ${verb.about}`));
      for (const { flag, about } of verb.options) expect(shown).toContain(plain(`${flag} ${about}`));
      for (const example of verb.examples) expect(shown).toContain(plain(example));
    },
  );
});
