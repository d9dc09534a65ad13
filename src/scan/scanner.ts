import type { Sighting } from "../redact/finder.ts";
import { shellWord } from "../vault/names.ts";
import { LineCounter, type Window, windowsOf } from "./content.ts";
import { findEncodedKeys } from "./encoded-keys.ts";
import { type Finding, type FindingKind, fingerprintOf, maskOf, TOO_MANY } from "./finding.ts";
import { findFormats } from "./formats/formats.ts";
import { findKeys } from "./keys.ts";
import type { Match } from "./match.ts";
import { findBySecretlint } from "./secretlint.ts";
import { ValueSearch } from "./value-search.ts";
import type { ValueFinder } from "./values.ts";

// Looks through one content after another. Nothing in a content, its name or its neighbours switches anything off.

/**
 * Of one content: a dump of thousands of keys is known for what it is by these. What is allowed does not count, nor what is
 * there again, so that neither can use them up.
 */
const MAX_FINDINGS = 100;

export interface Content {
  /** As findings name it. */
  readonly file: string;
  readonly commit?: string | undefined;
  /** Whether it is to go into a commit. */
  readonly isStaged?: boolean;
  readonly chunks: AsyncIterable<Buffer> | Iterable<Buffer>;
  /** A record that an owner signed: keys of services have no place to be in it but its ciphertext, where they are chance. */
  readonly isSealed?: boolean;
}

interface Found extends Match {
  readonly kind: FindingKind;
  /** What the fingerprint of a vault's value is made of, instead of the value. */
  readonly identity?: string;
  /** The secrets whose value it is. */
  readonly names?: readonly string[];
}

interface Named extends Found {
  readonly fingerprint: string;
  readonly isAllowed: boolean;
}

export class Scanner {
  readonly #values: ValueFinder | undefined;
  readonly #valueIds: ReadonlyMap<string, string>;
  readonly isAllowed: (finding: Pick<Finding, "rule" | "fingerprint">) => boolean;

  /** @param valueIds for each value's name what changes with the value: an allowed value is not allowed once it is another. */
  constructor(
    values: ValueFinder | undefined,
    valueIds: ReadonlyMap<string, string>,
    isAllowed: Scanner["isAllowed"] = () => false,
  ) {
    this.#values = values;
    this.#valueIds = valueIds;
    this.isAllowed = isAllowed;
  }

  /** What is found in a content, in order, each fingerprint where it is first. */
  async scan({ file, commit, isStaged = false, chunks, isSealed = false }: Content): Promise<Finding[]> {
    const findings = new Map<string, Finding>();
    let counted = 0;
    const lines = new LineCounter();
    const search = this.#values === undefined ? undefined : new ValueSearch(this.#values);
    let searchedTo = 0;
    for await (const window of windowsOf(chunks)) {
      const end = window.start + window.bytes.length;
      const fresh = window.bytes.subarray(searchedTo - window.start);
      const values = search === undefined ? [] : this.#valuesIn(search.read(fresh, window.encoding), window);
      searchedTo = end;
      const others = await findOthers(window, file, isSealed);
      // What begins in the overlap is decided with the next window, which holds all of it.
      const inWindow = others.filter(({ start }) => start < window.next);
      const named = [...values, ...inWindow].map((found) => this.#named(found, file, window));
      for (const found of withoutOverlaps(named, window)) {
        const { fingerprint, isAllowed } = found;
        if (findings.has(fingerprint)) continue;
        const place = { file, commit, ...lines.placeOf(window, found.start) };
        if (!isAllowed && ++counted > MAX_FINDINGS) return [...findings.values(), tooMany(place)];
        findings.set(fingerprint, findingOf(found, { ...place, fingerprint }, isStaged));
      }
      lines.passed(window);
    }
    return [...findings.values()];
  }

  #named(found: Found, file: string, window: Window): Named {
    const { rule, identity } = found;
    const fingerprint = fingerprintOf(rule, file, identity ?? bytesOf(found, window));
    return { ...found, fingerprint, isAllowed: this.isAllowed({ rule, fingerprint }) };
  }

