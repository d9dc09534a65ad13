import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isExecutableForm, requireExecutable } from "../../src/launch/executable.ts";
import { tempFolder } from "../fixtures/temp.ts";

function executable(name: string, content: string | Uint8Array, folder = tempFolder()): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, 0o755);
  return path;
}

function changed(at: number, value: number): Buffer {
  const program = readFileSync("/bin/sh");
  program.writeUInt16LE(value, at);
  return program;
}

describe("the form of a file", () => {
  it("is that of a program for this machine, or of a script whose interpreter is one", () => {
    expect(isExecutableForm("/bin/sh")).toBe(true);
    expect(isExecutableForm(process.execPath)).toBe(true);
    expect(isExecutableForm(executable("script", "#!/bin/sh\n"))).toBe(true);
    expect(isExecutableForm(executable("spaced", "#! \t/usr/bin/env -S node\n"))).toBe(true);
    expect(isExecutableForm(executable("chain", `#!${executable("first", "#!/bin/sh\n")}\n`))).toBe(true);
  });

  it.each([
    ["a script without a first line that says what reads it", "exit 0\n"],
    ["nothing", ""],
    ["a script whose interpreter is not there", "#!/no/such/interpreter\n"],
    ["a script whose interpreter is named from where one stands", "#!sh\n"],
    ["a script whose first line names nothing", "#!\n"],
    ["a script whose first line ends beyond what the kernel reads", `#!/bin/${"/".repeat(300)}sh\n`],
    ["the beginning of a program", readFileSync("/bin/sh").subarray(0, 40)],
    ["a program for another machine", changed(18, 0x1234)],
    ["an object file", changed(16, 1)],
    ["a program without a table of its parts", changed(56, 0)],
    ["a program whose table is another's", changed(54, 32)],
  ])("is not that of %s", (_, content) => {
    expect(isExecutableForm(executable("file", content))).toBe(false);
  });

  it("is not that of a program whose loader is not there, a folder, or a chain without an end", () => {
    const lost = readFileSync("/bin/sh")
      .toString("latin1")
      .replace("/ld-linux", "/no-linux")
      .replace("/ld-musl", "/no-musl");
    expect(isExecutableForm(executable("lost", Buffer.from(lost, "latin1")))).toBe(false);
    const folder = tempFolder();
    expect(isExecutableForm(folder)).toBe(false);
    executable("a", `#!${join(folder, "b")}\n`, folder);
    executable("b", `#!${join(folder, "a")}\n`, folder);
    expect(isExecutableForm(join(folder, "a"))).toBe(false);
  });
});

describe("the program of a command", () => {
  /** In a folder with `here`, `bin/tool`, `bin/plain` and `bin/dangling`. */
  function finder() {
    const folder = tempFolder();
    mkdirSync(join(folder, "bin"));
    executable("tool", "#!/bin/sh\n", join(folder, "bin"));
    executable("here", "#!/bin/sh\n", folder);
    writeFileSync(join(folder, "bin/plain"), "text");
    symlinkSync("nowhere", join(folder, "bin/dangling"));
    const find = (file: string, PATH: string) =>
      requireExecutable({ command: [file], cwd: folder, env: { PATH }, descriptors: new Map() });
    return { folder, find };
  }

  it("is looked up as execvp(3) does, and called as execvp(3) calls it", () => {
    const { folder, find } = finder();
    expect(find("tool", `/no/such:${folder}/bin`)).toBe(`${folder}/bin/tool`);
    expect(find("tool", "bin")).toBe("bin/tool");
    expect(find("here", ":/bin")).toBe("here");
    expect(find("./here", "/bin")).toBe("./here");
    expect(find("sh", "/bin")).toBe("/bin/sh");
    // Behind a link `..` is the parent of what it leads to.
    mkdirSync(join(folder, "other/deep"), { recursive: true });
    symlinkSync("other/deep", join(folder, "link"));
    executable("where", "#!/bin/sh\n", join(folder, "other"));
    expect(find("./link/../where", "")).toBe("./link/../where");
    expect(find("where", "link/..")).toBe("link/../where");
    expect(() => find("./none/../where", "")).toThrow();
    expect(() => find("bin/tool/", "")).toThrow();
  });

  it.each([
    ["none", 127],
    ["./none", 127],
    ["dangling", 127],
    ["plain", 126],
    ["./bin", 126],
  ])("is not %s, with the status of a shell", (file, status) => {
    const { folder, find } = finder();
    expect(() => find(file, join(folder, "bin"))).toThrow(
      expect.objectContaining({ name: "SpawnFailure", status }),
    );
  });
});
