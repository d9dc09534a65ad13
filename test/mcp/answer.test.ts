import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Shown, show } from "../../src/mcp/http/answer.ts";
import { exchange } from "../../src/mcp/http/exchange.ts";
import { SeenValues } from "../../src/mcp/seen-values.ts";

const PACKED = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync };
const encodings = Object.keys(PACKED) as (keyof typeof PACKED)[];
const { signal } = new AbortController();

/** What is shown of an answer in these bytes. */
async function shown(method: string, head: string, body: string | Uint8Array = ""): Promise<Shown> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(`HTTP/1.1 ${head}\r\n\r\n`);
      socket.end(body);
    });
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const message = await exchange({ url, headers: {} }, [{ address: "127.0.0.1", family: 4 }], {
    method,
    body: undefined,
    signal,
  });
  return show(message, await new SeenValues().redaction(), signal);
}

describe.each(encodings)("an answer packed by %s", (encoding) => {
  const named = `Content-Encoding: ${encoding}`;

  it("is shown unpacked", async () => {
    const { body } = await shown("GET", `200 OK\r\n${named}`, PACKED[encoding]("a text ".repeat(10_000)));
    expect(body).toBe("a text ".repeat(10_000));
  });

  it.each([
    ["HEAD", "200 OK\r\nContent-Length: 500"],
    ["GET", "204 No Content"],
    ["GET", "304 Not Modified"],
    ["GET", "200 OK\r\nContent-Length: 0"],
  ])("has nothing to unpack where it has no body: %s, %s", async (method, head) => {
    const { body, note, headers } = await shown(method, `${head}\r\n${named}`);
    expect({ body, note }).toEqual({ body: "", note: undefined });
    expect(headers["content-encoding"]).toBe(encoding);
  });

  it.each([
    ["in the middle", `200 OK\r\n${named}`, PACKED[encoding]("a text").subarray(0, 7)],
    ["before it began", `200 OK\r\nContent-Length: 500\r\n${named}`, ""],
    ["as something else", `200 OK\r\n${named}`, "a text"],
  ])("is refused where it ends %s", async (_, head, body) => {
    await expect(shown("GET", head, body)).rejects.toMatchObject({ code: "request-failed" });
  });
});
