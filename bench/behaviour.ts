// How launchers treat what they launch: the same program alone and through each of them, on the same machine in one run.
// The table of docs/COMPARISON.md is what this prints; bench/results/behaviour.json has the same.
// usage: npm run bench:behaviour (sops and fnox are compared where they are installed)

import { makeContenders } from "./behaviour/contenders.ts";
import { MEASURES } from "./behaviour/measures.ts";
import { answer } from "./behaviour/table.ts";
import { Bench } from "./redact/bench.ts";

const bench = new Bench();
try {
  await answer("behaviour", await makeContenders(bench), MEASURES);
} finally {
  bench.remove();
}
