import { SigningKey } from "../../src/age/signing-key.ts";
import { parseKeyFile } from "../../src/vault/key-file.ts";
import { encodeRecord, signRecord } from "../../src/vault/record.ts";
import type { AllowRecord, Unsigned } from "../../src/vault/schema.ts";
import type { Timestamp } from "../../src/vault/time.ts";
import { bareKey } from "./forge.ts";
import { VectorOwner } from "./owner.ts";
import type { Vectors } from "./vectors.ts";

export const NOW = "2026-12-01T00:00:00.000Z";
const LATER = "2036-01-31T00:00:00.000Z" as Timestamp;
const EARLIER = "2026-06-30T00:00:00.000Z" as Timestamp;

const TEXTS: Record<string, string> = {
  "stripe/API_KEY": "sk_live_51Habcdefghij",
  "stripe/WEBHOOK": 'whsec_größe-密码\twith "quotes", a \\ and\nlines\n',
  "mail/PASSWORD": "\ufeffcorrect horse battery",
  "twin/API_KEY": "of the same name as another",
  "old/EXPIRED": "past its time",
  "unsafe/PROXY": "http://user:pass@proxy.example.org:8080",
};
const BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const LARGE = `${"0123456789abcdef".repeat(4096)}x`;

export interface Made {
  readonly owner: VectorOwner;
  readonly files: Record<string, string>;
  /** The same vault before the value of stripe/API_KEY was last changed. */
  readonly before: Record<string, string>;
  readonly values: Vectors["values"];
}

/** A vault that holds every kind of record, with three owners who came and went. */
export async function makeVault(suite: "pq" | "classic"): Promise<Made> {
  const owner = new VectorOwner();
  await owner.init(suite);
  await owner.addAgent("early");
  await owner.addOwner("bea");
  await owner.addOwner("cid");
  for (const agent of ["crawler", "late", "gone", "idle", "clash"])
    await owner.addAgent(agent, `the ${agent} one`);
  const text = (ref: string, options = {}) => owner.set(ref, TEXTS[ref] ?? "", options);
  await owner.set("stripe/API_KEY", "sk_live_50Hbefore");
  await text("stripe/WEBHOOK", { env: "STRIPE_WEBHOOK", description: 'signs "events"', expiresAt: LATER });
  await owner.set("stripe/GONE", "removed in time");
  await owner.unset("stripe/GONE");
  await text("mail/PASSWORD");
  await owner.set("files/CERTIFICATE", BYTES, { deliver: "file" });
  await owner.set("files/LARGE", LARGE, { deliver: "file" });
  await text("twin/API_KEY");
  await text("old/EXPIRED", { expiresAt: EARLIER });
  await text("unsafe/PROXY", { env: "LD_PRELOAD", unsafeName: true });
  for (const group of ["stripe", "mail", "files"])
    await owner.grant("crawler", group, group === "mail" ? LATER : undefined);
  for (const group of ["stripe", "unsafe"]) await owner.grant("early", group);
  for (const group of ["stripe", "twin"]) await owner.grant("clash", group);
  await owner.grant("gone", "mail");
  await owner.removeAgent("gone");
  await owner.grant("late", "files");
  await owner.revoke("late", "files");
  await owner.grant("late", "old");
  await owner.grant("late", "stripe", EARLIER);
  await owner.removeOwner("cid");
  await owner.rekey();
  await owner.grant("late", "stripe", EARLIER);
  await owner.addAgent("fresh");
  await owner.grant("fresh", "stripe");
  const before = owner.files();
  await text("stripe/API_KEY");
  owner.keys.stranger = await bareKey(suite);
  const values = { ...TEXTS };
  return {
    owner,
    files: { ...owner.files(), "allow.json": allow(owner) },
    before: { ...before, "allow.json": allow(owner) },
    values: {
      ...Object.fromEntries(
        Object.entries(values).map(([ref, value]) => [ref, Buffer.from(value).toString("base64")]),
      ),
      "files/CERTIFICATE": BYTES.toString("base64"),
      "files/LARGE": Buffer.from(LARGE).toString("base64"),
    },
  };
}

function allow(owner: VectorOwner): string {
  const key = SigningKey.derive(parseKeyFile(owner.keys.ann ?? "", "ann").identity);
  const record: Unsigned<AllowRecord> = {
    type: "allow",
    vault: owner.id,
    serial: 1,
    entries: [{ fingerprint: "0".repeat(64), reason: "an example in the documentation", at: EARLIER }],
  };
  return encodeRecord(signRecord(record, key) as AllowRecord).toString();
}
