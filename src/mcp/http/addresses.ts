import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { isLoopbackHost } from "../../vault/policy.ts";
import { systemCode, VaultError } from "../../vault-error.ts";

// Where a request may go. A name is resolved once, every address that it has is looked at, and the connection is made to one
// of them: what the name means a moment later does not matter.

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

export type Resolve = (host: string) => Promise<readonly Address[]>;

/** What is reached by none of the public internet's routes, or answers machines alone (RFC 6890, IANA's registries). */
const CLOSED_V4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  // Azure's virtual machines ask their host here.
  "168.63.129.16/32",
];
/** Of IPv6 this is the public internet. */
const OPEN_V6 = "2000::/3";
/** But for these: they stand for other addresses, or for none. */
const CLOSED_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

const closed = listOf([
  ...CLOSED_V4.map((net) => [net, "ipv4"] as const),
  ...CLOSED_V6.map((net) => [net, "ipv6"] as const),
]);
const openV6 = listOf([[OPEN_V6, "ipv6"]]);
const loopback = listOf([
  ["127.0.0.0/8", "ipv4"],
  ["::1/128", "ipv6"],
]);

export function isPublic({ address, family }: Address): boolean {
  if (family === 4) return !closed.check(address, "ipv4");
  // An IPv4 address in IPv6's clothes is none of 2000::/3.
  return openV6.check(address, "ipv6") && !closed.check(address, "ipv6");
}

/**
 * The addresses of a URL's host, all of which a request may go to.
 *
 * @param allowLoopback whether names that mean this machine may lead to it.
 * @param signal once aborted, nobody waits for the name's answer: to ask cannot be taken back.
 * @throws {VaultError} `not-allowed` where it may not go to any one of them.
 */
export async function allowedAddresses(
  url: URL,
  allowLoopback: boolean,
  signal: AbortSignal,
  resolve: Resolve = resolveHost,
): Promise<readonly Address[]> {
  const addresses = await unlessAborted(resolve(url.hostname.replace(/^\[|\]$/g, "")), signal);
  const isOwn = isLoopbackHost(url.hostname);
  const isAllowed = (address: Address) => (isOwn ? allowLoopback && isLoopback(address) : isPublic(address));
  if (addresses.length > 0 && addresses.every(isAllowed)) return addresses;
  throw new VaultError(
    "not-allowed",
    isOwn
      ? `a request to this machine itself: ${url.origin}`
      : `${url.origin} leads to an address that is not public`,
    isOwn
      ? "for development the server is started with --allow-loopback"
      : "private, link-local and metadata addresses get no request; ask the owner whether the origin is the right one",
  );
}

function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function isLoopback({ address, family }: Address): boolean {
  return loopback.check(address, family === 4 ? "ipv4" : "ipv6");
}

async function resolveHost(host: string): Promise<readonly Address[]> {
  const literal = isIP(host);
  if (literal !== 0) return [{ address: host, family: literal === 4 ? 4 : 6 }];
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address, family }) => ({ address, family: family === 4 ? 4 : 6 }));
  } catch (error) {
    throw new VaultError(
      "request-failed",
      `the host's name has no address (${systemCode(error) ?? "error"}): ${host}`,
      "look at the URL, or try again later",
      { cause: error },
    );
  }
}

function listOf(nets: readonly (readonly [string, "ipv4" | "ipv6"])[]): BlockList {
  const list = new BlockList();
  for (const [net, family] of nets) {
    const [address = "", bits = ""] = net.split("/");
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}
