import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { exchange } from "../../src/mcp/http/exchange.ts";

/** What a request sends before anything is encrypted. */
async function greetingFor(host: string, headers: Readonly<Record<string, string>>): Promise<Buffer> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = new URL(`https://${host}:${(server.address() as AddressInfo).port}/`);
  const connected = once(server, "connection");
  const sent = exchange({ url, headers }, [{ address: "127.0.0.1", family: 4 }], {
    method: "GET",
    body: undefined,
    signal: new AbortController().signal,
  });
  const failed = expect(sent).rejects.toMatchObject({ code: "request-failed" });
  const [socket] = await connected;
  const [greeting] = await once(socket, "data");
  socket.destroy();
  await failed;
  return greeting;
}

describe("a request", () => {
  it("asks for the URL's host, whatever a header says", async () => {
    const greeting = await greetingFor("api.example.org", { host: "evil.example" });
    expect(greeting.includes("api.example.org")).toBe(true);
    expect(greeting.includes("evil.example")).toBe(false);
  });

  it("is over where the answer goes on in another protocol", { timeout: 10_000 }, async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {}).resume();
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nmore");
    });
    onTestFinished(() => void server.close());
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const sent = exchange({ url, headers: {} }, [{ address: "127.0.0.1", family: 4 }], {
      method: "GET",
      body: undefined,
      signal: new AbortController().signal,
    });
    await expect(sent).rejects.toMatchObject({ code: "request-failed" });
  });

  it("asks for no name where the URL has none", async () => {
    expect((await greetingFor("127.0.0.1", { host: "evil.example" })).includes("evil.example")).toBe(false);
  });
});
