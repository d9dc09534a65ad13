import type { Case } from "../vectors.ts";
import { file, GRANT, GROUP, one, replaced, SECRET, type World } from "../world.ts";

/** A4: records and ciphertexts at another place than their own. */
export async function movedCases({ files, other, forger, secret, group, sealedAs }: World): Promise<Case[]> {
  return [
    file("a record copied over another", "A4", "record-invalid", {
      [SECRET]: files["groups/stripe/secrets/WEBHOOK.json"] ?? "",
    }),
    file("a record of another group", "A4", "record-invalid", {
      [SECRET]: files["groups/twin/secrets/API_KEY.json"] ?? "",
    }),
    file("a record of another vault", "A4", "wrong-vault", { [SECRET]: other.files[SECRET] ?? "" }),
    one("another vault altogether", "A4", "wrong-vault", { files: replaced(files, other.files) }),
    file("a ciphertext of another secret of the group", "A4", "sealed-context", {
      [SECRET]: forger.byOwner(SECRET, { sealed: forger.read("groups/stripe/secrets/WEBHOOK.json").sealed }),
    }),
    file("a ciphertext of another group", "A4", "not-for-identity", {
      [SECRET]: forger.byOwner(SECRET, { sealed: forger.read("groups/twin/secrets/API_KEY.json").sealed }),
    }),
    file("a grant with another group's identity", "A4", "not-for-identity", {
      [GRANT]: forger.byOwner(GRANT, { sealed: forger.read("agents/clash/grants/twin.json").sealed }),
    }),
    file(
      "a payload of another value",
      "A4",
      "sealed-context",
      await sealedAs({ valueId: "0".repeat(32), encoding: "utf8", value: "x" }),
    ),
    file(
      "a payload of another epoch",
      "A4",
      "sealed-context",
      await sealedAs({ epoch: 99, encoding: "utf8", value: "x" }),
    ),
    file(
      "a payload with a field more",
      "A4",
      "sealed-context",
      await sealedAs({ encoding: "utf8", value: "x", more: "y" }),
    ),
    file("a payload without its encoding", "A4", "sealed-context", await sealedAs({ value: "x" })),
    file(
      "a payload of an unknown encoding",
      "A4",
      "sealed-context",
      await sealedAs({ encoding: "hex", value: "00" }),
    ),
    file(
      "a payload in base64 that is not its one spelling",
      "A4",
      "sealed-context",
      await sealedAs({ encoding: "base64", value: "eB==" }),
    ),
    file("a secret of another epoch", "A4", "record-epoch", {
      [SECRET]: forger.byOwner(SECRET, { epoch: Number(secret.epoch) + 1 }),
    }),
    file("a grant of another epoch", "A4", "record-epoch", { [GRANT]: forger.byOwner(GRANT, { epoch: 99 }) }),
    file("a group of another epoch", "A4", "record-epoch", {
      [GROUP]: forger.byOwner(GROUP, { epoch: Number(group.epoch) - 1 }),
    }),
  ];
}
