import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

// The rooms of src/ and which of them may know which (docs/CONTRIBUTING.md shows the picture). Read from the code's own
// imports, so a crossed layer fails here and not in a review.

const SRC = resolve(import.meta.dirname, "../src");
const MAY_IMPORT: Record<string, readonly string[]> = {
  "vault-error": [],
  "known-options": [],
  age: ["vault-error"],
  redact: [],
  keychain: ["vault-error"],
  vault: ["age", "keychain", "vault-error"],
  git: ["vault-error"],
  audit: ["age", "vault", "vault-error"],
  machine: ["launch", "vault", "vault-error"],
  scan: ["age", "git", "redact", "vault", "vault-error"],
  launch: ["age", "audit", "git", "redact", "vault", "vault-error"],
  admin: ["age", "audit", "git", "keychain", "known-options", "machine", "vault", "vault-error"],
  sdk: ["known-options", "launch", "machine", "vault", "vault-error"],
  index: ["sdk", "vault", "vault-error"],
  report: [],
  mcp: ["audit", "launch", "redact", "vault", "vault-error"],
  cli: [
    "admin",
    "age",
    "audit",
    "git",
    "launch",
    "machine",
    "mcp",
    "redact",
    "report",
    "scan",
    "vault",
    "vault-error",
  ],
};
const ONE_IMPORTER: Record<string, string> = {
  "age-encryption": "age",
  "simple-git": "git",
  execa: "git",
  cac: "cli",
  koffi: "launch",
  "@napi-rs/keyring": "keychain",
  "@observablehq/plot": "report",
  "@secretlint/core": "scan",
  "@secretlint/profiler": "scan",
  "@secretlint/secretlint-rule-preset-recommend": "scan",
  "@modelcontextprotocol/server": "mcp",
};

interface Import {
  readonly file: string;
  readonly target: string;
  readonly dynamic: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const room = (file: string) => (file.includes("/") ? file.split("/")[0]! : file.replace(/\.ts$/, ""));

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), "utf8");
  const fixed = [...text.matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from\s+"([^"]+)"/gm)].map(
    (match) => ({ target: match[1]!, dynamic: false }),
  );
  const bare = [...text.matchAll(/^import\s+"([^"]+)"/gm)].map((match) => ({
    target: match[1]!,
    dynamic: false,
  }));
  const dynamic = [...text.matchAll(/\bimport\("([^"]+)"\)/g)].map((match) => ({
    target: match[1]!,
    dynamic: true,
  }));
  return [...fixed, ...bare, ...dynamic].map(({ target, dynamic: isDynamic }) => ({
    file,
    target: target.startsWith(".") ? relative(SRC, resolve(SRC, dirname(file), target)) : target,
    dynamic: isDynamic,
  }));
}

const imports = files.flatMap(importsOf);
const own = imports.filter(({ target }) => target.endsWith(".ts"));

/** Every file that is loaded before anything is imported dynamically. */
function loadedWith(entry: string): Set<string> {
  const loaded = new Set([entry]);
  for (const file of loaded)
    for (const found of own) if (found.file === file && !found.dynamic) loaded.add(found.target);
  return loaded;
}

