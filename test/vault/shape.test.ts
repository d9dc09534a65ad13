import { describe, expect, it } from "vitest";
import { dictionary, list, object, oneOf, optional, text, that } from "../../src/vault/shape.ts";

const lower = text<string>((found) => /^[a-z]+$/.test(found));
const shape = object({
  name: lower,
  kind: oneOf("a", "b"),
  maybe: optional(lower),
  items: list(object({ id: that<number>(Number.isInteger) }), 1, 2),
  byName: dictionary((name) => name.startsWith("x"), lower),
});
const good = { name: "abc", kind: "b", items: [{ id: 1 }], byName: { x1: "a" } };

describe("a shape", () => {
  it("takes what is exactly so, with optional fields or without", () => {
    expect(shape.findMismatch(good)).toBeUndefined();
    expect(shape.findMismatch({ ...good, maybe: "yes" })).toBeUndefined();
  });

  it.each([
    ["name", { ...good, name: "ABC" }],
    ["name", { ...good, name: undefined }],
    ["kind", { ...good, kind: "c" }],
    ["maybe", { ...good, maybe: 5 }],
    ["maybe", { ...good, maybe: undefined }],
    ["items", { ...good, items: [] }],
    ["items", { ...good, items: [{ id: 1 }, { id: 2 }, { id: 3 }] }],
    ["items", { ...good, items: { 0: { id: 1 }, length: 1 } }],
    ["items.1.id", { ...good, items: [{ id: 1 }, { id: 1.5 }] }],
    ["byName.x1", { ...good, byName: { x1: "A" } }],
    ["byName", { ...good, byName: ["a"] }],
    ["", null],
    ["", "text"],
    ["", [good]],
  ])("names the field that is not as expected: %j", (field, value) => {
    expect(shape.findMismatch(value)).toEqual({ field, why: "unexpected" });
  });

  it.each([
    ["", JSON.parse('{"name":"abc","kind":"b","items":[{"id":1}],"byName":{},"__proto__":{}}')],
    ["", { ...good, toString: "x" }],
    ["items.0", { ...good, items: [{ id: 1, more: 2 }] }],
    ["byName", { ...good, byName: { y: "a" } }],
  ])("takes no field that is not its own: %j", (field, value) => {
    expect(shape.findMismatch(value)).toEqual({ field, why: "unknown-field" });
  });

  it("does not take inherited fields for its own", () => {
    expect(object({ toString: that(() => true) }).findMismatch({})).toEqual({
      field: "toString",
      why: "unexpected",
    });
  });
});
