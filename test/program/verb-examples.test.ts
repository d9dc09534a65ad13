import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import { seal } from "../../src/age/seal.ts";
import { LAUNCH_EXAMPLES, VERB_ENTRIES } from "../../src/cli/manual.ts";
import { inSession } from "../fixtures/keychain.ts";
import { Program } from "../fixtures/program.ts";
import { follow, isIn } from "../fixtures/story.ts";
import { git } from "../fixtures/vault.ts";

// What help, the man page and docs/REFERENCE.md show of the launcher and of each verb is run as it stands there, each
// line in a vault of its own that has what the line names.

const VALUE = "sk_live_51Habcdefghij";

/** Programs that examples have beside this one: what they give and take. */
const OTHERS: Readonly<Record<string, string>> = {
  journalctl: `echo "using ${VALUE}"`,
  pass: `echo ${VALUE}`,
  psql: 'grep --quiet db.example.org "$PGPASSFILE"',
  sops: `echo '{ "OTHER_TOKEN": "${VALUE}" }'`,
  ssh: 'shift; exec sh -c "$1"',
  "xdg-open": 'test -s "$1"',
};

/** What lines count on, done before them. */
const BEFORE: readonly (readonly [example: RegExp, lines: string])[] = [
  [
    /run init/,
    "mkdir ../new; cd ../new; git init --quiet; git config user.name a; git config user.email a@b.c",
  ],
  [/passphrase/, "(umask 077; printf 'a long passphrase' > ../passphrase)"],
  [/passphrase/, "export VAULT_RUN_OWNER_PASSPHRASE_FILE=$PWD/../passphrase"],
  [/passphrase --remove/, "vault-run passphrase"],
  [/=KEY/, "KEY=$(vault-run owners --json | jq -r '.owners[0].verifyKey')"],
  [/add-agent crawler/, "vault-run remove-agent crawler"],
  [/--make-card/, "export HOME=$PWD/../bea"],
  [/--card/, "vault-run add-owner bea --make-card --out ../bea.key > bea.card"],
  [/remove-owner bea/, "vault-run add-owner bea --out ../bea.key"],
  [/rollback/, `printf '${VALUE}2' | vault-run set stripe/API_KEY`],
  [/rollback/, `printf '${VALUE}3' | vault-run set stripe/API_KEY`],
  [/id_ed25519/, "ssh-keygen -q -t ed25519 -N '' -f id_ed25519"],
  [/\.env/, "printf 'OTHER_TOKEN=token-of-the-app\\n' > .env"],
  [/GITHUB_ENV/, "export GITHUB_ENV=$PWD/../github-env"],
  [/git merge/, "git checkout --quiet -b feature; printf 'a-value-there' | vault-run set stripe/API_KEY"],
  [
    /git merge/,
    "git checkout --quiet main; printf 'a-value-here' | vault-run set stripe/API_KEY; export GIT_EDITOR=true",
  ],
  [/audit fetch/, "vault-run audit push"],
  [/backup/, "git init --quiet --bare ../backup.git; git remote add backup ../backup.git"],
  [/--open/, "export DISPLAY=:0"],
  [/FINGERPRINT/, `printf 'token: ${VALUE}klmnopqrstuvw' > note; git add note; git commit --quiet -m note`],
  [/FINGERPRINT/, "FINGERPRINT=$( (vault-run scan note --json || true) | jq -r '.findings[0].fingerprint')"],
  [/FINGERPRINT --remove/, 'vault-run allow "$FINGERPRINT" --reason documentation'],
  [/git diff/, "echo more >> agent.js"],
  [/app\.log/, `echo 'using ${VALUE}' > app.log`],
  [/\.config\/fish/, "mkdir -p ~/.config/fish/completions"],
  [/keychain --remove/, "vault-run keychain"],
];

const template = await Program.template(async (made) => {
  const put = (path: string, content: string | Uint8Array, mode = 0o600) => {
    mkdirSync(join(made.home, path, ".."), { recursive: true });
    writeFileSync(join(made.home, path), content, { mode });
    chmodSync(join(made.home, path), mode);
  };
  for (const [name, line] of Object.entries(OTHERS)) put(`others/${name}`, `#!/bin/sh\n${line}\n`, 0o755);
  put("bea/.profile", "");
  put("repo/agent.js", "console.log(process.env.API_KEY ?? process.env.STRIPE_KEY);\n");
  await made.must(["init", "--classic"]);
  await made.must(["add-agent", "crawler"]);
  await made.set("stripe/API_KEY", VALUE);
  await made.set("stripe/OLD_KEY", "a-key-of-old");
  await made.set("app/TOKEN", "token-of-the-app");
  await made.set("github/GH_TOKEN", "token-of-github");
  await made.set("db/PGPASS", "db.example.org:5432:app:app:password", "--as-file");
  for (const group of ["stripe", "app", "db"]) await made.must(["grant", "crawler", group]);
  // A vault of the other program of that kind (import-export.test.ts has more of it).
  const other = await generateIdentity("classic");
  const recipient = await recipientOf(other);
  put(".agent-vault/owner.key", other.reveal());
  put("repo/.agent-vault/owner.pub", recipient);
  put("repo/.agent-vault/config.yaml", "version: 1\nencryption:\n  format: age\n");
  put(
    "repo/.agent-vault/manifest.yaml",
    "version: 1\nowners:\n- name: a\n  public_key: owner.pub\nagents: []\n",
  );
  put("repo/.agent-vault/secrets/payments/api-key.enc", await seal(Buffer.from(VALUE), [recipient]));
  put("repo/.agent-vault/secrets/payments/api-key.meta", "name: payments/api-key\ngroup: payments\n");
  made.git("add", "agent.js");
  made.git("commit", "--quiet", "--message", "agent");
  git(made.home, "init", "--quiet", "--bare", "--initial-branch=main", join(made.home, "origin.git"));
  made.git("remote", "add", "origin", "../origin.git");
  made.git("push", "--quiet", "--set-upstream", "origin", "main");
});

/** What stands for a word of the reader's own in an example. */
const filled = (example: string) => example.replace(/\b(KEY|FINGERPRINT)\b/, '"$$$1"');

async function run(example: string) {
  const program = template.copy();
  const lines = BEFORE.flatMap(([pattern, line]) => (pattern.test(example) ? [`${line}\n`] : []));
  const env = { PATH: [join(program.home, "others"), program.env.PATH].join(delimiter) };
  if (/run keychain/.test(example)) return inSession(program, `set -e\n${lines.join("")}${example}`, { env });
  const value = /run set stripe\/API_KEY$/.test(example) ? `printf '${VALUE}9' | ` : "";
  return follow(program, [...lines, value + filled(example), "\n"], env);
}

describe("an example of help's is done as it stands there", () => {
  const examples = [...LAUNCH_EXAMPLES, ...VERB_ENTRIES.flatMap((entry) => entry.examples)];
  it.each(examples.map((example) => [example] as const))("%s", async (example) => {
    const outcome = await run(example);
    expect(outcome.status, outcome.stderr).toBe(0);
    const gives = /run (get|export|completion) /.test(example);
    expect(gives || !isIn(outcome, VALUE)).toBe(true);
  });
});
