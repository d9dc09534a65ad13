import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { framesOf } from "../../src/mcp/frames.ts";

const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}\n';

async function framesIn(...pieces: readonly (string | Buffer)[]): Promise<string[]> {
  const from = Readable.from(
    pieces.map((piece) => Buffer.from(piece)),
    { objectMode: false },
  );
  const frames: string[] = [];
  for await (const frame of framesOf(from)) frames.push(frame.toString());
  return frames;
}

describe("what a client sends", () => {
  it("comes one message at a time, wherever it was cut", async () => {
    const other = ` \t${CALL.replace("1", "2").trimEnd()}\r\n`;
    const sent = Buffer.from(CALL + other);
    for (let at = 0; at <= sent.length; at++)
      expect(await framesIn(sent.subarray(0, at), sent.subarray(at))).toEqual([CALL, other]);
    expect(await framesIn(...sent.toString())).toEqual([CALL, other]);
  });

  it("is passed over where it is no message", async () => {
    expect(await framesIn("\n\n[1]\n", "x\n \n", "\0{}\n", `"${CALL}`, CALL)).toEqual([CALL]);
  });

  it("is at an end where a message has more parts than any", async () => {
    for (const part of ['{"a":', "[", "1,"]) {
      const long = `{"a":${part.repeat(200_001)}\n`;
      expect(await framesIn(CALL, long, CALL), part).toEqual([CALL]);
    }
    const text = `${JSON.stringify({ text: '[{,"\\'.repeat(100_000) })}\n`;
    const list = `${JSON.stringify({ list: Array(100_000).fill(1) })}\n`;
    expect(await framesIn(text, list)).toEqual([text, list]);
  });

  it("is at an end behind what has none", async () => {
    const long = `{"a":"${"x".repeat(6 * 1024 * 1024)}`;
    expect(await framesIn(CALL, long, `"}\n${CALL}`)).toEqual([CALL, `${long}"}\n`, CALL]);
    expect(await framesIn(CALL, long, long, `"}\n${CALL}`)).toEqual([CALL]);
  });
});
