import { isEnvFile } from "./env-file.ts";
import { type Finding, fingerprintOf, shellWord } from "./finding.ts";
import type { Content, Scanner } from "./scanner.ts";
import { isInVault, type VaultView } from "./vault-view.ts";

/** More than a record can hold, and far more than a file of variables does. */
const MAX_WHOLE_BYTES = 16 * 1024 * 1024;
const OTHERS = 0o077;

export interface ScanResult {
  /** In the order in which they came. One that stands in several commits or places of a file is told once. */
  readonly findings: readonly Finding[];
  /** How many contents were looked through. */
  readonly contents: number;
}

/** Looks through contents, each by its text and as the file that it is. */
export async function scanContents(
  contents: AsyncIterable<Content & { readonly mode?: number }>,
  scanner: Scanner,
  view: VaultView,
): Promise<ScanResult> {
  const found = new Map<string, Finding>();
  let count = 0;
  for await (const content of contents) {
    count++;
    for (const finding of await scanOne(content, scanner, view)) {
      if (!found.has(finding.fingerprint)) found.set(finding.fingerprint, finding);
    }
  }
  return { findings: [...found.values()], contents: count };
}

async function scanOne(
  content: Content & { readonly mode?: number },
  scanner: Scanner,
  view: VaultView,
): Promise<Finding[]> {
  const { file, commit, mode } = content;
  const isWhole = isInVault(file) || isEnvFile(file);
  if (!isWhole) return withMode(await scanner.scan(content), file, mode);
  const { bytes, chunks } = await readWhole(content.chunks);
  const findings = await scanner.scan({ ...content, chunks, isSealed: view.isRecord(file, bytes) });
  return [...view.check(file, bytes, commit), ...findings];
}

/** A content that is used twice. Of one that is longer than any such file the beginning is judged, and all looked through. */
async function readWhole(chunks: Content["chunks"]): Promise<{ bytes: Buffer; chunks: Buffer[] }> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  const bytes = Buffer.concat(all);
  return {
    bytes: bytes.length > MAX_WHOLE_BYTES ? bytes.subarray(0, MAX_WHOLE_BYTES + 1) : bytes,
    chunks: [bytes],
  };
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
