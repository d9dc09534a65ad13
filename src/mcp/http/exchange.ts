import { type IncomingMessage, request as plainRequest, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { systemCode, VaultError } from "../../vault-error.ts";
import type { Address } from "./addresses.ts";
import type { Placed } from "./placement.ts";

// One request and the beginning of its answer, over a connection of its own to one of the addresses that were looked at.
// No proxy, no cookie, no cache, no redirect; certificates are checked whatever the environment says.

const MAX_HEADER_BYTES = 64 * 1024;

export interface Exchange {
  readonly method: string;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

export function exchange(
  { url, headers }: Placed,
  addresses: readonly Address[],
  { method, body, signal }: Exchange,
): Promise<IncomingMessage> {
  const options: RequestOptions & { rejectUnauthorized: boolean; servername: string } = {
    method,
    signal,
    agent: false,
    lookup: pinned(addresses),
    maxHeaderSize: MAX_HEADER_BYTES,
    rejectUnauthorized: true,
    // Else node takes the name that it asks for, and that the certificate must be for, out of a `Host` header.
    servername: isIP(url.hostname.replace(/^\[|\]$/g, "")) === 0 ? url.hostname : "",
    headers: {
      ...headers,
      // What is compressed cannot be looked through as it comes; what comes so all the same is unpacked first.
      "accept-encoding": "identity",
      ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
    },
  };
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? tlsRequest : plainRequest;
    const request = send(url, options, resolve);
    request.on("error", (error) => reject(failed(url, error)));
    // All that comes of an answer that goes on in another protocol (101), which was not asked for: node ends it, and says no more.
    request.on("close", () => reject(failed(url, new Error("closed without an answer"))));
    request.end(body);
  });
}

/** Answers every question for the host with what was looked at before. */
function pinned(addresses: readonly Address[]): LookupFunction {
  return (_, options, answer) => {
    const fit = addresses.filter(
      ({ family }) => (options.family !== 4 && options.family !== 6) || family === options.family,
    );
    const [first] = fit;
    if (first === undefined) answer(Object.assign(new Error("no address"), { code: "ENOTFOUND" }), "", 0);
    else if (options.all === true) answer(null, [...fit]);
    else answer(null, first.address, first.family);
  };
}

/** The code alone: what a certificate or a server says may be anything. */
export function failed(url: URL, error: unknown): unknown {
  if (error instanceof VaultError || (error instanceof Error && error.name === "AbortError")) return error;
  return new VaultError(
    "request-failed",
    `no answer from ${url.origin} (${systemCode(error) ?? "error"})`,
    "look at the URL and at what the server says there, or try again later",
    { cause: error },
  );
}
