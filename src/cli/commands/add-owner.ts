import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { MAX_CARD_BYTES, makeCard, parseCard } from "../../admin/owner-card.ts";
import type { OwnerSession } from "../../admin/owner-session.ts";
import { newOwner, planAddOwner, requireNewOwner } from "../../admin/plans/add-owner.ts";
import { keyFingerprint } from "../../vault/fingerprint.ts";
import { createKeyFile } from "../../vault/key-file.ts";
import { ownerKeyPath } from "../../vault/key-lookup.ts";
import { parseOwnerName } from "../../vault/names.ts";
import type { Owner } from "../../vault/schema.ts";
import { diskError, VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { readStream } from "../input.ts";
import { newKeyPath, warnOfKeyInRepo, withKey } from "../new-key-file.ts";
import { ownerKeyText } from "../new-passphrase.ts";
import { openAsNewcomer } from "../newcomer.ts";
import { change, commitNote, progressOf } from "../owner-verb.ts";

// Three ways: the new owner's key is made here (--out), or it is made where it stays, by --make-card, which prints a card,
// and an owner adds the one of that card (--card).

export function run(context: CommandContext): Promise<number> {
  const name = parseOwnerName(context.word(0));
  const makesCard = context.has("make-card");
  const card = context.text("card");
  const out = context.text("out");
  if (makesCard && card === undefined && out !== "-") return printCard(context, name);
  if (!makesCard && card !== undefined && out === undefined && !context.has("passphrase"))
    return addByCard(context, name, card);
  if (!makesCard && card === undefined && out !== undefined) return addWithNewKey(context, name);
  throw new VaultError(
    "usage",
    "say how the new owner gets a key, in one of three ways",
    "--out FILE makes it here; --make-card [--out FILE] makes it on their machine; --card FILE adds who made one",
  );
}

/** Makes a key file and changes nothing else: it takes no owner's key. */
async function printCard(context: CommandContext, name: string): Promise<number> {
  const { machine, console } = context;
  const vault = openAsNewcomer(context);
  const path = newKeyPath(context, ownerKeyPath(machine, vault.id), "an owner's key") ?? "";
  const { card, keyFile } = await makeCard(vault, name, machine.now());
  createKeyFile(path, await ownerKeyText(context, keyFile));
  console.printJson(card);
  console.say(`made an owner key, and its card on standard output; back the key up: ${path}`);
  await warnOfKeyInRepo(context, path);
  console.detail(`its fingerprint: ${keyFingerprint(card.verifyKey)}`);
  for (const owner of vault.record.owners)
    console.detail(`it trusts owner ${owner.name}, fingerprint ${keyFingerprint(owner.verifyKey)}`);
  console.detail("compare these with an owner's vault-run owners, by another way than the repo");
  console.detail(`next, by an owner: vault-run add-owner ${name} --card FILE`);
  return DONE;
}

async function addByCard(context: CommandContext, name: string, file: string): Promise<number> {
  const text = await readCard(context, file);
  return add(context, name, async (session) => {
    const owner = parseCard(text, session.vault.id);
    if (owner.name !== name) {
      throw new VaultError(
        "wrong-key",
        `this card is of ${owner.name}, not of ${name}`,
        `add them by that name, or have another card made`,
      );
    }
    return { owner };
  });
}

function addWithNewKey(context: CommandContext, name: string): Promise<number> {
  return add(context, name, async (session) => {
    const path = newKeyPath(context, "", "");
    const { owner, keyFile } = await newOwner(session, name);
    return { owner, key: { path, text: await ownerKeyText(context, keyFile) } };
  });
}

interface NewOwner {
  readonly owner: Owner;
  /** Their key file, where it is made here; without a path it goes to standard output. */
  readonly key?: { readonly path: string | undefined; readonly text: string };
}

async function add(
  context: CommandContext,
  name: string,
  findOwner: (session: OwnerSession) => Promise<NewOwner>,
): Promise<number> {
  const { console } = context;
  let added: NewOwner | undefined;
  const done = await change(context, "add-owner", async (session) => {
    added = await findOwner(session);
    requireNewOwner(session, added.owner);
    const fingerprint = keyFingerprint(added.owner.verifyKey);
    await context.confirm(`let ${name} (key ${fingerprint}) open and change everything in this vault?`);
    const plan = await planAddOwner(session, added.owner, progressOf(context, "sealing again"));
    return added.key === undefined ? plan : withKey(context, plan, added.key.path, added.key.text);
  });
  if (added === undefined) throw new TypeError("a plan that was not made");
  const { owner, key } = added;
  console.say(`added owner ${name}, key ${keyFingerprint(owner.verifyKey)}${commitNote(done)}`);
  if (key === undefined) console.detail("push it: their key opens the vault once they have pulled");
  else console.detail(`their key file: ${key.path ?? "on standard output"}; it opens everything`);
  return DONE;
}

async function readCard(context: CommandContext, file: string): Promise<string> {
  if (file === "-") {
    const card = await readStream(context.console.input(), MAX_CARD_BYTES + 1);
    return card.length > MAX_CARD_BYTES ? "" : card.toString("utf8");
  }
  const path = resolve(context.machine.cwd, file);
  try {
    const { size } = statSync(path);
    return size > MAX_CARD_BYTES ? "" : readFileSync(path, "utf8");
  } catch (error) {
    throw diskError(error, "read the card", path);
  }
}
