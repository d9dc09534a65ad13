import { join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { blocksOf } from "../fixtures/pages.ts";
import { Program } from "../fixtures/program.ts";
import { git } from "../fixtures/vault.ts";

it("docs/OPERATIONS.md works as it stands there, command by command", { timeout: 300_000 }, async () => {
  const blocks = blocksOf("docs/OPERATIONS.md", "sh");
  expect(blocks).toHaveLength(13);
  const program = Program.empty();
  const shared = join(program.home, "shared.git");
  git(program.home, "init", "--quiet", "--bare", "--initial-branch=main", shared);
  await program.must(["init"]);
  await program.set("stripe/API_KEY", "sk_live_51Abcdefghij");
  await program.set("mail/PASSWORD", "mail-password-1");
  for (const agent of ["crawler", "reporter"])
    await program.must(["add-agent", agent, "--out", join(program.home, `${agent}.key`)]);
  await program.must(["grant", "crawler", "stripe"]);
  for (const agent of ["crawler", "reporter"]) await program.must(["grant", agent, "mail"]);
  await program.must(["--agent", "crawler", "--key-file", join(program.home, "crawler.key"), "--", "true"]);
  git(program.repo, "remote", "add", "origin", shared);
  git(program.repo, "push", "--quiet", "--set-upstream", "origin", "main");
  const env = {
    ...program.env,
    SHARED_REPO: shared,
    OWNER_KEY: join(program.home, ".config/vault-run", program.vaultId, "owner.key"),
  };
  const settings = { cwd: program.repo, env, extendEnv: false, all: true } as const;
  const { all } = await execa("bash", ["-e", "-o", "pipefail", "-c", blocks.join("\n")], settings);
  expect(all).toContain("the copy opens the vault");
  expect(all).toMatch(/gave crawler a new key/);
  expect(all).toMatch(/crawler +stripe\/API_KEY .* yes +1 of 1/);
  expect(all).toMatch(/stripe\/API_KEY +crawler .* ended/);
  expect(all.match(/nothing to rotate/g)).toHaveLength(2);
  expect(all.match(/nothing wrong/g)?.length).toBeGreaterThanOrEqual(2);
  expect(all).toMatch(/REKEY FIRST[\s\S]*crawler +owner safe/);
  expect(all).toContain("restored the key of reporter");
  expect(all).not.toMatch(/sk_live|mail-password/);
});
