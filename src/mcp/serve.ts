import type { Readable, Writable } from "node:stream";
import { McpServer } from "@modelcontextprotocol/server";
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import { AgentSession } from "../launch/agent-session.ts";
import type { SignalSource } from "../launch/child.ts";
import { Orphans } from "../launch/orphans.ts";
import { Protection } from "../launch/protection.ts";
import { INIT, type Machine } from "../vault/machine.ts";
import { Calls, type CallsOptions } from "./calls.ts";
import { framesOf } from "./frames.ts";
import { INSTRUCTIONS, registerTools } from "./tools.ts";

export interface McpSurroundings {
  readonly machine: Machine;
  readonly signals: SignalSource;
  /** The protocol's, both of them. */
  readonly from: Readable;
  readonly to: Writable;
  /** What this program is, for the client. */
  readonly version: string;
  readonly warn: (text: string) => void;
  /** Once aborted, the server ends. */
  readonly end: AbortSignal;
}

/**
 * Serves the tools to one client until it closes its end. Resolves when all that was started has ended.
 *
 * @throws {VaultError} where there is no such vault, agent or key: the server ends at once.
 */
export async function serve(options: CallsOptions, around: McpSurroundings): Promise<void> {
  const { machine, signals, from, to, version, warn, end } = around;
  const protection = new Protection();
  const orphans = machine.pid === INIT ? await Orphans.begin(signals, warn) : undefined;
  let server: McpServer | undefined;
  const findClient = () => ({
    info: server?.server.getClientVersion(),
    capabilities: server?.server.getClientCapabilities(),
  });
  const calls = new Calls(options, { machine, protection, orphans, warn, findClient });
  const transport = new StdioServerTransport(framesOf(from), to);
  const handle = serveStdio(
    () => {
      const about = { name: "vault-run", title: "vault-run: secrets without seeing them", version };
      server = new McpServer(about, {
        instructions: INSTRUCTIONS,
        capabilities: { tools: { listChanged: false } },
      });
      registerTools(server, calls);
      return server;
    },
    // What a client sends that is no message of the protocol: it may hold anything, so it is not said.
    { transport, onerror: () => {} },
  );
  const closed = new Promise<void>((resolve) => {
    const before = transport.onclose;
    transport.onclose = () => {
      before?.();
      resolve();
    };
    end.addEventListener("abort", () => {
      resolve();
      void handle.close();
    });
  });
  try {
    // A client is greeted meanwhile; what it calls is verified for itself.
    await new Promise((resolve) => setImmediate(resolve));
    await AgentSession.open(machine, options, warn);
    await closed;
  } finally {
    await handle.close();
    await calls.end();
    orphans?.stop();
    protection.end();
  }
}
