import { spelled, verifyKeyIn } from "../forge.ts";
import type { Case } from "../vectors.ts";
import { AGENT, EARLIER, file, GROUP, one, SECRET, type World } from "../world.ts";

/** A1, A2, A3: whoever can push puts in agents, grants, owners and values of their own. */
export function swappedCases({
  files,
  keys,
  forger,
  strangerKey,
  secret,
  owners,
  ownerKey,
  readable,
}: World): Case[] {
  return [
    // A1: an agent, grant or key of someone's own
    file("an agent's recipient and verify key swapped", "A1", "record-signature", {
      [AGENT]: forger.edited(AGENT, { verifyKey: strangerKey, recipient: owners[0]?.recipient }),
    }),
    file("an agent's record signed by a stranger", "A1", "record-signature", {
      [AGENT]: forger.byStranger(AGENT, { description: "mine now" }),
    }),
    one("a grant signed by a stranger", "A1", "record-signature", {
      get: "twin/API_KEY",
      files: {
        "agents/crawler/grants/twin.json": forger.byStranger("agents/clash/grants/twin.json", {
          agent: "crawler",
        }),
      },
    }),
    one("a grant to another agent, copied", "A1", "record-invalid", {
      get: "twin/API_KEY",
      files: { "agents/crawler/grants/twin.json": files["agents/clash/grants/twin.json"] ?? "" },
    }),
    file("a group's recipient swapped", "A1", "record-signature", {
      [GROUP]: forger.edited(GROUP, { recipient: owners[0]?.recipient }),
    }),
    file("a trusted signature beside one of a stranger", "A1", "record-signature", {
      [SECRET]: spelled({
        ...secret,
        signatures: [
          ...(secret.signatures as object[]),
          { key: strangerKey, alg: "ed25519", sig: Buffer.alloc(64).toString("base64") },
        ],
      }),
    }),

    // A2: another owner
    file("vault.json of a stranger who lists himself", "A2", "untrusted", {
      "vault.json": forger.byStranger("vault.json", {
        owners: [{ ...owners[0], verifyKey: strangerKey }],
        succession: [],
      }),
    }),
    file("a stranger among the owners", "A2", "record-signature", {
      "vault.json": forger.edited("vault.json", {
        owners: [...owners, { name: "eve", recipient: forger.read(AGENT).recipient, verifyKey: strangerKey }],
      }),
    }),
    file("an owner's recipient swapped", "A2", "record-signature", {
      "vault.json": forger.edited("vault.json", {
        owners: owners.map((it, index) =>
          index === 0 ? { ...it, recipient: forger.read(AGENT).recipient } : it,
        ),
      }),
    }),
    file("a link to a stranger that no owner signed", "A2", "untrusted", {
      "vault.json": forger.byStranger("vault.json", {
        owners: [{ ...owners[0], verifyKey: strangerKey }],
        succession: [
          { from: ownerKey, to: strangerKey, at: EARLIER, sig: Buffer.alloc(64).toString("base64") },
        ],
      }),
    }),
    one("a former owner among the owners", "A2", "untrusted", {
      agent: "fresh",
      files: {
        "vault.json": forger.byOwner("vault.json", {
          owners: [
            ...owners,
            { name: "cid", recipient: forger.read(AGENT).recipient, verifyKey: verifyKeyIn(keys.cid) },
          ],
        }),
      },
    }),
    one("VAULT_RUN_OWNER is another's", "A2", "untrusted", { owner: strangerKey }),
    one("VAULT_RUN_OWNER is no verify key", "A2", "untrusted", { owner: `${ownerKey} ` }),
    one("a bare key and nothing that says whose vault it is", "A2", "untrusted", { key: "crawler-bare" }),
    file("an owner who stands twice", "A2", "record-invalid", {
      "vault.json": forger.byOwner("vault.json", { owners: [...owners, owners[0]] }),
    }),

    // A3: a value that anyone can seal
    file("a value sealed to the group, with the signature that was there", "A3", "record-signature", {
      [SECRET]: forger.edited(SECRET, { sealed: readable }),
    }),
    file("a value sealed to the group, signed by a stranger", "A3", "record-signature", {
      [SECRET]: forger.byStranger(SECRET, { sealed: readable }),
    }),
  ];
}
