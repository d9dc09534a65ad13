// An agent framework in small: a process without any secret that starts a tool for every call. Each tool has an identity of
// its own in the vault, so each sees only its own group, and the audit log says which of them pulled what.
//
//     node framework.js TOOL=ARGUMENT...
import { spawn } from "node:child_process";

const TOOLS = new Set(["search", "mail"]);
const folder = new URL("./tools", import.meta.url).pathname;

/** Calls a tool, and resolves to what it answers. node's permissions keep it from other files and from starting programs. */
function call(tool, argument) {
  if (!TOOLS.has(tool)) throw new Error("there is no such tool");
  const node = ["node", "--permission", `--allow-fs-read=${folder}`, `${folder}/${tool}.js`, argument];
  const child = spawn("vault-run", ["--agent", tool, "--clean-env", "--", ...node], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let answer = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      answer += text;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) resolve(JSON.parse(answer));
      else reject(new Error(status === 125 ? "it was not started" : `it ended with ${status}`));
    });
  });
}

for (const step of process.argv.slice(2)) {
  const [tool, argument = ""] = step.split("=");
  try {
    const answer = await call(tool, argument);
    console.log(`framework: ${tool} answers ${JSON.stringify(answer)}`);
  } catch (error) {
    console.error(`framework: ${tool} failed: ${error.message}`);
    process.exitCode = 1;
  }
}
