// What an owner and a reader get from tools that keep secrets in a repository, and what somebody can do to them who may write
// to it: the same tasks with each of them, in one run. The table of docs/COMPARISON.md is what this prints;
// bench/results/owning.json has the same.
// usage: npm run bench:owning (sops, fnox, git-secret and agent-vault are compared where they are installed)

import { answer } from "./behaviour/table.ts";
import { agentVault } from "./owning/agent-vault.ts";
import { dotenvx } from "./owning/dotenvx.ts";
import { fnox } from "./owning/fnox.ts";
import { gitSecret } from "./owning/git-secret.ts";
import { measuresOf } from "./owning/measures.ts";
import { sops } from "./owning/sops.ts";
import { varlock } from "./owning/varlock.ts";
import { vaultRun } from "./owning/vault-run.ts";
import { Bench } from "./redact/bench.ts";
import { installPeers } from "./redact/peers.ts";

const bench = new Bench();
try {
  const peers = installPeers(bench.path);
  const tools = [
    vaultRun(bench),
    agentVault(bench),
    sops(bench),
    gitSecret(bench),
    fnox(bench),
    dotenvx(peers.dotenvx),
    varlock(peers.varlock),
  ].filter((tool) => tool !== undefined);
  try {
    await answer("owning", tools, measuresOf(bench));
  } finally {
    for (const tool of tools) tool.end?.();
  }
} finally {
  bench.remove();
}
