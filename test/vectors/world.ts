import { Forger, sealed, withoutPins } from "./forge.ts";
import type { Made } from "./make-vault.ts";
import type { Case, Step } from "./vectors.ts";

// What the cases are made of: the vault, and who may forge what.

export const REF = "stripe/API_KEY";
export const SECRET = "groups/stripe/secrets/API_KEY.json";
export const GROUP = "groups/stripe/group.json";
export const GRANT = "agents/crawler/grants/stripe.json";
export const AGENT = "agents/crawler/agent.json";
export const EARLIER = "2026-06-30T00:00:00.000Z";

type Files = NonNullable<Step["files"]>;
type Fields = Record<string, unknown>;

export interface World extends Made {
  /** A vault of the other suite. */
  readonly other: Made;
  readonly keys: Readonly<Record<string, string>>;
  readonly forger: Forger;
  /** Of `REF`, in base64. */
  readonly value: string;
  readonly secret: Fields;
  readonly group: Fields;
  readonly vault: Fields;
  readonly owners: readonly Record<string, string>[];
  readonly ownerKey: string;
  readonly strangerKey: string;
  /** A sound payload that anyone can seal to the group. */
  readonly readable: string;
  /** The secret with a payload that has these fields, signed by an owner. */
  readonly sealedAs: (fields: Fields) => Promise<Files>;
}

export async function makeWorld(made: Made, other: Made): Promise<World> {
  const { owner, files, values } = made;
  const { keys } = owner;
  const forger = new Forger(files, keys.ann ?? "", keys.stranger ?? "");
  const [secret, group, vault] = [SECRET, GROUP, "vault.json"].map((path) => forger.read(path)) as [
    Fields,
    Fields,
    Fields,
  ];
  const owners = vault.owners as Record<string, string>[];
  const { epoch, valueId } = secret;
  const context = { type: "secret", vault: owner.id, group: "stripe", name: "API_KEY", epoch, valueId };
  const payload = (fields: Fields) => sealed({ ...context, ...fields }, group.recipient);
  return {
    ...made,
    other,
    keys,
    forger,
    value: values[REF] ?? "",
    secret,
    group,
    vault,
    owners,
    ownerKey: owners[0]?.verifyKey ?? "",
    strangerKey: forger.strangerVerifyKey,
    readable: await payload({ encoding: "utf8", value: "forged" }),
    sealedAs: async (fields) => ({ [SECRET]: forger.byOwner(SECRET, { sealed: await payload(fields) }) }),
  };
}

/** One reading, of `REF` where it says nothing else; `code` undefined where it is no refusal. */
export function one(
  name: string,
  threat: string | undefined,
  code: Step["code"],
  step: Omit<Step, "code">,
): Case {
  const asked = step.env === undefined ? { get: REF } : {};
  return {
    name,
    ...(threat === undefined ? {} : { threat }),
    steps: [{ ...asked, ...step, ...(code === undefined ? {} : { code }) }],
  };
}

/** A reading of `REF` that is refused with other files. */
export function file(name: string, threat: string, code: Step["code"], files: Files): Case {
  return one(name, threat, code, { files });
}

/** Key files that some cases need, besides those of the vault. */
export function moreKeys({ owner }: Made, other: Made): Record<string, string> {
  const crawler = owner.keys.crawler ?? "";
  return {
    "crawler-bare": withoutPins(crawler),
    "crawler-unnamed": crawler.replace(/^# agent: .*\n/m, ""),
    "crawler-of-another": other.owner.keys.crawler ?? "",
    broken: "# nothing in here\n",
    misspelt: crawler.replace("# owner:", "# Owner:"),
  };
}

export function text(base64 = ""): string {
  return Buffer.from(base64, "base64").toString();
}

export function without(files: Readonly<Record<string, string>>, folder: string): Files {
  const paths = Object.keys(files).filter((path) => path.startsWith(folder));
  return Object.fromEntries(paths.map((path) => [path, null]));
}

export function replaced(
  files: Readonly<Record<string, string>>,
  others: Readonly<Record<string, string>>,
): Files {
  const small = Object.entries(others).filter(([path]) => !path.endsWith("LARGE.json"));
  return { ...without(files, ""), ...Object.fromEntries(small) };
}
