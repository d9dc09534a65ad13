import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const OPEN_MS = 10 * 60_000;

export interface AccessRequest {
  readonly agent: string;
  readonly note: string;
  /** What an owner runs to allow it. */
  readonly command: string;
}

/**
 * One page for the person at this machine, under an address that cannot be guessed, for ten minutes or until it is
 * closed. It shows a request and changes nothing.
 */
export class AccessPage {
  readonly url: string;
  readonly #server: Server;

  private constructor(url: string, server: Server) {
    this.url = url;
    this.#server = server;
  }

  static open(request: AccessRequest): Promise<AccessPage> {
    const path = `/${randomBytes(24).toString("hex")}`;
    const server = createServer((asked, response) => answer(asked, response, path, request));
    // No page keeps the server alive that it belongs to.
    server.unref();
    const time = setTimeout(() => server.close(), OPEN_MS).unref();
    server.on("close", () => clearTimeout(time));
    return new Promise((resolve, reject) => {
      server.on("error", reject);
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo;
        resolve(new AccessPage(`http://127.0.0.1:${port}${path}`, server));
      });
    });
  }

  close(): void {
    this.#server.close();
  }
}

function answer(
  { url, method, headers }: IncomingMessage,
  response: ServerResponse,
  path: string,
  request: AccessRequest,
): void {
  // A name that leads here is some other page's.
  const isFound = url === path && method === "GET" && headers.host?.startsWith("127.0.0.1:") === true;
  response.writeHead(isFound ? 200 : 404, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    connection: "close",
  });
  response.end(isFound ? pageOf(request) : "not found");
}

function pageOf({ agent, note, command }: AccessRequest): string {
  return `<!doctype html><meta charset="utf-8"><title>vault-run: access asked for</title>
<style>body{font:1rem/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}pre{background:#eee;padding:1rem;overflow:auto}</style>
<h1>${escaped(agent)} asks for access</h1>
<p>In the words of the model, which may be wrong:</p>
<blockquote>${escaped(note)}</blockquote>
<p>An owner of the vault allows it, in a clone of the repo, with:</p>
<pre>${escaped(command)}</pre>
<p>Nothing was given. Do nothing to leave it at that. The request is in the audit log: <code>vault-run audit</code>.</p>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
