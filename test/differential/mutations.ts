import { SigningKey } from "../../src/age/signing-key.ts";
import { parseKeyFile } from "../../src/vault/key-file.ts";
import { signedBytes } from "../../src/vault/record.ts";
import { changed, sealed, spelled } from "../vectors/forge.ts";
import type { Vectors } from "../vectors/vectors.ts";
import { type Fields, mutateRecord } from "./mutate-record.ts";
import { mutateBytes, respell } from "./mutate-text.ts";
import type { Random } from "./random.ts";

/** One reading of a vault in which something is not as it should be. */
export interface Mutation {
  /** What stands there instead; null for nothing. */
  readonly files: Readonly<Record<string, string | Buffer | null>>;
  readonly keyFile: string | Buffer;
  /** Of files in the folder of pins; undefined for a machine that has seen nothing. */
  readonly pins: Readonly<Record<string, string | Buffer>> | undefined;
  readonly owner?: string;
  readonly now: number;
  /** One secret, or all variables where there is none. */
  readonly get?: string;
}

/** Makes mutations of a vault. What it takes from `random` decides everything but the keys that age makes. */
export class Mutator {
  readonly files: Readonly<Record<string, string>>;
  readonly #vectors: Vectors;
  readonly #pins: Readonly<Record<string, string>>;
  readonly #records: ReadonlyMap<string, Fields>;
  readonly #paths: readonly string[];
  readonly #owner: SigningKey;
  readonly #stranger: SigningKey;

