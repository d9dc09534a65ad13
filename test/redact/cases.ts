// Worked cases. `[R]` stands for a mask. `want` is the whole output, `steps` the output after each chunk or idle. Cases
// without an idle must give the same output however the input is cut.

export const IDLE = Symbol("50 ms without a write");

export interface Case {
  readonly name: string;
  readonly secrets: readonly (string | Uint8Array)[];
  readonly chunks: readonly (string | Uint8Array | typeof IDLE)[];
  readonly want: string | Uint8Array;
  readonly steps?: readonly string[];
}

const PASSWORD = "correct-zebra7";
const BODY = ["MC4CAQAwBQYDK2VwBCIEIBqfD8xWjYHq+9mKz0Tn", "V7cUoLr3e5sXgPz1aQdWfEuMbNhJkOiRtYlAvSxC"];
const PEM = ["-----BEGIN PRIVATE KEY-----", ...BODY, "-----END PRIVATE KEY-----", ""].join("\n");
const BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const LONG = "x".repeat(20_000);

const single = (name: string, secret: string, chunk: string, want: string): Case => ({
  name,
  secrets: [secret],
  chunks: [chunk],
  want,
});

export const CASES: readonly Case[] = [
  // Where a match begins and ends
  single("a value in a line", PASSWORD, "login: correct-zebra7 ok\n", "login: [R] ok\n"),
  single(
    "nothing to mask",
    PASSWORD,
    "correct-zebra and correct-zebra8\n",
    "correct-zebra and correct-zebra8\n",
  ),
  single("a stream that is the value", PASSWORD, PASSWORD, "[R]"),
  single("the same value twice without a gap", PASSWORD, `${PASSWORD}${PASSWORD}.`, "[R]."),
  single("a false start", PASSWORD, "correct-correct-zebra7", "correct-[R]"),
  single("a value that begins with repetition", "zzzzzq", "zzzzzzzzq.", "zzz[R]."),
  single("a value that begins with a period", "xyxyxz9", "xyxyxyxz9", "xy[R]"),
  single("a value that overlaps itself", "qqqqqq", "qqqqqqqqqq;", "[R];"),
  single("a run longer than a long value", LONG, `${LONG}x\n`, "[R]\n"),
  single("another case of letters", PASSWORD, "CORRECT-ZEBRA7\n", "CORRECT-ZEBRA7\n"),
  {
    name: "values that overlap",
    secrets: ["alpha-bravo", "bravo-charlie"],
    chunks: ["say alpha-bravo-charlie now"],
    want: "say [R] now",
  },
  {
    name: "a value inside another that does not complete",
    secrets: ["lead bravo01 tail", "bravo01"],
    chunks: ["lead bravo01 tale"],
    want: "lead [R] tale",
  },
  {
    name: "a value inside another that completes",
    secrets: ["lead bravo01 tail", "bravo01"],
    chunks: ["lead bravo01 tail"],
    want: "[R]",
  },
  {
    name: "a value and its longer form, the longer present",
    secrets: ["live-token", "live-token-eu-1"],
    chunks: ["a live-token-eu-1 b"],
    want: "a [R] b",
  },
  {
    name: "a value and its longer form, the shorter present",
    secrets: ["live-token", "live-token-eu-1"],
    chunks: ["a live-token-eu-2 b"],
    want: "a [R]-eu-2 b",
  },
  {
    name: "a value behind another, inside a third that does not complete",
    secrets: ["one111", "one111two222Z", "two222"],
    chunks: ["one111two222-"],
    want: "[R]-",
  },
  {
    name: "the end of a match that begins another, which does not complete",
    secrets: ["vault-KEYRING", "KEYRINGmaster"],
    chunks: ["vault-KEYRING", "mas is"],
    want: "[R]mas is",
  },
  {
    name: "a value that is split by another: the mask is not read again",
    secrets: ["REDACT", "zebra77"],
    chunks: ["zebREDACTra77"],
    want: "zeb[R]ra77",
  },
  // Bytes
  single("a value in UTF-8", "größe-密码-ok", "v=größe-密码-ok!", "v=[R]!"),
  single("UTF-8 that is not a value", PASSWORD, "→ fertig, 完了\n", "→ fertig, 完了\n"),
  { name: "every byte", secrets: [PASSWORD], chunks: [BYTES], want: BYTES },
  {
    name: "a value that is not text",
    secrets: [Uint8Array.of(0xff, 0x00, 0xfe, 0x80, 0x0a, 0xc3)],
    chunks: [Uint8Array.of(0x61, 0xff, 0x00, 0xfe, 0x80, 0x0a, 0xc3, 0x62)],
    want: "a[R]b",
  },
  // Terminals
  single("CR LF behind a value", PASSWORD, `${PASSWORD}\r\n`, "[R]\r\n"),
  single("a progress line", PASSWORD, `33%\r${PASSWORD}\r66%\n`, "33%\r[R]\r66%\n"),
  single("colour around a value", PASSWORD, `\x1b[1;32m${PASSWORD}\x1b[0m\n`, "\x1b[1;32m[R]\x1b[0m\n"),
  single("colour inside a value", PASSWORD, "\x1b[31mcorr\x1b[0mect-zebra7\n", "\x1b[31m[R]\x1b[0m\n"),
  single(
    "a colour for each byte",
    "zebra7",
    "z\x1b[1me\x1b[2mb\rr\x1b[3ma\x1b[4m7!",
    "[R]\x1b[1m\x1b[2m\x1b[3m\x1b[4m!",
  ),
  single("a sequence that swallows the first byte", PASSWORD, `\x1b[${PASSWORD}`, "\x1b[[R]"),
  single("an escape that is not a sequence", PASSWORD, "correct\x1b(-zebra7", "correct\x1b(-zebra7"),
  single(
    "a colour with a character set inside a value, as curses ends it",
    PASSWORD,
    "corr\x1b(B\x1b[mect\x1b#8-\x1b[m\x0fzebra7\x0e\n",
    "[R]\x1b(B\x1b[m\x1b#8\x1b[m\x0f\x0e\n",
  ),
  single(
    "much between two bytes",
    "zebra7",
    `zebra${"\x1b[38;2;100;200;255m".repeat(20)}7`,
    `[R]${"\x1b[38;2;100;200;255m".repeat(20)}`,
  ),
  single("too much between two bytes", "zebra7", `zebra${"\r".repeat(4097)}7`, `zebra${"\r".repeat(4097)}7`),
  single("a value with an escape sequence in it", "red\x1b[31mred", "a red\x1b[31mred b", "a [R] b"),
  single("a value with CR in it", "one\rtwo\rthree", "one\rtwo\rthree!", "[R]!"),
  // Values of several lines
  single("a PEM block", PEM, `k\n${PEM}z\n`, "k\n[R]\nz\n"),
  single(
    "a PEM block with CR LF",
    PEM,
    `k\r\n${PEM}z\r\n`.replace(/(?<!\r)\n/g, "\r\n"),
    "k\r\n[R]\r\nz\r\n",
  ),
  single("a PEM block in one line", PEM, `echo ${PEM.trim().replaceAll("\n", " ")}\n`, "echo [R]\n"),
  single(
    "an indented PEM block",
    PEM,
    `k: |\n${PEM.replace(/^(?=.)/gm, "  ")}`,
    "k: |\n  -----BEGIN PRIVATE KEY-----\n  [R]\n  [R]\n  -----END PRIVATE KEY-----\n",
  ),
  single(
    "a PEM header alone",
    PEM,
    "-----BEGIN PRIVATE KEY-----\nnone\n",
    "-----BEGIN PRIVATE KEY-----\nnone\n",
  ),
  single("a PEM block in JSON", PEM, `{"k":${JSON.stringify(PEM)}}\n`, '{"k":"[R]\\n"}\n'),
  single(
    "a PEM block with CR LF in JSON",
    PEM,
    `{"k":${JSON.stringify(PEM.replaceAll("\n", "\r\n"))}}\n`,
    '{"k":"[R]\\r\\n"}\n',
  ),
  single(
    "a PEM block with CR LF in base64",
    PEM,
    `${btoa(PEM.trim().replaceAll("\n", "\r\n")).replace(/.{76}/g, "$&\n")}\n`,
    "[R]\n",
  ),
  single("one line of a PEM block", PEM, `got ${BODY[1]}!\n`, "got [R]!\n"),
  single("a value that ends in a line feed", `${PASSWORD}\n`, `<${PASSWORD}>`, "<[R]>"),
  single("a value with CR LF, printed with LF", "line one\r\nline two", "line one\nline two\n", "[R]\n"),
  // Encodings
  single(
    "base64, aligned",
    PASSWORD,
    `${btoa(PASSWORD)}\n`,
    "[R]c=\n".replace("c", btoa(PASSWORD).at(-2) ?? ""),
  ),
  single(
    "base64 behind one byte",
    PASSWORD,
    `${btoa(`:${PASSWORD}::`)}\n`,
    "Om[R]jo=\n".replace("jo=", btoa(`:${PASSWORD}::`).slice(-4)),
  ),
  single("hex", PASSWORD, "636f72726563742d7a6562726137 636F72726563742D7A6562726137\n", "[R] [R]\n"),
  single("hex, wrapped", PASSWORD, "636f72726563742d\n7a65\r\n62726137\n", "[R]\n"),
  single("LF inside a value that is not wrapped", PASSWORD, "correct-\nzebra7\n", "correct-\nzebra7\n"),
  single("JSON", 'he"llo\\wörld', '{"p":"he\\"llo\\\\wörld"}', '{"p":"[R]"}'),
  single("JSON in JSON", 'he"llo\\wörld', JSON.stringify(JSON.stringify('he"llo\\wörld')), '"\\"[R]\\""'),
  single("shell, single quotes", "don't$panic", "+ echo 'don'\\''t$panic'\n", "+ echo '[R]'\n"),
  single("XML", "a<b>&c'd\"e", "<p>a&lt;b&gt;&amp;c'd&quot;e</p>", "<p>[R]</p>"),
  single("percent", "a+b/c d=e", "?q=a%2Bb%2Fc+d%3De&r", "?q=[R]&r"),
  single(
    "a leaf of a JSON document",
    '{"id":"me","key":"leaf-value-1"}',
    "key is leaf-value-1\n",
    "key is [R]\n",
  ),
  // Too short
  { name: "short values", secrets: ["a1b2c", "7"], chunks: ["a1b2c 7 a1b2c\n"], want: "a1b2c 7 a1b2c\n" },
  single("a value that is mostly space", "a       b", "a b a       b\n", "a b [R]\n"),
  single("short lines of a value", "one\ntwo\nthree", "one two\n", "one two\n"),
  single("a short leaf of a JSON document", '{"id":"me","on":"yes"}', "me yes\n", "me yes\n"),
  single(
    "a leaf in a JSON document in a leaf",
    JSON.stringify({ a: JSON.stringify({ b: "leaf-2-leaf" }) }),
    "leaf-2-leaf\n",
    "[R]\n",
  ),
  { name: "blank values", secrets: ["", "      \t", "\n"], chunks: ["a      b\n"], want: "a      b\n" },
  // What is held back, and for how long
  {
    name: "a prompt",
    secrets: [PASSWORD],
    chunks: ["Passphrase: "],
    want: "Passphrase: ",
    steps: ["Passphrase: "],
  },
  {
    name: "a prompt that ends like the beginning of a value",
    secrets: [PASSWORD],
    chunks: ["Go on? c", IDLE, "\n"],
    want: "Go on? c\n",
    steps: ["Go on? ", "c", "\n"],
  },
  {
    name: "a value that completes after its beginning was released",
    secrets: [PASSWORD],
    chunks: ["pw cor", IDLE, "rect-zebra7\n"],
    want: "pw cor[R]\n",
    steps: ["pw ", "cor", "[R]\n"],
  },
  {
    name: "no more than four bytes of a match",
    secrets: [PASSWORD],
    chunks: ["correct", IDLE, IDLE, "-", IDLE, "zebra7", IDLE],
    want: "corr[R]",
    steps: ["", "corr", "", "", "", "[R]", ""],
  },
  {
    name: "a beginning that is released and does not go on",
    secrets: [PASSWORD],
    chunks: ["correct", IDLE, " answer\n"],
    want: "correct answer\n",
    steps: ["", "corr", "ect answer\n"],
  },
  {
    name: "four bytes behind a mask that are the beginning of another value",
    secrets: ["vault-KEYRING", "KEYRINGmaster"],
    chunks: ["vault-KEYRINGmaste", IDLE, "r!"],
    want: "[R]mast[R]!",
    steps: ["[R]", "mast", "[R]!"],
  },
  {
    name: "a match prints its mask at once",
    secrets: ["live-token", "live-token-eu-1"],
    chunks: ["live-token", "-eu", "-1"],
    want: "[R]",
    steps: ["[R]", "", ""],
  },
  {
    name: "a line is not held for a next one",
    secrets: [PASSWORD],
    chunks: ["abc\n"],
    want: "abc\n",
    steps: ["abc\n"],
  },
  { name: "a short beginning at the end", secrets: [PASSWORD], chunks: ["pw correct"], want: "pw correct" },
  { name: "a large beginning at the end", secrets: [PASSWORD], chunks: ["pw correct-"], want: "pw [R]" },
  {
    name: "eight bytes at the end that are less than half",
    secrets: ["correct-zebra-battery"],
    chunks: ["pw correct-z"],
    want: "pw correct-z",
  },
  {
    name: "a line that ends like the beginning of an encoded value",
    secrets: ["4eC39HqLyjW1"],
    chunks: ["port 3465\n", IDLE, "ready\n"],
    want: "port 3465\nready\n",
    steps: ["port ", "3465\n", "ready\n"],
  },
  {
    name: "a coloured prompt that ends like the beginning of a value",
    secrets: [PASSWORD],
    chunks: ["\x1b[32mGo on? c\x1b[0m", IDLE, "orrect-zebra7\n"],
    want: "\x1b[32mGo on? c\x1b[0m[R]\n",
    steps: ["\x1b[32mGo on? ", "c\x1b[0m", "[R]\n"],
  },
  {
    name: "four bytes of a match and not what is between them",
    secrets: [PASSWORD],
    chunks: ["c\x1b[1mo\rr\x1b[2mre\x1b[3mct", IDLE, IDLE, "-zebra7"],
    want: "c\x1b[1mo\rr\x1b[2mr[R]\x1b[3m",
  },
  {
    name: "nothing left to mask at the end",
    secrets: ["abcdef", "abcdefGHIJKL"],
    chunks: ["abcdefGHIJ", IDLE],
    want: "[R]GHIJ",
  },
  {
    name: "a sequence that idle has cut",
    secrets: [PASSWORD],
    chunks: ["co\x1b[0", IDLE, "mrrect-zebra7."],
    want: "co\x1b[0m[R].",
    steps: ["", "co\x1b[0", "m[R]."],
  },
];
