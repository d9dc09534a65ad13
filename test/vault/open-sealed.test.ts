import { describe, expect, it } from "vitest";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import { seal } from "../../src/age/seal.ts";
import { openSealed } from "../../src/vault/open-sealed.ts";

describe("what was opened", () => {
  it.each(["pq", "classic"] as const)(
    "is overwritten once it was read, also where it is refused: %s",
    async (suite) => {
      const identity = await generateIdentity(suite);
      const sealed = (await seal(Buffer.from("what is sealed"), [await recipientOf(identity)])).toString(
        "base64",
      );
      const opened: Buffer[] = [];
      const read = (plaintext: Buffer) => {
        opened.push(plaintext);
        return plaintext.toString();
      };
      expect(await openSealed("x", sealed, identity, read)).toBe("what is sealed");
      const refuse = (plaintext: Buffer) => {
        throw new RangeError(read(plaintext));
      };
      await expect(openSealed("x", sealed, identity, refuse)).rejects.toThrow("what is sealed");
      expect(opened).toEqual([Buffer.alloc(14), Buffer.alloc(14)]);
    },
  );
});