  #valuesIn(sightings: readonly Sighting[], window: Window): Found[] {
    return sightings.map(({ names, encoding, start, end }) => {
      const spelled = encoding === "raw" ? "" : `, ${SPELLED[encoding] ?? `as ${encoding}`}`;
      return {
        kind: "value",
        rule: "vault-value",
        what: `the value of ${names.join(" and ")}${spelled}`,
        // What began before the window is told where the window begins.
        start: Math.max(start, window.start),
        end: Math.max(end, window.start),
        names,
        identity: names.map((name) => `${name} ${this.#valueIds.get(name) ?? ""}`).join("\n"),
      };
    });
  }
}

const SPELLED: Readonly<Record<string, string>> = {
  base64: "in base64",
  base64url: "in base64url",
  hex: "in hex",
  percent: "percent-encoded",
  line: "a line of it",
  leaf: "a part of it",
  json: "escaped as in JSON",
  xml: "escaped as in XML",
  shell: "quoted for a shell",
  repr: "escaped",
  spaces: "with other spaces",
  crlf: "with other line ends",
  lf: "with other line ends",
};

async function findOthers(window: Window, file: string, isSealed: boolean): Promise<Found[]> {
  const found: Found[] = [];
  for (const { text, offsetOf } of window.readings) {
    const keys = [...findKeys(text), ...findEncodedKeys(text)];
    const formats = isSealed ? [] : [...findFormats(text), ...(await findBySecretlint(text, file))];
    const kinds = [...keys.map(ofKind("key")), ...formats.map(ofKind("format"))];
    for (const match of kinds) {
      const start = window.start + offsetOf(match.start);
      found.push({ ...match, start, end: window.start + offsetOf(match.end) });
    }
  }
  return found;
}

function ofKind(kind: FindingKind): (match: Match) => Found {
  return (match) => ({ ...match, kind });
}

const TAKEN = 1;
/** By a value of the vault that is allowed. It may be a part of a key that nobody allowed: a name in its address. */
const PASSED = 2;

/** Of what overlaps the first one given stays: what says more comes first. In the order of the content. */
function withoutOverlaps(found: readonly Named[], { start, bytes }: Window): Named[] {
  const places = Buffer.alloc(found.length === 0 ? 0 : bytes.length);
  return found
    .filter((one) => {
      const own = places.subarray(one.start - start, one.end - start);
      const isHidden = own.includes(TAKEN) || (own.length > 0 && own.every((byte) => byte === PASSED));
      if (!isHidden) own.fill(one.isAllowed && one.kind === "value" ? PASSED : TAKEN);
      return !isHidden;
    })
    .sort((a, b) => a.start - b.start);
}

function bytesOf({ start, end }: Found, window: Window): Buffer {
  return window.bytes.subarray(start - window.start, end - window.start);
}

function findingOf(
  found: Found,
  place: Pick<Finding, "file" | "commit" | "line" | "column" | "fingerprint">,
  isStaged: boolean,
): Finding {
  const { kind, rule, what, start, end } = found;
  return { ...place, kind, rule, what, masked: maskOf(end - start), next: nextStep(found, place, isStaged) };
}

function tooMany(place: Pick<Finding, "file" | "commit" | "line" | "column">): Finding {
  return {
    ...place,
    kind: "structure",
    rule: TOO_MANY,
    what: `more than ${MAX_FINDINGS} findings: the rest of this is not looked through`,
    masked: "",
    fingerprint: fingerprintOf(TOO_MANY, place.file, ""),
    next: "deal with those before it, then scan again",
  };
}

function nextStep(
  { kind, names = [] }: Found,
  { file, commit }: Pick<Finding, "file" | "commit">,
  isStaged: boolean,
): string {
  const ref = names[0] ?? "GROUP/NAME";
  const first =
    commit !== undefined
      ? "make that commit anew without it (git rebase -i), or if it was pushed replace it where it was made; then "
      : isStaged
        ? `unstage it (git restore --staged ${shellWord(file)}), then `
        : "";
  if (kind === "value") {
    return commit === undefined
      ? `${first}take the value out and launch with vault-run, which injects ${ref}`
      : `${first}launch with vault-run, which injects it; a new value goes into the vault with vault-run set ${ref}`;
  }
  if (kind === "key")
    return `${first}keep the key outside the repo, or in the vault: vault-run set GROUP/NAME --as-file --from-file FILE`;
  return `${first}put it into the vault instead: vault-run set GROUP/NAME`;
}
