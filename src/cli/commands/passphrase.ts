import { storeOwnerKey } from "../../admin/owner-key-place.ts";
import type { OwnerKey } from "../../vault/owner-key.ts";
import { sealOwnerKey } from "../../vault/owner-passphrase.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { newPassphrase } from "../new-passphrase.ts";
import { findStoredKey } from "../stored-key.ts";

/** Puts a passphrase on the owner's key, changes it, or takes it off. The vault is not touched. */
export async function run(context: CommandContext): Promise<number> {
  const { key } = await findStoredKey(context);
  await (context.has("remove") ? takeOff(context, key) : putOn(context, key));
  return DONE;
}

async function putOn(context: CommandContext, key: OwnerKey): Promise<void> {
  using passphrase = await newPassphrase(context, key.hasPassphrase);
  await storeOwnerKey(key, await sealOwnerKey(key.text, passphrase.bytes()));
  context.console.say(
    `the owner key has a ${key.hasPassphrase ? "new passphrase" : "passphrase"} now: ${key.from}`,
  );
  context.console.detail("copies of the key from before are as they were: your backup too");
}

async function takeOff(context: CommandContext, key: OwnerKey): Promise<void> {
  if (!key.hasPassphrase) {
    context.console.say(`the owner key has no passphrase: ${key.from}`);
    return;
  }
  await context.confirm(`leave the owner key without a passphrase, ${key.from}?`);
  await storeOwnerKey(key, key.text);
  context.console.say(`the owner key has no passphrase any more: ${key.from}`);
}
