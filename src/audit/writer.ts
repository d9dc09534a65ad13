// Who writes a log: a key on a host. What one writer pushes has a ref of its own, `refs/vault-run/audit/KEY/HOST`, so that
// no two writers ever push to the same. A host's name may be any text, a ref's may not: all but lower-case letters,
// digits, `-`, `_` and plain dots is written as `%` and two digits of each byte in UTF-8. Capitals too, since
// a file system that folds case would take two hosts for one.

export const WRITER_REFS = "refs/vault-run/audit/";

export interface Writer {
  /** Fingerprint of the key. */
  readonly key: string;
  readonly host: string;
}

const FINGERPRINT = /^[0-9a-f]{32}$/;
/** A ref is a file's name, and git puts `.lock` behind it while it writes. */
const MAX_NAME_LENGTH = 240;
const NO_NAME = "%";
/** A dot that git would not take: the first, the last, one of two, and that of a final `.lock`. */
const ODD_DOT = /^\.|\.(?=\.|$|lock$)/g;

/** The writer's ref; undefined where the host's name is too long for one, or where this is no key's fingerprint. */
export function findWriterRef({ key, host }: Writer): string | undefined {
  const name = escapedHost(host);
  if (!FINGERPRINT.test(key) || name.length > MAX_NAME_LENGTH) return undefined;
  return `${WRITER_REFS}${key}/${name}`;
}

/** The writer that a ref belongs to, in its one spelling; undefined where it is none's. */
export function findWriter(ref: string): Writer | undefined {
  const [key = "", name = "", ...rest] = ref.slice(WRITER_REFS.length).split("/");
  const host = hostOf(name);
  if (rest.length > 0 || host === undefined) return undefined;
  return findWriterRef({ key, host }) === ref ? { key, host } : undefined;
}

function escapedHost(host: string): string {
  if (host === "") return NO_NAME;
  return host.replace(/[^a-z0-9._-]/gu, escaped).replace(ODD_DOT, escaped);
}

function escaped(character: string): string {
  return Buffer.from(character).toString("hex").replace(/../g, "%$&");
}

function hostOf(name: string): string | undefined {
  if (name === NO_NAME) return "";
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}
