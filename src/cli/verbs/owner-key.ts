import { OWNER_KEY, VAULT, YES } from "./options.ts";
import type { Verb } from "./verb.ts";

// Where an owner's key is kept, and how it is opened.

export const OWNER_KEY_VERBS: readonly Verb[] = [
  {
    name: "passphrase",
    takes: "",
    about: "put a passphrase on the owner's key, or change it",
    options: [{ flag: "--remove", about: "take it off" }, VAULT, OWNER_KEY, YES],
    examples: ["vault-run passphrase", "vault-run passphrase --remove"],
    load: () => import("../commands/passphrase.ts"),
  },
  {
    name: "keychain",
    takes: "",
    about: "move the owner's key into the keychain of this system",
    options: [{ flag: "--remove", about: "move it back into its file" }, VAULT, OWNER_KEY, YES],
    examples: ["vault-run keychain", "vault-run keychain --remove"],
    load: () => import("../commands/keychain.ts"),
  },
];
