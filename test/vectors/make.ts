// Writes the vectors of this version: `npm run vectors`. They hold fresh identities each time, which are published and
// protect nothing. What comes of each case is written down in cases/, not asked of the code.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentSession } from "../../src/launch/agent-session.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import type { SecretRecord } from "../../src/vault/schema.ts";
import { makeCases } from "./make-cases.ts";
import { makePrimitives } from "./make-primitives.ts";
import { type Made, makeVault, NOW } from "./make-vault.ts";
import { type Listed, layOut, type Vectors } from "./vectors.ts";
import { moreKeys } from "./world.ts";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

const [classic, pq] = [await makeVault("classic"), await makeVault("pq")];
for (const [suite, made, other] of [
  ["classic", classic, pq],
  ["pq", pq, classic],
] as const) {
  const keys = { ...made.owner.keys, ...moreKeys(made, other) };
  const vectors: Vectors = {
    version,
    suite,
    vault: made.owner.id,
    now: NOW,
    keys,
    files: made.files,
    values: made.values,
    granted: granted(made),
    pinned: await pinned(made),
    cases: await makeCases(made, other),
  };
  write(`vault-${version}-${suite}.json`, vectors);
}
write("primitives.json", makePrimitives([classic, pq]));
for (const { owner } of [classic, pq]) rmSync(owner.machine.home, { recursive: true });

function write(name: string, content: unknown): void {
  writeFileSync(join(import.meta.dirname, name), `${JSON.stringify(content, null, 1)}\n`);
}

function granted({ files }: Made): Listed[] {
  const records = Object.entries(files)
    .filter(([path]) => /^groups\/(files|mail|stripe)\/secrets\//.test(path))
    .map(([, text]) => JSON.parse(text) as SecretRecord)
    .filter(({ type }) => type === "secret");
  return records.map(({ group, name, env, deliver, valueId, setAt, expiresAt, description }) => ({
    group,
    name,
    variable: env ?? name,
    deliver,
    valueId,
    setAt,
    expiresAt: expiresAt ?? null,
    description: description ?? null,
  }));
}

async function pinned({ owner, files }: Made): Promise<Vectors["pinned"]> {
  const home = mkdtempSync(join(tmpdir(), "vault-run-vectors-"));
  const root = join(home, ".vault");
  layOut(root, files);
  const env = { VAULT_RUN_KEY: owner.keys.crawler ?? "" };
  const session = await AgentSession.open(
    { ...owner.machine, env, home, cwd: home },
    { vault: root },
    () => {},
  );
  session.grants([]);
  session.vault.secret(parseSecretRef("stripe/API_KEY"));
  rmSync(home, { recursive: true });
  return Object.fromEntries([...session.vault.seen].sort(([a], [b]) => (a < b ? -1 : 1)));
}