describe("the layers", () => {
  it("are known for every room", () => {
    expect([...new Set(files.map(room))].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
  });

  it("are not crossed", () => {
    const crossed = own.filter(
      ({ file, target }) => room(file) !== room(target) && !MAY_IMPORT[room(file)]?.includes(room(target)),
    );
    expect(crossed).toEqual([]);
  });

  it("have one importer for each package", () => {
    const packages = imports.filter(({ target }) => !target.endsWith(".ts") && !target.startsWith("node:"));
    const names = (target: string) =>
      target
        .split("/")
        .slice(0, target.startsWith("@") ? 2 : 1)
        .join("/");
    const misplaced = packages.filter(
      ({ file, target }) => (ONE_IMPORTER[names(target)] ?? room(file)) !== room(file),
    );
    expect(misplaced).toEqual([]);
    expect(packages.filter(({ file, target }) => target === "zod" && room(file) !== "mcp")).toEqual([]);
    expect(new Set(packages.map(({ target }) => target))).toEqual(
      new Set([
        "@napi-rs/keyring",
        "@observablehq/plot",
        "age-encryption",
        "cac",
        "execa",
        "koffi",
        "simple-git",
        "zod/mini",
        "@secretlint/core",
        "@secretlint/profiler",
        "@secretlint/secretlint-rule-preset-recommend",
        "zod",
        "@modelcontextprotocol/server",
        "@modelcontextprotocol/server/stdio",
      ]),
    );
  });

  it("keep the server for models out of every other verb", () => {
    const eager = own.filter(
      ({ file, target, dynamic }) => target === "mcp/serve.ts" && room(file) !== "mcp" && !dynamic,
    );
    expect(eager).toEqual([]);
    expect([...loadedWith("cli/commands/mcp.ts")].filter((file) => room(file) === "mcp")).toEqual([
      "mcp/client-config.ts",
    ]);
  });

  it("let a model's list of secrets open nothing", () => {
    const loaded = [...loadedWith("mcp/list-secrets.ts")];
    const opening = ["age/open", "vault/open-sealed", "vault/key-file", "launch/"];
    expect(loaded.filter((file) => opening.some((start) => file.startsWith(start)))).toEqual([]);
  });

  it("load commands only when they are used", () => {
    const eager = own.filter(({ target, dynamic }) => target.startsWith("cli/commands/") && !dynamic);
    expect(eager).toEqual([]);
  });
});

describe("the launch path", () => {
  const atOnce = loadedWith("cli/main.ts");
  const whenHeld = [...loadedWith("launch/hold.ts")].filter((file) => !atOnce.has(file));
  const inRooms = (loaded: Iterable<string>) =>
    [...Map.groupBy(loaded, room)].map(([name, of]) => `${name}: ${of.map(leaf).sort().join(" ")}`).sort();
  const leaf = (file: string) => file.slice(file.indexOf("/") + 1).replace(/\.ts$/, "");

  it("is these modules, before the program runs: whatever is added here, every launch waits for", () => {
    expect(inRooms(atOnce)).toEqual([
      "age: bech32 damaged-age-file hkdf hybrid identity okp-keys open open-native signing-key",
      "audit: event log log-file pull",
      "cli: arguments console end-process exit-status launch-options main run-launch words",
      "git: head",
      "launch: agent-session child child-descriptors choose-terminal environment executable hand-over inherited-descriptors inject late-modules launch leaks memory-file process-stat protection select signals standard-streams",
      "machine: machine",
      "vault-error: vault-error",
      "vault: canonical find-vault fingerprint key-file key-lookup lock lock-holder machine names open-sealed padding paths payload pins record record-files schema secret shape time trust unsafe-names unverified-vault vault verified-files write-file",
    ]);
  });

  it("is these besides, where the program is held and its output redacted", () => {
    expect(inRooms(whenHeld)).toEqual([
      "launch: exit-status hold late-redactor orphans outputs process-tree relay stream supervise",
      "redact: automaton automaton-tables build-tables bytes edge-table encodings/base64 encodings/hex encodings/json encodings/percent encodings/repr encodings/shell encodings/xml encodings/yaml failure-links held-bytes index lane leaks needle needle-list needles prefilter readings skipped-sequences stream unions wrapped-lines",
    ]);
  });

  it("has no package at all, and of node's modules these", () => {
    const external = imports.filter(
      ({ file, target, dynamic }) =>
        (atOnce.has(file) || whenHeld.includes(file)) && !target.endsWith(".ts") && !dynamic,
    );
    expect([...new Set(external.map(({ target }) => target))].sort()).toEqual([
      "node:buffer",
      "node:crypto",
      "node:fs",
      "node:os",
      "node:path",
    ]);
  });
});

describe("the report's page", () => {
  it("knows nothing of node, and the plotting library is in nothing else", () => {
    const page = imports.filter(({ file }) => file.startsWith("report/page/"));
    const outside = page
      .filter(({ target }) => !target.startsWith("report/page/"))
      .map(({ target }) => target);
    expect([...new Set(outside)]).toEqual(["@observablehq/plot"]);
    const others = imports.filter(
      ({ file, target }) => target.startsWith("@observ") && !page.some((own) => own.file === file),
    );
    expect(others).toEqual([]);
  });
});

describe("what programs import", () => {
  it("loads no package to open a vault, and neither what redacts nor what starts programs", () => {
    const loaded = loadedWith("index.ts");
    const packages = imports.filter(
      ({ file, target, dynamic }) =>
        loaded.has(file) && !dynamic && !target.endsWith(".ts") && !target.startsWith("node:"),
    );
    expect(packages).toEqual([]);
    expect([...loaded].filter((file) => room(file) === "redact" || room(file) === "admin")).toEqual([]);
    expect(loaded).not.toContain("launch/child.ts");
  });
});

describe("the standard streams", () => {
  it("are not opened by an import: these modules' exports do, and a terminal among them goes to the child", () => {
    const opening = imports.filter(({ target }) => target === "node:process" || target === "node:util");
    expect(opening).toEqual([]);
  });
});

describe("the core", () => {
  it.each(["age", "keychain", "vault", "git", "audit", "redact", "scan"])(
    "room %s never prints and never reads the process",
    (name) => {
      for (const file of files.filter((candidate) => room(candidate) === name)) {
        const code = readFileSync(join(SRC, file), "utf8").replace(/\/\/.*|\/\*[\s\S]*?\*\//g, "");
        // Whether a process is alive is asked of the system.
        expect(code, file).not.toMatch(/\bprocess\.(?!kill\()|\bconsole\./);
      }
    },
  );

  it("and room admin but for the one file that programs import", () => {
    const own = files.filter((file) => room(file) === "admin" && file !== "admin/index.ts");
    for (const file of own) {
      const code = readFileSync(join(SRC, file), "utf8").replace(/\/\/.*|\/\*[\s\S]*?\*\//g, "");
      expect(code, file).not.toMatch(/\bprocess\.|\bconsole\./);
    }
  });
});
