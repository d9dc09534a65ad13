import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import { readPage } from "../fixtures/pages.ts";
import { Program } from "../fixtures/program.ts";
import { linesShown, withoutChance } from "../fixtures/shown.ts";
import { follow } from "../fixtures/story.ts";
import { onTerminal, type Step } from "../fixtures/terminal.ts";

// docs/TERMINAL.md: its commands are typed in a window of 80 columns, and what is seen is compared. Not typed is the block
// that shows a moment of a progress line: window.test.ts has one.

const PAGE = "docs/TERMINAL.md";
const COLUMNS = 80;
const BLOCK = /```console\n([\s\S]*?)```\n/g;
const END = "-- end --";
/** Where the page has been made. */
const HOME = "/tmp/ann";

const SMALL = `
  vault-run init --name ann
  for agent in builder crawler mailer; do vault-run add-agent "$agent"; done
  for ref in deploy/SSH_KEY mail/SMTP_PASSWORD web/PROXY_TOKEN web/SEARCH_KEY; do
    printf 'a-value-of-%s' "$ref" | vault-run set "$ref"
  done
  printf a-value-of-stripe | vault-run set stripe/API_KEY --expires 100h
  vault-run grant builder deploy
  vault-run grant crawler web
`;
/** What is there before a block, by what its first command begins with. */
const BEFORE: Readonly<Record<string, string>> = {
  "vault-run status": `${SMALL}
    vault-run grant crawler mail
    vault-run revoke crawler mail
    vault-run grant mailer mail
    vault-run grant mailer stripe`,
  "vault-run revoke": `
    vault-run init --classic
    vault-run add-agent crawler
    for at in $(seq --format=%04g 0 2999); do echo "TENANT_$at=a-value-of-tenant-$at"; done |
      vault-run import - --group tenants
    vault-run grant crawler tenants`,
  "vault-run check": `${SMALL}
    git rm --quiet .vault/groups/web/secrets/PROXY_TOKEN.json
    git commit --quiet --message "away with it"`,
  "git merge": `${SMALL}
    git switch --quiet --create spring
    printf one-more-value | vault-run set stripe/API_KEY --expires 100h
    vault-run revoke crawler web
    git switch --quiet main
    sleep 1
    printf another-value | vault-run set stripe/API_KEY --expires 100h`,
  "vault-run rotation": "git commit --quiet --no-edit",
};

it(`${PAGE} shows what is seen in a window of 80 columns`, { timeout: 600_000 }, async () => {
  const page = readPage(PAGE);
  let program = Program.empty();
  const blocks: string[] = [];
  for (const [, block = ""] of page.matchAll(BLOCK)) {
    if (/ s left$/m.test(block)) blocks.push(block);
    else {
      const commands = [...block.matchAll(/^\$ (.*)$/gm)].map(([, command = ""]) => command);
      const [, before = ""] = Object.entries(BEFORE).find(([start]) => commands[0]?.startsWith(start)) ?? [];
      if (before.includes("init")) program = Program.empty();
      const made = await follow(program, [before]);
      expect(made.status, made.stderr).toBe(0);
      blocks.push(await seen(program, commands, block));
    }
  }
  let next = 0;
  const today = page.replaceAll(BLOCK, () => `\`\`\`console\n${blocks[next++]}\`\`\`\n`);
  expect(alike(today)).toBe(alike(page));
});

/** What a window shows of commands, which are answered as the block has it. */
async function seen(program: Program, commands: readonly string[], block: string): Promise<string> {
  const answers = [...block.matchAll(/(\[(?:y\/N|1\/2)\] )(\w)$/gm)].map(
    ([, asks = "", answer = ""]): Step => [asks, `${answer}\r`],
  );
  const script = join(program.home, "script");
  const lines = commands.map((command) => `printf '%s\\n' '$ ${command}'\n${command} || true\n`);
  writeFileSync(script, `stty rows 24 columns ${COLUMNS}\n${lines.join("")}echo '${END}'\n`);
  // Each step has its time: what is long is in two.
  const steps: Step[] = [...answers, ...(block.includes("3000") ? [["writing "] as const] : []), [END]];
  const { shown, untyped } = await onTerminal(program, ["bash", script], steps);
  expect(untyped, shown).toBe(0);
  const text = stripVTControlCharacters(linesShown(shown).join("\n")).replaceAll(program.home, HOME);
  return text.replace(new RegExp(`${END}\\n$`), "");
}

/** Without the terminal's own line breaks, and whatever the moment. */
function alike(page: string): string {
  const whole = page.replaceAll(new RegExp(`^(.{${COLUMNS}})\\n`, "gm"), "$1");
  return withoutChance(whole, HOME).replaceAll(/(?<= 09:30):\d\d/g, ":00");
}
