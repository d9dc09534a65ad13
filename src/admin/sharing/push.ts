import { dirname } from "node:path";
import { blocksOf, linesOf } from "../../audit/blocks.ts";
import { auditLogPath } from "../../audit/log.ts";
import { type LogSource, localLog } from "../../audit/source.ts";
import { findWriter, WRITER_REFS, type Writer } from "../../audit/writer.ts";
import { listRefs, moveRef, pushRefs, type Refs } from "../../git/refs.ts";
import { findVariable, type Machine } from "../../vault/machine.ts";
import { VaultError } from "../../vault-error.ts";
import { type Arrival, takeIncoming } from "./incoming.ts";
import { findWriterRefs, judgeLine, type Unpushable } from "./lines-here.ts";
import { Outgoing, PushedLines } from "./outgoing.ts";
import { arrivalError, lackingError, pushError } from "./refusals.ts";
import { type Sharing, type SharingOptions, withSharing, writerName } from "./session.ts";

// Pushes the log of this machine: each verified line to the ref of its writer, behind what is there. Needs no key, since lines
// are signed when they are written. Where a ref has lines that the log here has not, nothing is added to it.

const ATTEMPTS = 5;
/** What the log here had when it was pushed: tells its own loss from another machine's lines. */
const RECORD_REFS = "refs/vault-run/pushed/";

export interface Pushed {
  readonly remote: string;
  readonly logs: readonly PushedLog[];
  /** One for each log that was not pushed. */
  readonly refused: readonly VaultError[];
  /** How many lines stay here, by what is wrong with them. */
  readonly kept: ReadonlyMap<Unpushable, number>;
}

export interface PushedLog {
  readonly who: string;
  readonly lines: number;
  /** How many of them had been there before. */
  readonly again: number;
}

export function pushAuditLog(
  machine: Machine,
  options: SharingOptions,
  note: (text: string) => void,
): Promise<Pushed> {
  return withSharing(machine, options, note, async (sharing) => {
    const push = new Push(machine, sharing);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (await push.run()) return push.outcome;
    }
    throw new VaultError(
      "git-failed",
      `the logs here and at ${sharing.remote} kept changing meanwhile`,
      "run it again; nothing was lost",
    );
  });
}

/** What stood here already and not there any more is pushed with what was added. */
function linesPushed(arrival: Arrival | undefined, added: number): { lines: number; again: number } {
  const lost = arrival?.finding?.kind === "shortened" ? arrival.finding.lost.lines : 0;
  return { lines: added + lost, again: arrival?.remote === undefined ? 0 : lost };
}

class Push {
  readonly #machine: Machine;
  readonly #sharing: Sharing;
  readonly #log: LogSource;
  readonly #refused = new Map<string, VaultError>();
  readonly #pushed = new Map<string, PushedLog>();
  /** Refs of writers of whom the first line was written while the log was gone through. */
  readonly #late = new Set<string>();
  /** What the remote had of what it did not take, and its reason. */
  readonly #rejected = new Map<string, { readonly at: string | undefined; readonly reason: string }>();
  #kept = new Map<Unpushable, number>();

  constructor(machine: Machine, sharing: Sharing) {
    const isShared = findVariable(machine, "VAULT_RUN_AUDIT_DIR") !== undefined;
    this.#machine = machine;
    this.#sharing = sharing;
    this.#log = localLog(dirname(auditLogPath(machine, sharing.vault.id)), isShared);
  }

