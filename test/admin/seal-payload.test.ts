import { describe, expect, it } from "vitest";
import { sealPayload } from "../../src/admin/seal-payload.ts";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import { openSealed } from "../../src/vault/open-sealed.ts";
import { codeOf } from "../fixtures/vault.ts";

describe("a payload", () => {
  it("is overwritten once it is sealed, also where that fails", async () => {
    const identity = await generateIdentity("classic");
    const recipient = await recipientOf(identity);
    const payload = Buffer.from("what is sealed");
    const sealed = await sealPayload(payload, [recipient]);
    expect(await openSealed("x", sealed, identity, String)).toBe("what is sealed");
    expect(payload).toEqual(Buffer.alloc(14));
    const damaged = `${recipient.slice(0, -1)}${recipient.endsWith("q") ? "p" : "q"}` as typeof recipient;
    payload.fill("x");
    expect(await codeOf(() => sealPayload(payload, [damaged]))).toBe("record-invalid");
    expect(payload).toEqual(Buffer.alloc(14));
  });
});
