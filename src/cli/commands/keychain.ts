import { moveToFile, moveToKeychain } from "../../admin/owner-key-place.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { findStoredKey } from "../stored-key.ts";

/** Moves the owner's key into the system's keychain, or back into its file. The vault is not touched. */
export async function run(context: CommandContext): Promise<number> {
  const { console } = context;
  const { vault, key } = await findStoredKey(context);
  const { account, from } = key;
  if (context.has("remove")) {
    if (account === undefined) {
      console.say(`the owner key is in its file already: ${from}`);
      return DONE;
    }
    await context.confirm(`put the owner key back into ${from}?`);
    await moveToFile(key, account);
    console.say(`the owner key is in its file again, and no longer in the keychain: ${from}`);
    return DONE;
  }
  if (account !== undefined) {
    console.say(`the owner key is in the keychain already; this file says so: ${from}`);
    return DONE;
  }
  await context.confirm(`move the owner key into the keychain, which is no backup, from ${from}?`);
  await moveToKeychain(key, vault);
  console.say(`the owner key is in the keychain now; this file says so: ${from}`);
  console.detail("a keychain is lost with its machine or its password: keep a backup of the key elsewhere");
  return DONE;
}
