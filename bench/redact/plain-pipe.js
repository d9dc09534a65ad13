// The floor: starts a command and pipes its output to ours, and nothing else.

import { spawn } from "node:child_process";

const [file, ...args] = process.argv.slice(2);
const child = spawn(file, args, { stdio: ["inherit", "pipe", "inherit"] });
child.stdout.pipe(process.stdout);
child.on("close", (status) => {
  process.exitCode = status ?? 1;
});
