import { shellWord } from "../vault/names.ts";
import { MAX_RECORD_BYTES } from "../vault/record.ts";
import { type Finding, fingerprintOf } from "./finding.ts";
import type { Content, Scanner } from "./scanner.ts";
import type { VaultView } from "./vault-view.ts";

const OTHERS = 0o077;
/** A history of nothing but keys is known for what it is by these. */
const MAX_FINDINGS = 5000;

export interface ScanResult {
  /** In the order in which they came. One that stands in several commits or places of a file is told once. */
  readonly findings: readonly Finding[];
  /** How many contents were looked through. */
  readonly contents: number;
  /** Whether there may be more: so many were found that the rest was not looked through. */
  readonly isCut: boolean;
}

/** Looks through contents, each by its text and as the file that it is. */
export async function scanContents(
  contents: AsyncIterable<Content & { readonly mode?: number }>,
  scanner: Scanner,
  view: VaultView,
): Promise<ScanResult> {
  const found = new Map<string, Finding>();
  let count = 0;
  let open = 0;
  for await (const content of contents) {
    count++;
    for (const finding of await scanOne(content, scanner, view)) {
      if (found.has(finding.fingerprint)) continue;
      found.set(finding.fingerprint, finding);
      if (!scanner.isAllowed(finding)) open++;
    }
    if (open >= MAX_FINDINGS) return { findings: [...found.values()], contents: count, isCut: true };
  }
  return { findings: [...found.values()], contents: count, isCut: false };
}

async function scanOne(
  content: Content & { readonly mode?: number },
  scanner: Scanner,
  view: VaultView,
): Promise<Finding[]> {
  const { file, commit, mode } = content;
  if (!view.judges(file)) return withMode(await scanner.scan(content), file, mode);
  const { head, chunks } = await readHead(content.chunks);
  const findings = await scanner.scan({ ...content, chunks, isSealed: view.isSigned(file, head) });
  return [...view.check(file, head, commit), ...findings];
}

/** A content that is used twice: all of it, or so much that it is known to be longer than any record is. */
async function readHead(chunks: Content["chunks"]): Promise<{ head: Buffer; chunks: Content["chunks"] }> {
  const rest = (
    Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
  ) as AsyncIterator<Buffer> | Iterator<Buffer>;
  const read: Buffer[] = [];
  let size = 0;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    read.push(next.value);
    size += next.value.length;
    if (size > MAX_RECORD_BYTES) return { head: Buffer.concat(read), chunks: following(read, rest) };
  }
  const head = Buffer.concat(read);
  return { head, chunks: [head] };
}

async function* following(
  read: readonly Buffer[],
  rest: AsyncIterator<Buffer> | Iterator<Buffer>,
): AsyncGenerator<Buffer> {
  yield* read;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** A file that holds an identity and that others can read is worse than one that does not: both are told. */
function withMode(findings: Finding[], file: string, mode: number | undefined): Finding[] {
  if (mode === undefined || (mode & OTHERS) === 0) return findings;
  const key = findings.find(({ rule }) => rule === "age-identity");
  if (key === undefined) return findings;
  const rule = "key-file-mode";
  const loose: Finding = {
    ...key,
    kind: "structure",
    rule,
    what: `others can read this key file (mode ${(mode & 0o777).toString(8)})`,
    masked: "",
    fingerprint: fingerprintOf(rule, file, key.fingerprint),
    next: `make it yours alone (chmod 600 ${shellWord(file)}); where others have read it, replace the key: vault-run rekey`,
  };
  return [...findings, loose];
}
