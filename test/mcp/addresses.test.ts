import { describe, expect, it } from "vitest";
import { type Address, allowedAddresses, isPublic } from "../../src/mcp/http/addresses.ts";
import { VaultError } from "../../src/vault-error.ts";

const address = (text: string): Address => ({ address: text, family: text.includes(":") ? 6 : 4 });
const answering =
  (...texts: string[]) =>
  async () =>
    texts.map(address);
const { signal } = new AbortController();

describe("an address", () => {
  it.each([
    ...["127.0.0.1", "127.255.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    ...["169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192"],
    ...["198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1", "203.0.113.9"],
    ...["::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::127.0.0.1"],
    ...[
      "fe80::1",
      "fec0::1",
      "fc00::1",
      "fd00:ec2::254",
      "ff02::1",
      "64:ff9b::7f00:1",
      "64:ff9b:1::1",
      "100::1",
    ],
    ...["2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "5f00::1"],
  ])("that is not public: %s", (text) => {
    expect(isPublic(address(text))).toBe(false);
  });

  it.each([
    ...["1.1.1.1", "8.8.8.8", "93.184.215.14", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1"],
    ...[
      "192.167.0.1",
      "223.255.255.255",
      "2606:4700:4700::1111",
      "2a00:1450:4001::200e",
      "2001:4860:4860::8888",
    ],
  ])("that is public: %s", (text) => {
    expect(isPublic(address(text))).toBe(true);
  });
});

describe("a host", () => {
  it("leads to what its name means, where all of that is public", async () => {
    const url = new URL("https://api.example.org/x");
    const found = await allowedAddresses(url, false, signal, answering("1.1.1.1", "2606:4700:4700::1111"));
    expect(found).toEqual([address("1.1.1.1"), address("2606:4700:4700::1111")]);
    for (const bad of ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "fd00:ec2::254"])
      for (const allowLoopback of [false, true])
        await expect(
          allowedAddresses(url, allowLoopback, signal, answering("1.1.1.1", bad)),
        ).rejects.toMatchObject({
          code: "not-allowed",
        });
    await expect(allowedAddresses(url, false, signal, answering())).rejects.toThrow(VaultError);
  });

  it.each([
    ...[
      "https://127.0.0.1",
      "https://127.1",
      "https://2130706433",
      "https://0x7f000001",
      "https://017700000001",
    ],
    ...["https://[::1]", "https://[::ffff:127.0.0.1]", "https://[::ffff:7f00:1]", "https://169.254.169.254"],
    ...[
      "https://[fd00:ec2::254]",
      "https://0",
      "https://localhost",
      "https://10.1",
      "https://[64:ff9b::169.254.169.254]",
    ],
  ])("leads nowhere: %s", async (text) => {
    await expect(allowedAddresses(new URL(text), false, signal)).rejects.toMatchObject({
      code: "not-allowed",
    });
  });

  it("is not waited for once its time is over", async () => {
    const { promise: answer, resolve } = Promise.withResolvers<readonly Address[]>();
    const controller = new AbortController();
    const url = new URL("https://api.example.org");
    const asked = allowedAddresses(url, false, controller.signal, () => answer);
    controller.abort();
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
    await expect(allowedAddresses(url, false, controller.signal, () => answer)).rejects.toMatchObject({
      name: "AbortError",
    });
    resolve([]);
  });

  it("that means this machine leads there by the flag, and nowhere else", async () => {
    for (const text of ["http://localhost:1", "https://127.0.0.1", "https://[::1]"])
      expect((await allowedAddresses(new URL(text), true, signal)).length).toBeGreaterThan(0);
    const url = new URL("https://localhost");
    for (const bad of ["10.0.0.1", "1.1.1.1", "169.254.169.254"])
      await expect(allowedAddresses(url, true, signal, answering(bad))).rejects.toThrow(VaultError);
  });
});
