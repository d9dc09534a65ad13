import { COMMIT_HEADER, COMMIT_MESSAGE, type Finding, STANDARD_INPUT } from "./finding.ts";

const NO_FILES = [COMMIT_HEADER, COMMIT_MESSAGE, STANDARD_INPUT];
const SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json";

/** Findings in SARIF 2.1.0, as code hosts take them. What is allowed is there, suppressed with its reason. */
export function sarifOf(
  findings: readonly Finding[],
  allowed: readonly (Finding & { readonly reason: string })[],
  version: string,
): object {
  const rules = [...new Set([...findings, ...allowed].map(({ rule }) => rule))].sort();
  return {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "vault-run", version, rules: rules.map((id) => ({ id })) } },
        columnKind: "unicodeCodePoints",
        results: [
          ...findings.map((finding) => resultOf(finding)),
          ...allowed.map((finding) => ({
            ...resultOf(finding),
            suppressions: [{ kind: "external", justification: finding.reason }],
          })),
        ],
      },
    ],
  };
}

function resultOf({ rule, what, next, file, line, column, commit, fingerprint }: Finding): object {
  return {
    ruleId: rule,
    level: "error",
    message: { text: `${what}; ${next}` },
    locations: NO_FILES.includes(file)
      ? []
      : [
          {
            physicalLocation: {
              artifactLocation: { uri: file.split("/").map(encodeURIComponent).join("/") },
              region: { startLine: line, startColumn: column },
            },
          },
        ],
    partialFingerprints: { "vaultRun/v1": fingerprint },
    ...(commit === undefined ? {} : { properties: { commit } }),
  };
}
