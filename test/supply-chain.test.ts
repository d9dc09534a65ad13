import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { isPermissive } from "./fixtures/licences.ts";
import { tempFolder } from "./fixtures/temp.ts";

// What is installed and what is bundled: from where, unchanged, and under which terms.

const ROOT = resolve(import.meta.dirname, "..");
const REGISTRY = "https://registry.npmjs.org/";
const LOCKS = ["", "test/clients", "test/nodes", "bench/peers"];
/** What runs a script of its own while it is installed: the rest is only unpacked. */
const SCRIPTED = ["esbuild", "koffi", "node"];

interface Locked {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly version?: string;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
}

const packagesIn = (folder: string): [string, Locked][] => {
  const lock = JSON.parse(readFileSync(join(ROOT, folder, "package-lock.json"), "utf8"));
  return Object.entries<Locked>(lock.packages).filter(([path]) => path.includes("node_modules/"));
};
const nameOf = (path: string) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);

describe.each(LOCKS)("the lock file in ./%s", (folder) => {
  it("names no registry but npm's, and no file, git repository or URL besides", () => {
    const elsewhere = packagesIn(folder).filter(([, { resolved = REGISTRY, link }]) => {
      return link !== true && !resolved.startsWith(REGISTRY);
    });
    expect(elsewhere).toEqual([]);
  });

  it("has a digest of all that any system installs", () => {
    const without = packagesIn(folder).filter(([, { integrity, link }]) => {
      return link !== true && integrity?.startsWith("sha512-") !== true;
    });
    expect(without).toEqual([]);
  });
});

describe.each(["python/requirements", "python/publish", "test/clients/requirements"])(
  "the Python packages of ./%s.txt",
  (path) => {
    const read = (end: string) => readFileSync(join(ROOT, path + end), "utf8").replaceAll("\\\n", "");
    const locked = read(".txt")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));

    it("have each one version and its digests", () => {
      const loose = locked.filter(
        (line) => !/^[\w-]+==[\w.]+( ; [^#]*?)?( +--hash=sha256:[0-9a-f]{64})+$/.test(line),
      );
      expect(loose).toEqual([]);
    });

    it("are those that are asked for, and what they need", () => {
      const asked = read(".in").trim().split("\n");
      expect(asked.filter((line) => !locked.some((found) => found.startsWith(`${line} `)))).toEqual([]);
    });

    it("are installed by their digests alone", () => {
      const scripts = readdirSync(join(ROOT, "scripts")).filter((name) => name.endsWith(".sh"));
      const lines = scripts.flatMap((name) => readFileSync(join(ROOT, "scripts", name), "utf8").split("\n"));
      const installing = lines.filter((line) => /\bpip (install|download)\b/.test(line));
      expect(installing.length).toBeGreaterThan(1);
      expect(installing.filter((line) => !line.includes(" --require-hashes "))).toEqual([]);
    });
  },
);

describe("what is installed", () => {
  it("runs scripts of these packages alone", () => {
    const scripted = packagesIn("").filter(([, { hasInstallScript }]) => hasInstallScript === true);
    expect(scripted.map(([path]) => nameOf(path)).sort()).toEqual(SCRIPTED);
  });
});

describe("what is bundled", () => {
  const bundled = bundledPackages();

  it("is known, each package in the version that is locked", () => {
    expect(bundled.length).toBeGreaterThan(10);
    const locked = new Set(packagesIn("").map(([path, { version }]) => `${nameOf(path)} ${version}`));
    expect(bundled.filter(({ name, version }) => !locked.has(`${name} ${version}`))).toEqual([]);
  });

  it("has terms that let anyone pass it on, as has what is installed besides", () => {
    const optional = packagesIn("").filter(([path, { dev }]) => dev !== true && isInstalled("", path));
    const installed = optional.map(([path, { license = "" }]) => ({ name: nameOf(path), license }));
    expect([...bundled, ...installed].filter(({ license }) => !isPermissive(license))).toEqual([]);
  });
});

describe("the list of what is delivered", () => {
  const makeIn = async (folder: string) => {
    const env = { SOURCE_DATE_EPOCH: "1700000000" };
    await execa("node", [join(ROOT, "scripts/sbom.ts"), "sbom.json"], { cwd: folder, env });
    return readFileSync(join(folder, "sbom.json"), "utf8");
  };

  it("has what is bundled and what is installed besides, each with its digest and terms, and nothing else", async () => {
    const list = JSON.parse(await makeIn(tempFolder()));
    expect(list.metadata.component.purl).toMatch(/^pkg:npm\/vault-run@\d/);
    expect(list.metadata.timestamp).toBe("2023-11-14T22:13:20.000Z");
    const parts = list.components as {
      name: string;
      version: string;
      hashes: object[];
      licenses: object[];
    }[];
    const besides = packagesIn("").filter(([, { dev }]) => dev !== true);
    const delivered = [
      ...bundledPackages().map(({ name, version }) => `${name}@${version}`),
      ...besides.map(([path, { version }]) => `${nameOf(path)}@${version}`),
    ];
    expect(parts.map(({ name, version }) => `${name}@${version}`).sort()).toEqual(delivered.sort());
    for (const { name, hashes, licenses } of parts)
      expect([name, hashes.length, licenses.length]).toEqual([name, 1, 1]);
  });

  it("is the same at every making", async () => {
    expect(await makeIn(tempFolder())).toBe(await makeIn(tempFolder()));
  });
});

function bundledPackages(): { name: string; version: string; license: string }[] {
  const notices = readFileSync(join(ROOT, "dist/THIRD-PARTY-LICENSES.txt"), "utf8");
  return [...notices.matchAll(/^(\S+) (\d\S*) \(([^\n)]+)\)$/gm)].map(([, name, version, license]) => {
    return { name: name ?? "", version: version ?? "", license: license ?? "" };
  });
}

function isInstalled(folder: string, path: string): boolean {
  try {
    return readdirSync(join(ROOT, folder, path)).includes("package.json");
  } catch {
    return false;
  }
}
