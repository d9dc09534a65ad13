import { format, inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/vault/secret.ts";

const VALUE = "sk_live_not_to_be_seen";
const secret = () => new Secret("stripe/API_KEY", Buffer.from(VALUE));

describe("a secret (promise 10)", () => {
  it("prints, formats, inspects, serialises and converts as its mask", () => {
    const shown = [
      String(secret()),
      `${secret()}`,
      `${secret()}x`,
      JSON.stringify([secret()]),
      inspect(secret(), { showHidden: true, depth: 9, getters: true }),
      format("%s %o %O %j", secret(), secret(), secret(), secret()),
      inspect(new Error("failed", { cause: secret() })),
      JSON.stringify(Object.entries(secret())),
      JSON.stringify({ ...secret() }),
    ];
    for (const text of shown) expect(text).not.toContain(VALUE);
    expect(shown[0]).toBe("[REDACTED:stripe/API_KEY]");
  });

  it("is in no field of its own, private or not: a debugger would show it", () => {
    expect(Reflect.ownKeys(secret())).toEqual(["ref"]);
    expect(String(Secret)).not.toMatch(/#\w+;/);
  });

  it("does not travel in a structured clone", () => {
    expect(JSON.stringify(structuredClone(secret()))).not.toContain(VALUE);
  });

  it("reveals itself only when asked", () => {
    expect(secret().reveal()).toBe(VALUE);
    expect(secret().bytes().toString()).toBe(VALUE);
  });

  it("refuses to reveal bytes that are no text rather than alter them", () => {
    expect(() => new Secret("a/B", Buffer.from([0xff])).reveal()).toThrow(TypeError);
  });

  it("overwrites its bytes when disposed", () => {
    const bytes = Buffer.from(VALUE);
    {
      using disposed = new Secret("a/B", bytes);
      expect(disposed.isText()).toBe(true);
    }
    expect(bytes.equals(Buffer.alloc(VALUE.length))).toBe(true);
  });

  it("gives nothing once it was disposed, rather than an empty value", () => {
    const disposed = secret();
    disposed.dispose();
    disposed.dispose();
    for (const attempt of [() => disposed.reveal(), () => disposed.bytes(), () => disposed.isText()])
      expect(attempt).toThrow(TypeError);
    expect(`${disposed}`).toBe("[REDACTED:stripe/API_KEY]");
  });
});
