import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { linesShown, withoutChance } from "../fixtures/shown.ts";
import { onTerminal, type Step } from "../fixtures/terminal.ts";

const FILE = resolve(import.meta.dirname, "../../docs/TUTORIAL.md");
/** The commands of a step, and what is then seen, where that is not nothing. */
const STEP = /```sh\n([\s\S]*?)```\n(?:\n```text\n([\s\S]*?)```\n)?/g;
const END = "-- end of the step --";
const VALUE = `typed-${randomBytes(8).toString("hex")}`;

it("docs/TUTORIAL.md works as it stands there, and shows what is seen", { timeout: 600_000 }, async () => {
  const page = readFileSync(FILE, "utf8");
  const steps = [...page.matchAll(STEP)].map(([, commands = "", seen = ""]) => ({ commands, seen }));
  const program = Program.empty();
  writeFileSync(join(program.home, ".gitconfig"), "[user]\nname = Ann\nemail = ann@example.org\n");
  const script = steps.map(({ commands }) => `${commands}echo '${END}'\n`).join("");
  const typed = steps.flatMap(({ seen }): Step[] => [...answersIn(seen), [`${END}\r\n`]]);
  const command = ["bash", "-c", `stty columns 200\ncd\n${script}`];
  const { shown, untyped } = await onTerminal(program, command, typed, { GIT_PAGER: "cat" });
  expect(untyped, shown).toBe(0);
  expect(shown).not.toContain(VALUE);

  const lines = withoutChance(stripVTControlCharacters(linesShown(shown).join("\n")), program.home);
  const outputs = lines.split(`${END}\n`);
  expect(outputs).toHaveLength(steps.length + 1);
  let next = 0;
  const today = page.replaceAll(STEP, (_, commands: string) => {
    const output = outputs[next++];
    return `\`\`\`sh\n${commands}\`\`\`\n${output === "" ? "" : `\n\`\`\`text\n${output}\`\`\`\n`}`;
  });
  // `vitest --update` writes what is seen today.
  await expect(today).toMatchFileSnapshot(FILE);
});

/** What a reader answers, as the page shows it. */
function answersIn(seen: string): Step[] {
  return [...seen.matchAll(/(\[y\/N\] )([yn])$|\(not shown\): $/gm)].map(([text, asks, answer]) =>
    asks === undefined ? [text, `${VALUE}\r`] : [asks, `${answer}\r`],
  );
}
