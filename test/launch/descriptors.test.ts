import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ChildDescriptors } from "../../src/launch/child-descriptors.ts";
import {
  backgroundFileClosed,
  inheritedDescriptors,
  withoutKey,
} from "../../src/launch/inherited-descriptors.ts";
import { tempFolder } from "../fixtures/temp.ts";

function file(text = "text"): string {
  const path = join(tempFolder(), "file");
  writeFileSync(path, text);
  return path;
}

describe("the numbers that a child knows descriptors by", () => {
  it.each([
    [[], [3, 4, 5, 6, 7, 8, 10], 9],
    [[3, 5], [4, 6, 7, 8, 10], 9],
    [[9], [3, 4, 5, 6, 7, 10], 8],
    [[9, 8, 7, 10], [3, 4, 5, 11], 6],
    [[3, 4, 5, 6, 7, 8, 9], [10, 11], undefined],
  ])("are free: with %j taken, files get %j, and %s is left for a shell", async (taken, numbers, shell) => {
    const descriptors = new ChildDescriptors(taken.map((fd) => ({ fd, isMarked: true })));
    expect(descriptors.shellDescriptor).toBe(shell);
    for (const number of numbers)
      expect(await descriptors.addFile(Buffer.from(`file ${number}`))).toBe(number);
    for (const number of numbers) {
      const ours = descriptors.given.get(number);
      expect(readFileSync(`/proc/self/fd/${ours}`, "utf8")).toBe(`file ${number}`);
    }
    for (const fd of taken) expect(descriptors.given.get(fd)).toBe(fd);
    const before = inheritedDescriptors({}).length;
    descriptors.close();
    expect(inheritedDescriptors({}).length).toBeLessThanOrEqual(before);
    expect(() => readFileSync(`/proc/self/fd/${descriptors.given.get(numbers[0] ?? -1)}`)).toThrow();
  });

  it("are given only where node would not hand them on by itself", () => {
    const descriptors = new ChildDescriptors([
      { fd: 20, isMarked: false },
      { fd: 4, isMarked: true },
    ]);
    expect([...descriptors.given]).toEqual([[4, 4]]);
    expect(descriptors.hasDeliveries).toBe(false);
  });
});

describe("what leads to a key", () => {
  it("is closed, and the others stay", () => {
    const [key, other] = [file("key"), file("other")];
    const fds = [openSync(key, "r"), openSync(other, "r")];
    const inherited = fds.map((fd) => ({ fd, isMarked: true }));
    expect(withoutKey(inherited, key)).toEqual(inherited.slice(1));
    expect(() => readFileSync(fds[0] ?? -1)).toThrow("EBADF");
    expect(readFileSync(fds[1] ?? -1, "utf8")).toBe("other");
    closeSync(fds[1] ?? -1);
    expect(withoutKey(inherited, "VAULT_RUN_KEY")).toEqual(inherited);
    expect(withoutKey(inherited, "/no/such/key")).toEqual(inherited);
  });
});

describe("the file that node reads in the background", () => {
  it("is no descriptor of the caller, and is waited for", async () => {
    const certificates = file();
    const env = { NODE_EXTRA_CA_CERTS: certificates };
    const fd = openSync(certificates, "r");
    expect(inheritedDescriptors({}).some((found) => found.fd === fd)).toBe(true);
    expect(inheritedDescriptors(env).some((found) => found.fd === fd)).toBe(false);
    let isClosed = false;
    const waiting = backgroundFileClosed(env).then(() => expect(isClosed).toBe(true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    isClosed = true;
    closeSync(fd);
    await waiting;
    await backgroundFileClosed({ NODE_EXTRA_CA_CERTS: "/no/such/file" });
  });
});
