import { constants as os } from "node:os";
import { resolve } from "node:path";
import { listen } from "../../launch/signals.ts";
import { CLIENTS, clientConfig } from "../../mcp/client-config.ts";
import { findVaultRoot } from "../../vault/find-vault.ts";
import { agentOption } from "../../vault/key-lookup.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { oneOf } from "../words.ts";

const ENDING: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
const DEFAULT_RATE = 60;
const MAX_RATE = 10_000;
const MIN_AUDIT_FD = 2;
const MAX_AUDIT_FD = 15;

/** Serves the tools on standard input and output, to the end of its input or to a signal: 128 + n. */
export async function run(context: CommandContext): Promise<number> {
  const { machine, console } = context;
  const client = context.text("print-config");
  if (client !== undefined) return printConfig(context, client);
  refuseOwnDescriptors(context);
  const options = {
    vault: context.text("vault"),
    agent: context.text("agent"),
    keyFile: keyFileOf(context),
    rate: rateOf(context),
    allowLoopback: context.has("allow-loopback"),
  };
  const stdin = console.input();
  if (stdin.isTTY === true)
    console.say("an MCP client starts this and talks to it on standard input; end it with Ctrl-C");
  const end = new AbortController();
  let status: number = DONE;
  const listening = listen(context.signals, ENDING, (signal) => {
    status = 128 + os.signals[signal];
    end.abort();
  });
  const [{ serve }, { VERSION }] = await Promise.all([import("../../mcp/serve.ts"), import("../version.ts")]);
  const warn = (text: string) => console.say(text);
  await serve(options, {
    machine,
    signals: context.signals,
    from: stdin,
    to: console.streams.stdout,
    version: VERSION,
    warn,
    end: end.signal,
  });
  listening.stop();
  return status;
}

function printConfig(context: CommandContext, word: string): number {
  const { machine, console } = context;
  const client = oneOf("print-config", CLIENTS, word, "vault-run mcp --help");
  const agent = agentOption(machine, context.text("agent"));
  if (agent === undefined)
    throw new VaultError("usage", "no agent is named", "say who it is with --agent NAME");
  const keyFile = keyFileOf(context);
  const rate = context.text("rate");
  const args = [
    "mcp",
    ...["--agent", agent],
    // Clients start it in any folder.
    ...["--vault", resolve(findVaultRoot(machine, context.text("vault")), "..")],
    ...(keyFile === undefined ? [] : ["--key-file", resolve(machine.cwd, keyFile)]),
    ...(rate === undefined ? [] : ["--rate", String(rateOf(context))]),
    ...(context.has("allow-loopback") ? ["--allow-loopback"] : []),
  ];
  const { text, place } = clientConfig(client, { command: "vault-run", args });
  for (const line of text.split("\n")) console.print(line);
  console.say(`this goes into ${place}`);
  return DONE;
}

/** Read anew with every call, and out of the reach of what is started: both need a file with a name. */
function keyFileOf(context: CommandContext): string | undefined {
  const path = context.text("key-file");
  if (path === undefined || !/^\/(dev\/(fd|std)|proc\/)/.test(resolve(context.machine.cwd, path)))
    return path;
  throw new VaultError(
    "key-file",
    "the server reads the key with every call, and what comes through a descriptor is there once",
    "name the key file itself",
  );
}

/** Two belong to the protocol, and node hands higher ones on to whatever is started. */
function refuseOwnDescriptors(context: CommandContext): void {
  const to = context.text("audit-to") ?? context.machine.env.VAULT_RUN_AUDIT_TO ?? "";
  const fd = Number(/^fd:(\d+)$/.exec(to)?.[1] ?? MIN_AUDIT_FD);
  if (fd >= MIN_AUDIT_FD && fd <= MAX_AUDIT_FD) return;
  throw new VaultError(
    "usage",
    `this server takes no --audit-to ${to}`,
    `open another descriptor for it, fd:${MIN_AUDIT_FD} to fd:${MAX_AUDIT_FD}; standard input and output are the client's`,
  );
}

function rateOf(context: CommandContext): number {
  const rate = Number(context.text("rate") ?? DEFAULT_RATE);
  if (Number.isInteger(rate) && rate >= 1 && rate <= MAX_RATE) return rate;
  throw new VaultError(
    "usage",
    `--rate takes a whole number from 1 to ${MAX_RATE}`,
    "for example: --rate 60, so many uses of one secret within a minute",
  );
}
