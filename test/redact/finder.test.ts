import { describe, expect, it } from "vitest";
import { Finder } from "../../src/redact/finder.ts";

const VALUE = "sk_live_4eC39HqLyjW";
const finder = new Finder([{ name: "stripe/API_KEY", value: VALUE }]);

describe("a finder", () => {
  it("says which secret stands where, in which encoding, without changing anything", () => {
    const base64 = Buffer.from(VALUE).toString("base64").replaceAll("=", "");
    const text = `key ${VALUE}, and ${base64}.`;
    expect(finder.search().read(Buffer.from(text))).toEqual([
      { names: ["stripe/API_KEY"], encoding: "raw", start: 4, end: 4 + VALUE.length },
      expect.objectContaining({ encoding: "base64", start: text.indexOf(base64) }),
    ]);
  });

  it("finds what is cut into chunks at every place, with its place in the whole", () => {
    const text = Buffer.from(`some text before ${VALUE} and behind`);
    for (let cut = 1; cut < text.length; cut++) {
      const search = finder.search();
      const found = [...search.read(text.subarray(0, cut)), ...search.read(text.subarray(cut))];
      expect(found.map(({ start, encoding }) => [start, encoding])).toEqual([[17, "raw"]]);
    }
  });

  it("names what is too short, and two secrets of one value", () => {
    const both = new Finder([
      { name: "a/A", value: "the-same-value" },
      { name: "b/B", value: "the-same-value" },
      { name: "c/C", value: "12345" },
    ]);
    expect(both.tooShort).toEqual(["c/C"]);
    expect(both.search().read(Buffer.from("the-same-value"))[0]?.names).toEqual(["a/A", "b/B"]);
  });
});
