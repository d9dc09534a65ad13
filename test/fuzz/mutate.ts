// Inputs out of inputs, by a generator whose seed says them all.

export type Random = (below: number) => number;

/** Mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const MAX_BYTES = 64 * 1024;
const TOKENS = [
  "\0",
  "\n",
  "\r\n",
  "\x1b[31m",
  "\u2028",
  "\u{1f511}",
  '"',
  "\\",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "=",
  "#",
  "-> ",
  "--- ",
  "__proto__",
  "constructor",
  "null",
  "1e999",
  "-0",
  "9007199254740993",
  '"\\ud800"',
  "../",
  "--",
  "-",
  "é",
  "\ufeff",
  "# agent: ",
  "# owner: ",
  "AGE-SECRET-KEY-1",
  "age1",
  "age1pq1",
  "X25519",
  "scrypt",
  "mlkem768x25519",
  "\xff",
  "*",
  "export ",
  "`",
  "'",
  "\r\n\r\n",
  "Location: ",
  "Content-Encoding: gzip\r\n",
  "Transfer-Encoding: chunked\r\n",
  "HTTP/1.1 302 \r\n",
].map((token) => Buffer.from(token));

/** A value of JSON that holds no other, or a name. */
const JSON_VALUE = /"(?:[^"\\]|\\.){0,200}"|-?\d[\d.eE+-]{0,20}|true|false|null/g;
const JSON_VALUES = [
  ...[
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "1e999",
    "9007199254740993",
    '""',
    '"x"',
    "[]",
    "{}",
    "[[]]",
    "[null]",
  ],
  ...[
    '{"toString":1}',
    '{"__proto__":null}',
    '"__proto__"',
    '"\\u0000"',
    '"\\ud800"',
    '"\\u001b[2J"',
    '"\\u009b"',
    '{"a":{"a":{}}}',
  ],
];

/** One to four changes of one input. */
export function mutate(input: Buffer, others: readonly Buffer[], random: Random): Buffer {
  let bytes = input;
  for (let left = 1 + random(4); left > 0; left--) bytes = changed(bytes, others, random);
  return bytes.subarray(0, MAX_BYTES);
}

function changed(bytes: Buffer, others: readonly Buffer[], random: Random): Buffer {
  const at = random(bytes.length + 1);
  const length = 1 + random(Math.min(64, bytes.length + 1));
  const head = bytes.subarray(0, at);
  const part = bytes.subarray(at, at + length);
  const tail = bytes.subarray(at + length);
  switch (random(9)) {
    case 0: {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[random(copy.length)] = random(256);
      return copy;
    }
    case 1:
      return Buffer.concat([head, TOKENS[random(TOKENS.length)] ?? part, part, tail]);
    case 2:
      return Buffer.concat([head, TOKENS[random(TOKENS.length)] ?? part, tail]);
    case 3:
      return Buffer.concat([head, tail]);
    case 4:
      return Buffer.concat([head, ...Array.from({ length: 1 + random(20) }, () => part), tail]);
    case 5:
      return head;
    case 6: {
      const other = others[random(others.length)] ?? bytes;
      const from = random(other.length + 1);
      return Buffer.concat([head, other.subarray(from, from + length), tail]);
    }
    case 7:
      return withOtherValue(bytes, random);
    default: {
      const copy = Buffer.from(bytes);
      const spot = random(Math.max(1, copy.length));
      if (copy.length > 0) copy[spot] = (copy[spot] ?? 0) ^ (1 << random(8));
      return copy;
    }
  }
}

/** JSON with another value, or another name, where it had one. */
export function withOtherValue(bytes: Buffer, random: Random): Buffer {
  const text = bytes.toString("latin1");
  const found = [...text.matchAll(JSON_VALUE)];
  if (found.length === 0) return bytes;
  const { index, 0: value } = found[random(found.length)]!;
  const others = [...JSON_VALUES, found[random(found.length)]![0]];
  const other = others[random(others.length)]!;
  return Buffer.from(text.slice(0, index) + other + text.slice(index + value.length), "latin1");
}
