// What the Python package costs a program: whole processes that read twenty secrets, beside those that only start and import
// what it takes of the package `cryptography`, in turns. Medians; the aim is printed, not enforced.
// usage: npm run bench:python [-- TURNS]

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { buildPackage, makeEnvironment } from "../test/fixtures/python.ts";
import { AGENT, makeVault } from "./launch/vaults.ts";
import { Bench } from "./redact/bench.ts";
import { makeSecrets, nameOf } from "./redact/secrets.ts";
import { median } from "./redact/statistics.ts";

const TURNS = Number(process.argv[2] ?? 20);
const SECRETS = makeSecrets(20);
const AIM_MS = 100;

const CRYPTOGRAPHY = `
from cryptography.hazmat.primitives.asymmetric import ed25519, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives import hpke`;
const OPEN = `from vault_run import Vault\nvault = Vault(agent="${AGENT}")`;
const REFS = JSON.stringify(SECRETS.map(nameOf));
const SCRIPTS = {
  "python, doing nothing": "",
  "importing cryptography": CRYPTOGRAPHY,
  "importing vault_run": "import vault_run",
  "Vault.get, once": `${OPEN}\nvault.get("${nameOf(SECRETS[0] ?? { variable: "", value: "" })}")`,
  "Vault.get of 20 secrets": `${OPEN}\nfor ref in ${REFS}: vault.get(ref)`,
  "Vault.env of 20 secrets": `${OPEN}\nassert len(vault.env()) == 20`,
};

const bench = new Bench();
try {
  const { wheel } = await buildPackage(join(bench.folder, "dist"));
  const python = await makeEnvironment(join(bench.folder, "venv"), wheel);
  for (const suite of ["pq", "classic"] as const)
    report(suite, python, makeVault(bench, suite, suite, SECRETS));
} finally {
  bench.remove();
}

function report(suite: string, python: string, repo: string): void {
  const times = Object.keys(SCRIPTS).map((): number[] => []);
  // The first turn pins what is read, and warms the caches.
  for (let turn = -1; turn < TURNS; turn++) {
    for (const [i, script] of Object.values(SCRIPTS).entries()) {
      const ms = timeOf(python, script, repo);
      if (turn >= 0) times[i]?.push(ms);
    }
  }
  const medians = times.map(median);
  const floor = medians[1] ?? Number.NaN;
  console.log(`${suite}, medians of ${TURNS}\n\n| | ms | beyond importing cryptography, ms |\n|---|---|---|`);
  for (const [i, name] of Object.keys(SCRIPTS).entries()) {
    const ms = medians[i] ?? Number.NaN;
    console.log(`| ${name} | ${ms.toFixed(0)} | ${i < 2 ? "" : (ms - floor).toFixed(0)} |`);
  }
  const taken = (medians[4] ?? Number.NaN) - floor;
  console.log(
    `\n${taken < AIM_MS ? "holds" : "FAILS"}: Vault.get of 20 secrets adds less than ${AIM_MS} ms\n`,
  );
}

function timeOf(python: string, script: string, cwd: string): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(python, ["-c", script], { cwd, env: bench.env });
  const ms = performance.now() - started;
  if (status !== 0) throw new Error(`ended with ${status}: ${stderr}`);
  return ms;
}
