// Writes what is in the package, and what is installed with it: npm's list of the lock file in CycloneDX's form, without what
// only builds and tests it. What is bundled is a devDependency to npm, so the build's own list says which those are.
// The same lock file, build and SOURCE_DATE_EPOCH make the same bytes.
// usage: npm run sbom    or, with another place for it, node scripts/sbom.ts OUT
import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

interface Component {
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly scope: string;
  readonly properties: readonly { readonly name: string; readonly value: string }[];
}

const DEVELOPMENT = "cdx:npm:package:development";
const BUNDLED = { name: "cdx:npm:package:bundled", value: "true" };

const [out] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: node scripts/sbom.ts OUT");
const root = resolve(import.meta.dirname, "..");
const { name } = JSON.parse(readFileSync(`${root}/package.json`, "utf8")) as { name: string };
const notices = readFileSync(`${root}/dist/THIRD-PARTY-LICENSES.txt`, "utf8");
const bundled = new Set(
  [...notices.matchAll(/^(\S+) (\d\S*) \(/gm)].map(([, of, version]) => `${of}@${version}`),
);

const words = ["sbom", "--package-lock-only", "--sbom-format", "cyclonedx"];
const list = JSON.parse(execFileSync("npm", words, { cwd: root, encoding: "utf8" }));
const components = (list.components as Component[]).filter(isDelivered).map(describe);
const refs = new Set([list.metadata.component["bom-ref"], ...components.map((part) => part["bom-ref"])]);
const missing = [...bundled].filter((ref) => !refs.has(ref));
if (missing.length > 0) throw new Error(`bundled, and not in the lock file: ${missing.join(", ")}`);

const { SOURCE_DATE_EPOCH } = process.env;
const made = SOURCE_DATE_EPOCH === undefined ? new Date() : new Date(Number(SOURCE_DATE_EPOCH) * 1000);
const content = {
  ...list,
  serialNumber: undefined,
  metadata: {
    ...list.metadata,
    timestamp: made.toISOString(),
    lifecycles: [{ phase: "build" }],
    // npm has the folder's name here.
    component: { ...list.metadata.component, name },
  },
  components,
  dependencies: (list.dependencies as { ref: string; dependsOn: string[] }[])
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((on) => refs.has(on)) })),
};
const serialNumber = `urn:uuid:${uuidOf(hash("sha256", JSON.stringify(content)))}`;
writeFileSync(out, `${JSON.stringify({ ...content, serialNumber }, null, 2)}\n`);

function isDelivered(part: Component): boolean {
  return bundled.has(part["bom-ref"]) || part.properties.every((property) => property.name !== DEVELOPMENT);
}

function describe(part: Component): Component {
  if (!bundled.has(part["bom-ref"])) return part;
  const others = part.properties.filter((property) => property.name !== DEVELOPMENT);
  return { ...part, scope: "required", properties: [...others, BUNDLED] };
}

/** Of version 8, whose bits are its maker's own. */
function uuidOf(digest: string): string {
  const bits = `${digest.slice(0, 12)}8${digest.slice(13, 16)}8${digest.slice(17, 32)}`;
  return bits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
