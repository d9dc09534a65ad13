import { isAnyIdentity } from "../age/any-identity.ts";
import type { Match } from "./match.ts";

// Private keys, by what a key is and not by its file: age identities whose checksum holds, and blocks that hold as much
// base64 as a key has. A block may stand in a JSON string, in a notebook, behind comment signs, indented or with CRLF, so
// what editors and formats put between its lines is taken out before it is judged. A header without a key behind it, as in
// docs and in code that writes keys, is none.

const NATIVE = /AGE-SECRET-KEY-(?:PQ-)?1[02-9AC-HJ-NP-Z]{58}|age-secret-key-(?:pq-)?1[02-9ac-hj-np-z]{58}/g;
const PLUGIN = /AGE-PLUGIN-[A-Z0-9+._-]{1,64}?-?1[02-9AC-HJ-NP-Z]{6,4000}/gi;
const HEADER =
  /-{4,5} ?BEGIN ((?:[A-Z0-9]+ ){0,3})PRIVATE KEY( BLOCK)?(?:-----| ?----)|PuTTY-User-Key-File-[1-3]: ?/g;
const FOOTER = /-{4,5} ?END [A-Z0-9 ]{0,40}KEY[A-Z ]{0,20}(?:-----| ?----)|Private-MAC:/;
/** OpenSSH's own first bytes in base64: keys are kept in variables without their header lines, too. */
const BARE_OPENSSH = /b3BlbnNzaC1rZXktdjEA[A-Za-z0-9+/=\\nr]{100,}/g;

/** Of any key that is in use. PGP's armor and PKCS#12 in it can be large. */
const MAX_BLOCK = 64 * 1024;
/** What editors and formats leave together of base64, and what they put between it. */
const RUN =
  /(?:[A-Za-z0-9+/=_-]|\\\/){40,}(?:(?:\\[rnt]|&#(?:10|13|xa|xd);|%0[AD]|[^A-Za-z0-9+/=_-]){1,24}(?:[A-Za-z0-9+/=_-]|\\\/){16,})*/gi;
const MIN_DISTINCT = 12;

export function findKeys(text: string): Match[] {
  return [...findIdentities(text), ...findBlocks(text), ...findBareOpenSsh(text)];
}

function findIdentities(text: string): Match[] {
  const found: Match[] = [];
  if (/AGE-SECRET-KEY-|age-secret-key-/.test(text)) {
    for (const { 0: identity, index } of text.matchAll(NATIVE))
      if (isAnyIdentity(identity))
        found.push(match("age-identity", "an age identity", index, identity.length));
  }
  if (/AGE-PLUGIN-/i.test(text)) {
    for (const { 0: identity, index } of text.matchAll(PLUGIN))
      if (isAnyIdentity(identity))
        found.push(match("age-identity", "an age identity of a plugin", index, identity.length));
  }
  return found;
}

function findBlocks(text: string): Match[] {
  const found: Match[] = [];
  let from = 0;
  const headers = [...text.matchAll(HEADER)];
  for (const [at, header] of headers.entries()) {
    if (header.index < from) continue;
    const bodyStart = header.index + header[0].length;
    // No further than the next header: time grows with the text alone.
    const rest = text.slice(
      bodyStart,
      Math.min(bodyStart + MAX_BLOCK, headers[at + 1]?.index ?? text.length),
    );
    const footer = FOOTER.exec(rest);
    const body = footer === null ? rest : rest.slice(0, footer.index);
    const isPutty = header[0].startsWith("PuTTY");
    const own = isPutty ? privateLinesOf(body) : body;
    if (!holdsKey(own)) continue;
    const end = footer === null ? body.length - own.length + endOfKey(own) : footer.index + footer[0].length;
    from = bodyStart + end;
    found.push({ ...kindOf(header[0]), start: header.index, end: from });
  }
  return found;
}

function findBareOpenSsh(text: string): Match[] {
  return [...text.matchAll(BARE_OPENSSH)].map(({ 0: body, index }) =>
    match("private-key", "an OpenSSH private key", index, body.length),
  );
}

function kindOf(header: string): Pick<Match, "rule" | "what"> {
  if (header.startsWith("PuTTY")) return { rule: "private-key", what: "a PuTTY private key" };
  if (header.includes("PGP")) return { rule: "private-key", what: "a PGP private key" };
  if (header.includes("OPENSSH") || header.includes("SSH2"))
    return { rule: "private-key", what: "an OpenSSH private key" };
  return { rule: "private-key", what: "a PEM private key" };
}

/** A PuTTY file has the public key before the private one. */
function privateLinesOf(body: string): string {
  return /Private-Lines: ?\d+([\s\S]*)$/.exec(body)?.[1] ?? "";
}

/** Whether a block's text holds a word of base64 that is as long as a line of a key, and is neither filler nor prose. */
function holdsKey(body: string): boolean {
  return body
    .replaceAll(/(?:Proc-Type|DEK-Info|Version|Comment|Subject|Charset|Hash|MessageID): ?[^\r\n\\]*/g, " ")
    .replaceAll("\\/", "/")
    .replaceAll(/\\[rnt]|&#(?:10|13|xa|xd);|%0[AD]/gi, " ")
    .split(/[\s"'`,\\>#*|;()[\]]+/)
    .some(isKeyLine);
}

/** Where a key that has no footer ends: keys of one kind begin alike, so that all of it is to be in the fingerprint. */
function endOfKey(body: string): number {
  for (const { 0: run, index } of body.matchAll(RUN)) if (holdsKey(run)) return index + run.length;
  return body.length;
}

function isKeyLine(word: string): boolean {
  if (!/^[A-Za-z0-9+/=_-]{40,}$/.test(word)) return false;
  return /[A-Z]/.test(word) && /[a-z]/.test(word) && /\d/.test(word) && new Set(word).size >= MIN_DISTINCT;
}

function match(rule: string, what: string, start: number, length: number): Match {
  return { rule, what, start, end: start + length };
}
