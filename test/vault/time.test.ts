import { describe, expect, it } from "vitest";
import { isTimestamp, parseAge, parseExpiry, parseMoment } from "../../src/vault/time.ts";
import { VaultError } from "../../src/vault-error.ts";

const now = Date.parse("2026-11-23T12:00:00.000Z");

describe("an expiry", () => {
  it.each([
    ["90d", "2027-02-21T12:00:00.000Z"],
    ["12h", "2026-11-24T00:00:00.000Z"],
    ["30m", "2026-11-23T12:30:00.000Z"],
    ["2w", "2026-12-07T12:00:00.000Z"],
    ["2027-01-31", "2027-01-31T00:00:00.000Z"],
    ["2027-01-31T10:00+02:00", "2027-01-31T08:00:00.000Z"],
    ["2027-01-31T10:00:00Z", "2027-01-31T10:00:00.000Z"],
  ])("%s means %s", (text, expected) => {
    expect(parseExpiry(text, now)).toBe(expected);
  });

  it.each([
    "",
    "0d",
    "soon",
    "90",
    "2027-02-31",
    "2027-13-01",
    "2020-01-01",
    "-5d",
    "1e3d",
    "2027-01-31T10:00",
    "99999999d",
    "2027-01-31 (x)",
  ])("is not made from %j", (text) => {
    expect(() => parseExpiry(text, now)).toThrow(VaultError);
  });
});

describe("an age", () => {
  it.each([
    ["90d", 7_776_000_000],
    ["30m", 1_800_000],
    ["2w", 1_209_600_000],
  ])("%s is %i milliseconds", (text, expected) => {
    expect(parseAge(text)).toBe(expected);
  });

  it.each(["", "0d", "90", "-5d", "1.5d", "1e3d", "90D", " 90d", "2027-01-31"])(
    "is not made from %j",
    (text) => {
      expect(() => parseAge(text)).toThrow(VaultError);
    },
  );
});

describe("a moment", () => {
  it.each([
    ["90d", "2026-08-25T12:00:00.000Z"],
    ["30m", "2026-11-23T11:30:00.000Z"],
    ["2026-01-31", "2026-01-31T00:00:00.000Z"],
    ["2027-01-31T10:00+02:00", "2027-01-31T08:00:00.000Z"],
  ])("%s is %s", (text, expected) => {
    expect(parseMoment(text, now)).toBe(expected);
  });

  it.each(["", "0d", "-5d", "yesterday", "2026-02-30", "90", "999999w"])("is not made from %j", (text) => {
    expect(() => parseMoment(text, now)).toThrow(VaultError);
  });
});

describe("a timestamp", () => {
  it("has one spelling", () => {
    expect(isTimestamp("2026-11-23T12:00:00.000Z")).toBe(true);
    for (const text of [
      "2026-11-23T12:00:00Z",
      "2026-11-23T12:00:00.000z",
      "2026-02-30T12:00:00.000Z",
      "2026-11-23T24:00:00.000Z",
      "2026-11-23T12:00:00.000Z\n",
    ]) {
      expect(isTimestamp(text)).toBe(false);
    }
  });
});
