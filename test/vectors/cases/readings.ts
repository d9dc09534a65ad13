import type { Case } from "../vectors.ts";
import { one, REF, SECRET, text, type World } from "../world.ts";

/** What is no refusal: values, variables, and keys that are followed to them. */
export function readingsCases({ values, value, forger, secret, ownerKey }: World): Case[] {
  const newer = forger.byOwner(SECRET, { serial: Number(secret.serial) + 1 });
  return [
    ...Object.entries(values)
      .filter(([ref]) => /^(stripe|mail|files)\//.test(ref))
      .map(([ref, known]): Case => ({ name: `the value of ${ref}`, steps: [{ get: ref, value: known }] })),
    one("all that is granted, as variables", undefined, undefined, {
      env: true,
      variables: {
        API_KEY: text(values[REF]),
        STRIPE_WEBHOOK: text(values["stripe/WEBHOOK"]),
        PASSWORD: text(values["mail/PASSWORD"]),
      },
    }),
    one("a variable that steers what runs, of a secret that is marked for it", undefined, undefined, {
      agent: "early",
      env: true,
      variables: {
        API_KEY: text(values[REF]),
        STRIPE_WEBHOOK: text(values["stripe/WEBHOOK"]),
        LD_PRELOAD: text(values["unsafe/PROXY"]),
      },
    }),
    one("a key file that pins the owner's first key alone", undefined, undefined, { agent: "early", value }),
    one("a bare key and VAULT_RUN_OWNER", undefined, undefined, {
      key: "crawler-bare",
      owner: ownerKey,
      value,
    }),
    one("a value expires when its time has come, not before", undefined, undefined, {
      get: "stripe/WEBHOOK",
      now: "2036-01-30T23:59:59.999Z",
      value: values["stripe/WEBHOOK"] ?? "",
    }),
    {
      name: "a newer record after an older one",
      steps: [
        { get: REF, value },
        { get: REF, files: { [SECRET]: newer }, value },
      ],
    },
  ];
}
