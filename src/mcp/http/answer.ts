import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import type { RedactedStream } from "../../redact/index.ts";
import { VaultError } from "../../vault-error.ts";
import type { Redaction } from "../seen-values.ts";

// What comes back, made fit to be shown: unpacked, masked, cut, and only where it is text. A body that cannot be looked
// through is not shown.

export const MOST_BODY_BYTES = 1024 * 1024;
/** Of a body this much is read, whatever is shown of it: what is cut off may be long. */
const MOST_READ_BYTES = 4 * MOST_BODY_BYTES;
const NOT_SHOWN = "(not shown)";
/** How the audit log calls what came back, its headers as well. */
const LABEL = "response";
/** In any place: parameters may be written in more ways than one. */
const CHARSET = /charset[\s"']*=[\s"']*([^\s"';,]*)/gi;
const CHARSETS = new Set([
  ...["utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso8859-1", "latin1", "windows-1252"],
]);
/** They let in whoever has them. */
const WITHHELD = new Set(["set-cookie", "set-cookie2", "authentication-info", "proxy-authentication-info"]);

export interface Shown {
  readonly headers: Record<string, string>;
  readonly body: string;
  /** Why there is no body, or not all of it. */
  readonly note: string | undefined;
}

export async function show(
  message: IncomingMessage,
  redaction: Redaction,
  signal: AbortSignal,
): Promise<Shown> {
  const unpacked = unpack(message);
  const received = unpacked === undefined ? undefined : await read(unpacked, redaction.stream(LABEL), signal);
  message.destroy();
  redaction.end();
  const headers = shownHeaders(message, redaction);
  if (received === undefined)
    return { headers, body: "", note: "its encoding is not known here, so it is not shown" };
  if (!isReadAsBytes(message))
    return { headers, body: "", note: "its charset is not looked through, so it is not shown" };
  const { isCut } = received;
  const bytes = redaction.kept(received.bytes, LABEL, isCut);
  if (!isCut && !isText(bytes))
    return { headers, body: "", note: `${bytes.length} bytes that are no text are not shown` };
  if (isCut && !isText(withoutLastCharacter(bytes)))
    return { headers, body: "", note: "it is no text, so it is not shown" };
  const note = isCut ? `cut after ${MOST_BODY_BYTES} bytes` : undefined;
  return { headers, body: (isCut ? withoutLastCharacter(bytes) : bytes).toString("utf8"), note };
}

function shownHeaders({ headers }: IncomingMessage, redaction: Redaction): Record<string, string> {
  const masked = (text: string) =>
    redaction.kept(Buffer.from(redaction.text(text, LABEL)), LABEL, false).toString("utf8");
  const entries = Object.entries(headers).map(([name, value]) => {
    const text = WITHHELD.has(name)
      ? NOT_SHOWN
      : Buffer.from([value].flat().join(", "), "latin1").toString("utf8");
    return [masked(name), masked(text)];
  });
  return Object.fromEntries(entries);
}

/** Whether each of its bytes that ASCII has means what it means there: a value in UTF-16 or UTF-7 would not be found. */
function isReadAsBytes({ headers }: IncomingMessage): boolean {
  const type = headers["content-type"] ?? "";
  const charsets = Array.from(type.matchAll(CHARSET), ([, charset = ""]) => charset.toLowerCase());
  return charsets.every((charset) => CHARSETS.has(charset));
}

/** UTF-16 of what ASCII has is valid UTF-8, with NULs in it. */
function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}

/** Undefined where it is packed in a way that is not known. */
function unpack(message: IncomingMessage): AsyncIterable<Buffer> | undefined {
  const encodings = (message.headers["content-encoding"] ?? "")
    .split(",")
    .map((encoding) => encoding.trim().toLowerCase())
    .filter((encoding) => encoding !== "" && encoding !== "identity");
  const [encoding, ...others] = encodings;
  if (encoding === undefined) return message;
  const unpacker = others.length === 0 ? unpackerOf(encoding) : undefined;
  return unpacker === undefined ? undefined : unpacked(message, unpacker);
}

async function* unpacked(message: IncomingMessage, unpacker: Duplex): AsyncGenerator<Buffer> {
  const packed = message[Symbol.asyncIterator]();
  const first = await packed.next();
  // An answer to HEAD, and one that nothing has changed, names the encoding of a body that it does not have.
  if (first.done === true) return;
  const whole = async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => packed };
  };
  // What ends in the middle fails where it is read.
  pipeline(whole, unpacker).catch(() => {});
  yield* unpacker;
}

function unpackerOf(encoding: string) {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    case "zstd":
      return createZstdDecompress();
    default:
      return undefined;
  }
}

/** The body, masked, up to the limit. What stands at the limit and may be half a value is left out. */
async function read(
  body: AsyncIterable<Buffer>,
  stream: RedactedStream,
  signal: AbortSignal,
): Promise<{ readonly bytes: Buffer; readonly isCut: boolean }> {
  const chunks: Uint8Array[] = [];
  let [shownBytes, readBytes] = [0, 0];
  const keep = (piece: Uint8Array) => {
    chunks.push(Uint8Array.from(piece));
    shownBytes += piece.length;
  };
  try {
    for await (const chunk of body) {
      signal.throwIfAborted();
      readBytes += chunk.length;
      keep(stream.write(chunk));
      if (shownBytes > MOST_BODY_BYTES || readBytes > MOST_READ_BYTES)
        return { bytes: Buffer.concat(chunks).subarray(0, MOST_BODY_BYTES), isCut: true };
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new VaultError(
      "request-failed",
      "the answer broke off, or is not packed as it says",
      "try again, or ask for less",
      { cause: error },
    );
  }
  keep(stream.end());
  return { bytes: Buffer.concat(chunks), isCut: false };
}

/** Bytes that were cut anywhere, without a character that was cut in two. */
function withoutLastCharacter(bytes: Buffer): Buffer {
  let end = bytes.length;
  for (let back = 0; back < 4 && end > 0; back++) {
    end--;
    // The first byte of a character: all before it is whole.
    if (((bytes[end] ?? 0) & 0xc0) !== 0x80) break;
  }
  return bytes.subarray(0, end);
}