  get outcome(): Pushed {
    const { remote } = this.#sharing;
    return {
      remote,
      logs: [...this.#pushed.values()],
      refused: [...this.#refused.values()],
      kept: this.#kept,
    };
  }

  /** False where something else was pushed meanwhile, or another writer began. */
  async run(): Promise<boolean> {
    const { plumbing, remote } = this.#sharing;
    const records = await this.#records();
    const seeming = await findWriterRefs(this.#log, this.#sharing.readers);
    const wanted = new Set([...seeming, ...records.keys(), ...this.#late]);
    const arrivals = await takeIncoming(
      plumbing,
      remote,
      (ref) => wanted.has(ref) && !this.#refused.has(ref),
    );
    const known = new Map(arrivals.map((arrival) => [arrival.ref, arrival]));
    for (const arrival of arrivals) this.#refuseUnlessGrown(arrival);
    for (const [ref, { at, reason }] of this.#rejected)
      if (known.get(ref)?.remote === at) this.#refused.set(ref, pushError(this.#nameOf(ref), remote, reason));
    const open = [...wanted].filter((ref) => !this.#refused.has(ref));
    const { outgoing, isWhole } = await this.#collect(open, known);
    const commits = new Map<string, string>();
    for (const [ref, log] of outgoing) {
      const commit = await this.#commit(ref, log, records.get(ref));
      if (commit !== undefined && commit !== known.get(ref)?.remote) commits.set(ref, commit);
    }
    const rejected = await pushRefs(plumbing, remote, commits);
    for (const [ref, commit] of commits) {
      const reason = rejected.get(ref);
      if (reason !== undefined) {
        this.#rejected.set(ref, { at: known.get(ref)?.remote, reason });
        continue;
      }
      this.#count(ref, linesPushed(known.get(ref), outgoing.get(ref)?.draft.added ?? 0));
      if (plumbing.canKeep) await this.#keep(ref, commit);
    }
    return rejected.size === 0 && isWhole;
  }

  #count(ref: string, { lines, again }: Pick<PushedLog, "lines" | "again">): void {
    const before = this.#pushed.get(ref) ?? { lines: 0, again: 0 };
    const who = this.#nameOf(ref);
    this.#pushed.set(ref, { who, lines: before.lines + lines, again: before.again + again });
  }

  #nameOf(ref: string): string {
    return writerName(findWriter(ref) as Writer, this.#sharing.readers);
  }

  /** What was pushed from here before, by the refs it was pushed to. */
  async #records(): Promise<Refs> {
    const { plumbing, readers } = this.#sharing;
    const records = new Map<string, string>();
    for (const [name, commit] of await listRefs(plumbing, RECORD_REFS)) {
      const ref = `${WRITER_REFS}${name.slice(RECORD_REFS.length)}`;
      if (readers.has(findWriter(ref)?.key ?? "")) records.set(ref, commit);
    }
    return records;
  }

  /** What the remote lost at the end is pushed again. */
  #refuseUnlessGrown({ ref, finding }: Arrival): void {
    if (finding === undefined || finding.kind === "shortened") return;
    this.#refused.set(ref, arrivalError(this.#nameOf(ref), ref, this.#sharing.remote, finding));
  }

  /**
   * Goes through the log here: what the refs have, and what is to follow there. That ends before the first line of a writer
   * whose ref is not among them, since later lines may name it as the one before them.
   */
  async #collect(
    refs: readonly string[],
    known: ReadonlyMap<string, Arrival>,
  ): Promise<{ outgoing: ReadonlyMap<string, Outgoing>; isWhole: boolean }> {
    const { plumbing, readers, vault } = this.#sharing;
    const pushed = new PushedLines(vault.id);
    const outgoing = new Map<string, Outgoing>();
    for (const ref of refs)
      outgoing.set(ref, await Outgoing.open(plumbing, ref, known.get(ref)?.held, pushed));
    this.#kept = new Map();
    let isWhole = true;
    for await (const { bytes } of blocksOf(this.#log)) {
      const news = linesOf(bytes).filter((line) => line.length > 0 && !pushed.meets(line));
      const judged = await Promise.all(news.map((line) => judgeLine(line, vault.id, readers)));
      for (const [i, { why, ref, time }] of judged.entries()) {
        const found = news[i] as Buffer;
        if (why !== undefined) this.#kept.set(why, (this.#kept.get(why) ?? 0) + 1);
        if (ref === undefined || this.#refused.has(ref) || pushed.meets(found)) continue;
        const log = outgoing.get(ref);
        if (log === undefined) this.#late.add(ref);
        isWhole &&= log !== undefined;
        if (isWhole) await log?.add(found, time);
      }
    }
    return { outgoing, isWhole };
  }

  /** The commit to push; undefined where there is none, or where the log here is not what it was. */
  async #commit(ref: string, log: Outgoing, record: string | undefined): Promise<string | undefined> {
    const { plumbing, remote, readers, vault } = this.#sharing;
    const lacking = await log.findLost(
      record,
      async (line) => (await judgeLine(line, vault.id, readers)).ref === ref,
    );
    if (lacking !== undefined) {
      // Lines of other hosts that stand here may be copies. They say nothing of what that host has.
      const isOurs = findWriter(ref)?.host === this.#machine.host || record !== undefined;
      if (isOurs || log.draft.added > 0)
        this.#refused.set(ref, lackingError(this.#nameOf(ref), remote, lacking));
      return undefined;
    }
    const commit = await log.draft.commit();
    // Before it is pushed: whoever is killed behind that has pushed it.
    if (commit !== undefined && commit !== record && plumbing.canKeep)
      await moveRef(plumbing, `${RECORD_REFS}${ref.slice(WRITER_REFS.length)}`, commit, record);
    return commit;
  }

  async #keep(ref: string, commit: string): Promise<void> {
    const { plumbing } = this.#sharing;
    await moveRef(plumbing, ref, commit, (await listRefs(plumbing, ref)).get(ref));
  }
}
