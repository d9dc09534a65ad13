import { changed, signatureBy, spelled } from "../forge.ts";
import type { Case } from "../vectors.ts";
import { GROUP, REF, SECRET, type World } from "../world.ts";

/** A5, A6, A7: what is older than what was seen, differs from it, or was refused. */
export function olderCases({
  before,
  values,
  keys,
  value,
  forger,
  secret,
  vault,
  owners,
  ownerKey,
}: World): Case[] {
  return [
    // A5: older than what was seen
    {
      name: "an older record of a secret",
      threat: "A5",
      steps: [
        { get: REF, value },
        { get: REF, files: { [SECRET]: before[SECRET] ?? "" }, code: "record-rollback" },
        { get: REF, value },
      ],
    },
    {
      name: "an older vault.json",
      threat: "A5",
      steps: [
        {
          get: REF,
          files: { "vault.json": forger.byOwner("vault.json", { serial: Number(vault.serial) + 1 }) },
          value,
        },
        { get: REF, code: "record-rollback" },
      ],
    },
    {
      name: "pins that another program wrote",
      threat: "A5",
      pins: {
        "groups/stripe.json": `${JSON.stringify({ records: { [SECRET]: { serial: Number(secret.serial) + 1, digest: "0".repeat(64) } } })}\n`,
      },
      steps: [{ get: REF, code: "record-rollback" }],
    },
    {
      name: "a record that is gone",
      threat: "A5",
      steps: [
        { get: REF, value },
        { get: REF, files: { [SECRET]: null }, code: "record-missing" },
      ],
    },
    {
      name: "a grant that is gone, of another group",
      threat: "A5",
      steps: [
        { get: "mail/PASSWORD", value: values["mail/PASSWORD"] ?? "" },
        { get: REF, files: { "agents/crawler/grants/mail.json": null }, code: "record-missing" },
      ],
    },
    {
      name: "pins in which whole numbers have a point or an exponent",
      pins: {
        "groups/stripe.json": `{"records":{"${SECRET}":{"serial":${Number(secret.serial) - 1}.0,"digest":"${"0".repeat(64)}"},"${GROUP}":{"serial":1e0,"digest":"${"0".repeat(64)}"}}}\n`,
      },
      steps: [{ get: REF, value }],
    },
    {
      name: "pins that cannot be understood",
      threat: "A5",
      pins: { "vault.json": "{}\n" },
      steps: [{ get: REF, code: "disk" }],
    },
    {
      name: "pins of an owner who is a former one",
      threat: "A5",
      pins: {
        "vault.json": `${JSON.stringify({ records: {}, owners: [owners[1]?.verifyKey], formerOwners: [ownerKey] })}\n`,
      },
      steps: [{ get: REF, code: "untrusted" }],
    },

    // A6: the same serial, other bytes
    {
      name: "another record under the same serial",
      threat: "A6",
      steps: [
        { get: REF, value },
        {
          get: REF,
          files: { [SECRET]: forger.byOwner(SECRET, { description: "another" }) },
          code: "record-conflict",
        },
      ],
    },
    {
      name: "the same record, signed again",
      threat: "A6",
      steps: [
        { get: REF, value },
        {
          get: REF,
          files: { [SECRET]: spelled({ ...secret, signatures: [signatureBy(keys.bea, secret)] }) },
          value,
        },
      ],
    },

    // A7: a pin of what was refused
    {
      name: "a newer vault.json beside a record that is refused is not pinned",
      threat: "A7",
      steps: [
        {
          get: REF,
          files: {
            "vault.json": forger.byOwner("vault.json", { serial: Number(vault.serial) + 1 }),
            [SECRET]: forger.byStranger(SECRET, {}),
          },
          code: "record-signature",
        },
        { get: REF, value },
      ],
    },
    {
      name: "a newer record that does not open is not pinned",
      threat: "A7",
      steps: [
        {
          get: REF,
          files: {
            [SECRET]: forger.byOwner(SECRET, {
              serial: Number(secret.serial) + 1,
              sealed: changed(secret.sealed, (age) => age.subarray(0, -1)),
            }),
          },
          code: "sealed-damaged",
        },
        { get: REF, value },
      ],
    },
  ];
}
