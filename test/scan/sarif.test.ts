import { describe, expect, it } from "vitest";
import type { Finding } from "../../src/scan/finding.ts";
import { sarifOf } from "../../src/scan/sarif.ts";

const finding = (file: string): Finding => ({
  kind: "key",
  rule: "private-key",
  what: "a PEM private key",
  file,
  line: 2,
  column: 3,
  masked: "********",
  fingerprint: "0".repeat(64),
  next: "keep it elsewhere",
});

describe("a finding in SARIF", () => {
  it("has a location in every file, whatever its name, and none where there is no file", () => {
    const files = ["(x).txt", "(a)/b", "a.txt", "(commit message)", "(commit header)", "(standard input)"];
    const { runs } = JSON.parse(JSON.stringify(sarifOf(files.map(finding), [], "1.0.0")));
    const uris = runs[0].results.map(
      ({ locations }: { locations: { physicalLocation: { artifactLocation: { uri: string } } }[] }) =>
        locations.map(({ physicalLocation }) => physicalLocation.artifactLocation.uri),
    );
    expect(uris).toEqual([["(x).txt"], ["(a)/b"], ["a.txt"], [], [], []]);
  });
});
