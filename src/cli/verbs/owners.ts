import { CHANGES, JSON_OUT, READS } from "./options.ts";
import type { Verb } from "./verb.ts";

// Who administers.

export const OWNERS_VERBS: readonly Verb[] = [
  {
    name: "owners",
    takes: "",
    about: "list the owners and their keys",
    options: READS,
    examples: ["vault-run owners"],
    load: () => import("../commands/owners.ts"),
  },
  {
    name: "add-owner",
    takes: "<name>",
    about: "let someone else open and change everything, with a key of their own",
    options: [
      { flag: "--out FILE", about: "make their key here, in this file; - for standard output" },
      { flag: "--card FILE", about: "add who made this card, - for standard input" },
      {
        flag: "--make-card",
        about: "make an owner key for yourself (in --out, or your configuration folder) and print its card",
      },
      { flag: "--passphrase", about: "put a passphrase on the key that is made" },
      ...CHANGES,
    ],
    examples: [
      "vault-run add-owner bea --out bea.key",
      "vault-run add-owner bea --make-card > bea.card     # on bea's machine; changes nothing",
      "vault-run add-owner bea --card bea.card            # by an owner",
    ],
    load: () => import("../commands/add-owner.ts"),
  },
  {
    name: "remove-owner",
    takes: "<owner>",
    about: "remove an owner for good: new keys for every group, everything sealed again to those who remain",
    options: [...CHANGES, JSON_OUT],
    examples: ["vault-run remove-owner bea"],
    load: () => import("../commands/remove-owner.ts"),
  },
];
