import type { Case } from "../vectors.ts";
import { file, one, SECRET, type World, without } from "../world.ts";

/** A13: names and links that lead elsewhere. */
export function namedCases({ files }: World): Case[] {
  return [
    one("a secret above its folder", "A13", "bad-name", { get: "stripe/../API_KEY" }),
    one("a group above its folder", "A13", "bad-name", { get: "../API_KEY" }),
    one("no group", "A13", "bad-name", { get: "API_KEY" }),
    one("an agent above its folder", "A13", "bad-name", { agent: "../crawler", key: "crawler" }),
    one("a name with U+0000", "A13", "bad-name", { get: "stripe/API\u0000KEY" }),
    one("a file in a folder of grants that can be no record", "A13", "bad-name", {
      files: { "agents/crawler/grants/..json": "{}\n" },
    }),
    one("a file in a folder of secrets that can be no record", "A13", "bad-name", {
      env: true,
      files: { "groups/stripe/secrets/not-a-name.json": "{}\n" },
    }),
    one("two names that differ in letter case alone", "A13", "bad-name", {
      env: true,
      files: { "groups/stripe/secrets/api_key.json": "{}\n" },
    }),
    file("a link in the place of a record", "A13", "record-invalid", { [SECRET]: { link: "WEBHOOK.json" } }),
    file("a link in the place of vault.json", "A13", "record-invalid", {
      "vault.json": { link: "../elsewhere.json" },
    }),
    one("a link in the place of a folder", "A13", "record-invalid", {
      files: { ...without(files, "groups/stripe/"), "groups/stripe": { link: "twin" } },
    }),
    one("a file in the place of a folder", "A13", "unknown-group", {
      files: { ...without(files, "groups/stripe/"), "groups/stripe": "a file\n" },
    }),
  ];
}
