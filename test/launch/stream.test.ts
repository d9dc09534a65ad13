import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { RedactedStream } from "../../src/launch/stream.ts";
import { createRedactor } from "../../src/redact/index.ts";

const SECRET = { name: "stripe/API_KEY", value: "sk_live_4eC39HqLyjW" };

class Sink extends Writable {
  readonly chunks: Buffer[] = [];
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }
}

function passing() {
  const from = new PassThrough();
  const to = new Sink();
  const stream = new RedactedStream(from, to, createRedactor([SECRET]).stream("stdout"), () => {});
  return { from, to, stream, shown: () => Buffer.concat(to.chunks).toString() };
}

describe("a stream that is passed on", () => {
  it("has a line without a partial match passed on in the turn in which it comes, and uncopied", () => {
    const { from, to } = passing();
    const line = Buffer.from("nothing to see here\n");
    from.emit("data", line);
    expect(to.chunks).toHaveLength(1);
    expect(to.chunks[0]?.buffer).toBe(line.buffer);
  });

  it("has a mask passed on in the turn in which the value is complete", () => {
    const { from, shown } = passing();
    from.emit("data", Buffer.from("key sk_live_"));
    expect(shown()).toBe("key ");
    from.emit("data", Buffer.from("4eC39HqLyjW"));
    expect(shown()).toBe("key [REDACTED:stripe/API_KEY]");
  });

  it("lets go at most four bytes of a partial match when it is silent, and masks the rest", async () => {
    const { from, shown } = passing();
    from.emit("data", Buffer.from("key sk_live_"));
    await expect.poll(shown).toBe("key sk_l");
    from.emit("data", Buffer.from("4eC39HqLyjW.\n"));
    expect(shown()).toBe("key sk_l[REDACTED:stripe/API_KEY].\n");
  });

  it("is at its end where it was ended before", async () => {
    const from = new PassThrough();
    from.destroy();
    await new Promise((resolve) => from.once("close", resolve));
    const stream = new RedactedStream(from, new Sink(), createRedactor([SECRET]).stream(), () => {});
    await stream.passAll();
  });

  it("fails where it cannot be read to its end, what was read passed on", async () => {
    const { from, stream, shown } = passing();
    from.emit("data", Buffer.from("as far as sk_live"));
    from.destroy(Object.assign(new Error("read"), { code: "EIO" }));
    await expect(stream.passAll()).rejects.toMatchObject({
      code: "disk",
      message: "cannot read on (EIO): standard input",
    });
    expect(shown()).toBe("as far as sk_live");
  });

  it.each([
    ["a disk that is full", "ENOSPC", "cannot write the output (ENOSPC)"],
    ["no reader that is gone", "EPIPE", undefined],
  ])("fails where not all of it could be written, for %s", async (_, code, message) => {
    const from = new PassThrough();
    const to = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("write"), { code })),
    });
    const stream = new RedactedStream(from, to, createRedactor([SECRET]).stream(), () => {});
    from.end("nothing to see here");
    const passed = stream.passAll();
    if (message === undefined) await passed;
    else await expect(passed).rejects.toMatchObject({ code: "disk", message });
  });

  it("has what was held back passed on at its end", async () => {
    const { from, stream, shown } = passing();
    from.end("ends in sk_live");
    await stream.passAll();
    expect(shown()).toBe("ends in sk_live");
  });
});
