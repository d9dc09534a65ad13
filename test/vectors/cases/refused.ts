import type { Case } from "../vectors.ts";
import { GROUP, one, SECRET, type World } from "../world.ts";

/** Of the agent, its key, its grants and what it asks for. */
export function refusedCases({ forger, ownerKey }: World): Case[] {
  return [
    one("no vault.json", undefined, "no-vault", { files: { "vault.json": null } }),
    one("an agent that there is not", undefined, "unknown-agent", {
      agent: "nobody",
      key: "crawler-unnamed",
    }),
    one("an agent that was removed", undefined, "unknown-agent", { agent: "gone" }),
    one("another agent's key", undefined, "wrong-key", { key: "early" }),
    one("a key of nobody", undefined, "wrong-key", { key: "stranger", owner: ownerKey }),
    one("an owner's key", undefined, "wrong-key", { key: "ann" }),
    one("a key of another vault", undefined, "wrong-vault", { key: "crawler-of-another" }),
    one("a key file that is none", undefined, "key-file", { key: "broken" }),
    one("a key file with a pin that is misspelt", undefined, "key-file", { key: "misspelt" }),
    one("a group that was not granted", undefined, "not-granted", { get: "twin/API_KEY" }),
    one("a group that there is not", undefined, "not-granted", { get: "nothing/API_KEY" }),
    one("a group that was revoked", undefined, "not-granted", { agent: "late", get: "files/LARGE" }),
    one("nothing granted", undefined, "not-granted", { agent: "idle", env: true }),
    one("a grant whose time has passed", undefined, "expired", { agent: "late" }),
    one("a grant whose time has just come", undefined, "expired", {
      get: "mail/PASSWORD",
      now: "2036-01-31T00:00:00.000Z",
    }),
    one("a value whose time has passed", undefined, "expired", { agent: "late", get: "old/EXPIRED" }),
    one("a value whose time has just come", undefined, "expired", {
      get: "stripe/WEBHOOK",
      now: "2036-01-31T00:00:00.000Z",
    }),
    one("a secret that there is not", undefined, "unknown-secret", { get: "stripe/NOTHING" }),
    one("a secret that was removed", undefined, "unknown-secret", { get: "stripe/GONE" }),
    one("a group that is gone beside its grant", undefined, "unknown-group", { files: { [GROUP]: null } }),
    one("one variable for two secrets", undefined, "collision", { agent: "clash", env: true }),
    one("a variable that steers what runs", undefined, "unsafe-name", {
      env: true,
      files: { [SECRET]: forger.byOwner(SECRET, { env: "Node_Options" }) },
    }),
    one("a value that cannot stand in a variable", undefined, "bad-value", {
      env: true,
      files: {
        "groups/files/secrets/CERTIFICATE.json": forger.byOwner("groups/files/secrets/CERTIFICATE.json", {
          deliver: "env",
        }),
      },
    }),
  ];
}