  /** @param pins as a sound reading leaves them. */
  constructor(
    vectors: Vectors,
    files: Readonly<Record<string, string>>,
    pins: Readonly<Record<string, string>>,
  ) {
    this.files = files;
    this.#vectors = vectors;
    this.#pins = pins;
    this.#records = new Map(Object.entries(files).map(([path, text]) => [path, JSON.parse(text)]));
    this.#paths = [...this.#records.keys()].filter((path) =>
      /^(vault|agents\/crawler|groups\/(stripe|mail|files))/.test(path),
    );
    this.#owner = keyOf(vectors, "ann");
    this.#stranger = keyOf(vectors, "stranger");
  }

  async make(random: Random): Promise<Mutation> {
    const kind = random.next();
    const keyFile = this.#vectors.keys.crawler ?? "";
    const path = this.#path(random);
    const base: Mutation = {
      files: {},
      keyFile,
      pins: random.chance(0.5) ? this.#pins : undefined,
      now: Date.parse(this.#vectors.now) + (random.chance(0.1) ? random.of([-1, 0, 1, 1e12, -1e12]) : 0),
      ...(random.chance(0.6)
        ? { get: random.of(["stripe/API_KEY", "stripe/API_KEY", "mail/PASSWORD", "files/BINARY"]) }
        : {}),
    };
    if (kind < 0.5) return { ...base, files: { [path]: await this.#record(random, path) } };
    if (kind < 0.6) return { ...base, files: { [path]: this.#respelled(random, path) } };
    if (kind < 0.7)
      return { ...base, files: { [path]: mutateBytes(random, Buffer.from(this.files[path] ?? "")) } };
    if (kind < 0.78) {
      const from = this.#path(random);
      const moved = {
        ...this.#records.get(from),
        ...(random.chance(0.5) ? namesOf(this.#records.get(path)) : {}),
      };
      const text = random.chance(0.5) ? (this.files[from] ?? "") : this.#signed(random, moved);
      return {
        ...base,
        files: { [path]: text, ...(random.chance(0.3) ? { [from]: this.files[path] ?? "" } : {}) },
      };
    }
    if (kind < 0.82) return { ...base, files: { [path]: null } };
    if (kind < 0.92) return { ...base, keyFile: this.#key(random, keyFile), ...this.#owned(random) };
    return { ...base, pins: this.#pinned(random), ...this.#owned(random) };
  }

  #path(random: Random): string {
    return random.chance(0.2) ? "vault.json" : random.of(this.#paths);
  }

  #owned(random: Random): Pick<Mutation, "owner"> {
    if (random.chance(0.7)) return {};
    return {
      owner: random.of([
        this.#owner.verifyKey,
        this.#stranger.verifyKey,
        `${this.#owner.verifyKey}\n`,
        "x",
        " ",
      ]),
    };
  }

  #respelled(random: Random, path: string): string {
    return respell(random, this.files[path] ?? "");
  }

  async #record(random: Random, path: string): Promise<string> {
    const record = this.#records.get(path) ?? {};
    const others = [...this.#records.values()];
    if (random.chance(0.3)) {
      if ("sealed" in record)
        return this.#signed(random, { ...record, sealed: await this.#resealed(random, record) });
    }
    let changedRecord = mutateRecord(random, record, others);
    if (random.chance(0.2)) changedRecord = mutateRecord(random, changedRecord, others);
    try {
      return random.chance(0.3) ? spelled(changedRecord) : this.#signed(random, changedRecord);
    } catch {
      // What has no canonical form nobody can sign.
      return `${JSON.stringify(changedRecord, null, 2)}\n`;
    }
  }

  /** Another age file in the place of the record's own. */
  async #resealed(random: Random, record: Fields): Promise<string> {
    if (random.chance(0.5)) return changed(record.sealed, (file) => mutateBytes(random, file));
    const { type, vault, group, name, agent, epoch, valueId } = record;
    const content =
      "valueId" in record
        ? { encoding: random.of(["utf8", "base64", "hex"]), value: "forged" }
        : { identity: "x" };
    const payload = JSON.parse(
      JSON.stringify({ type, vault, group, name, agent, epoch, valueId, ...content }),
    );
    const recipient = this.#records.get(`groups/${group}/group.json`)?.recipient;
    try {
      return await sealed(random.chance(0.5) ? payload : mutateRecord(random, payload, [record]), recipient);
    } catch {
      return String(record.sealed);
    }
  }

  #signed(random: Random, record: Fields): string {
    const { signatures: _, ...unsigned } = record;
    const by = (key: SigningKey) => ({
      key: key.verifyKey,
      alg: "ed25519",
      sig: key.sign(signedBytes(unsigned as never)),
    });
    const [own, strange] = [by(this.#owner), by(this.#stranger)];
    const signatures = random.chance(0.9)
      ? [own]
      : random.of([[strange], [own, strange], [own, own], [{ ...own, sig: strange.sig }]]);
    return spelled({ ...record, signatures });
  }

  #key(random: Random, text: string): string | Buffer {
    if (random.chance(0.4)) return mutateBytes(random, Buffer.from(text));
    const lines = text.split("\n");
    const at = random.below(lines.length);
    const line = lines[at] ?? "";
    const other = random.of(Object.values(this.#vectors.keys)).split("\n");
    switch (random.below(6)) {
      case 5: {
        const word = random.of(["agent", "Vault", "owner", "former-owner", "vault-run ", "note"]);
        const misspelt = mutateBytes(random, Buffer.from(word)).toString("latin1");
        return lines
          .toSpliced(at, 0, `# ${misspelt}${random.of([": ", "=", " "])}${line.slice(9)}`)
          .join("\n");
      }
      case 0:
        return lines.toSpliced(at, 1).join("\n");
      case 1:
        return lines.toSpliced(at, 0, line).join("\n");
      case 2:
        return lines.with(at, random.of(other)).join("\n");
      case 3:
        return other.join("\n");
      default: {
        const space = random.of([
          " ",
          "\t",
          "\u00a0",
          "\u2003",
          "\ufeff",
          "\u0085",
          "\u001c",
          "\v",
          "\u180e",
          "\u200b",
        ]);
        return lines
          .with(
            at,
            line.replace(random.of([/^/, /$/, /: /, /# /, / /]), (found) => found + space),
          )
          .join("\n");
      }
    }
  }

  #pinned(random: Random): Record<string, string | Buffer> {
    const name = random.of(Object.keys(this.#pins));
    const text = this.#pins[name] ?? "{}";
    const parsed = JSON.parse(text) as Fields;
    const others = [...Object.values(parsed.records as Fields), parsed] as Fields[];
    const changedText = random.chance(0.6)
      ? `${JSON.stringify(mutateRecord(random, parsed, others))}\n`
      : random.chance(0.5)
        ? text.replace(
            /"serial":(\d+)/,
            random.of([
              '"serial":$1.0',
              '"serial":$1e0',
              '"serial":-$1',
              '"serial":9$1',
              '"serial":"$1"',
              '"serial":1',
            ]),
          )
        : mutateBytes(random, Buffer.from(text)); // prettier-ignore
    return { ...this.#pins, [name]: changedText };
  }
}

function keyOf({ keys }: Vectors, whose: string): SigningKey {
  return SigningKey.derive(parseKeyFile(keys[whose] ?? "", whose).identity);
}

function namesOf({ name, group, agent }: Fields = {}): Fields {
  return JSON.parse(JSON.stringify({ name, group, agent }));
}
