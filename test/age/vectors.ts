import { inflateSync } from "node:zlib";
import * as vectors from "cctv-age";
import { Identity } from "../../src/age/identity.ts";

/** One file of the format's published test kit (C2SP, CCTV/age), and what must come of it. */
export interface Vector {
  readonly name: string;
  readonly expect:
    | "success"
    | "no match"
    | "HMAC failure"
    | "header failure"
    | "payload failure"
    | "armor failure";
  readonly identities: readonly Identity[];
  readonly isArmored: boolean;
  /** SHA-256, in hex, of the plaintext, of as much as may be released. */
  readonly payload: string | undefined;
  readonly file: Buffer;
}

export const VECTORS: readonly Vector[] = Object.entries(
  vectors as unknown as Record<string, Uint8Array>,
).map(([name, bytes]) => {
  const whole = Buffer.from(bytes);
  const end = whole.indexOf("\n\n");
  const fields = whole
    .toString("utf8", 0, end)
    .split("\n")
    .map((line) => line.split(": ") as [string, string]);
  const find = (key: string) => fields.find(([found]) => found === key)?.[1];
  const body = whole.subarray(end + 2);
  return {
    name,
    expect: find("expect") as Vector["expect"],
    identities: fields.filter(([key]) => key === "identity").map(([, text]) => Identity.parse(text)!),
    isArmored: find("armored") === "yes",
    payload: find("payload"),
    file: find("compressed") === "zlib" ? inflateSync(body) : body,
  };
});
