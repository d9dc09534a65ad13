import * as z from "zod";
import { parseSecretRef } from "../vault/names.ts";
import { VaultError } from "../vault-error.ts";
import { secretName } from "./arguments.ts";
import { type Answer, type Call, type Calls, result } from "./calls.ts";

export const input = z.strictObject({ name: secretName });
export const output = z.object({
  name: z.string(),
  value: z.string(),
  encoding: z.enum(["utf8", "base64"]).describe("base64 where the value is not text"),
});

/** Shows a value where its owner lets a model see it. */
export async function getSecret(calls: Calls, { name }: z.infer<typeof input>, call: Call): Promise<Answer> {
  const ref = parseSecretRef(name);
  const { session } = call;
  session.grants([ref.group]);
  const secret = session.vault.secret(ref);
  if (session.vault.group(ref.group).policy.reveal !== true) {
    throw new VaultError(
      "not-allowed",
      `the owner does not let ${ref.group} be shown to a model`,
      `use it without seeing it: run_with_secrets puts ${name} into a program's environment, http_request into a request; if it must be shown, the owner runs: vault-run policy ${ref.group} --reveal`,
    );
  }
  session.requireUnexpired(secret);
  return calls.release(call, [secret], {}, ([value]) => {
    if (value === undefined) throw new TypeError("no value was opened");
    const encoding = value.isText() ? "utf8" : "base64";
    const text = value.bytes().toString(encoding);
    value.dispose();
    return result(text, { name, value: text, encoding });
  });
}
