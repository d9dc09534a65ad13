import { describe, expect, it } from "vitest";
import { createRedactor, type RedactedStream } from "../../src/redact/index.ts";
import { Secret } from "../../src/vault/secret.ts";

const SECRET = { name: "stripe/API_KEY", value: "sk_live_4eC39HqLyjW" };

const write = (stream: RedactedStream, text: string): string =>
  Buffer.from(stream.write(Buffer.from(text))).toString();

describe("createRedactor", () => {
  it("prints the secret's name in the mask", () => {
    const stream = createRedactor([SECRET]).stream();
    expect(write(stream, `key ${SECRET.value}.`)).toBe("key [REDACTED:stripe/API_KEY].");
  });

  it("names the match that starts first where several overlap", () => {
    const redactor = createRedactor([
      { name: "b", value: "bravo-charlie" },
      { name: "a", value: "alpha-bravo" },
    ]);
    expect(write(redactor.stream(), "alpha-bravo-charlie.")).toBe("[REDACTED:a].");
  });

  it("makes masks that can stand in a JSON string", () => {
    const stream = createRedactor([{ name: 'a"b\\c\n\x1b', value: SECRET.value }]).stream();
    expect(JSON.parse(write(stream, JSON.stringify({ key: SECRET.value })))).toEqual({
      key: "[REDACTED:a_b_c__]",
    });
  });

  it("names the secrets that are too short to be looked for", () => {
    const secrets = ["", " \n\t   ", "12345", " 12345 ", "123456"].map((value, index) => ({
      name: `s${index}`,
      value,
    }));
    expect(createRedactor(secrets).tooShort).toEqual(["s0", "s1", "s2", "s3"]);
  });

  it("takes no value that is neither text nor bytes, and quotes none", () => {
    const secret = new Secret("stripe/API_KEY", Buffer.from(SECRET.value));
    const numbers = new Uint16Array(Buffer.from(SECRET.value));
    for (const value of [48_151_623, secret, [SECRET.value], numbers, undefined] as unknown[] as string[])
      expect(() => createRedactor([{ name: "a", value }])).toThrow(
        /^the value of a is neither text nor bytes$/,
      );
    const nameless = [{ value: SECRET.value }] as unknown as { name: string; value: string }[];
    expect(() => createRedactor(nameless)).toThrow(/^a secret's name is not a string$/);
  });

  it("looks for nothing when nothing is registered", () => {
    const redactor = createRedactor([]);
    expect(redactor.tooShort).toEqual([]);
    expect(write(redactor.stream(), "some text\n")).toBe("some text\n");
  });

  it("keeps a value out of the error when it looks like broken JSON", () => {
    const value = '{"key": "never-print-this", ';
    expect(write(createRedactor([{ name: "j", value }]).stream(), `${value.trim()}.`)).toBe("[REDACTED:j].");
  });
});

describe("a report", () => {
  it("counts masks per secret, stream and encoding", () => {
    const redactor = createRedactor([SECRET, { name: "db/PASSWORD", value: "winter-is-coming" }]);
    const stdout = redactor.stream("stdout");
    const stderr = redactor.stream("stderr");
    write(stdout, `${SECRET.value} ${SECRET.value} ${Buffer.from(SECRET.value).toString("hex")}\n`);
    write(stderr, `${SECRET.value} winter-is-coming\n`);
    expect(redactor.leaks()).toEqual([
      { name: "stripe/API_KEY", stream: "stdout", encoding: "raw", count: 2 },
      { name: "stripe/API_KEY", stream: "stdout", encoding: "hex", count: 1 },
      { name: "stripe/API_KEY", stream: "stderr", encoding: "raw", count: 1 },
      { name: "db/PASSWORD", stream: "stderr", encoding: "raw", count: 1 },
    ]);
    expect(redactor.counts()).toEqual([
      { name: "stripe/API_KEY", encoding: "raw", count: 3 },
      { name: "stripe/API_KEY", encoding: "hex", count: 1 },
      { name: "db/PASSWORD", encoding: "raw", count: 1 },
    ]);
  });

  it.each([
    ["", SECRET.value],
    [", also where a file has a line break behind it", `${SECRET.value}\n`],
  ])("counts two secrets of the same value both%s", (_, same) => {
    const seen: string[] = [];
    const secrets = [SECRET, { name: "old/API_KEY", value: Buffer.from(same) }];
    const redactor = createRedactor(secrets, { onMatch: ({ name }) => seen.push(name) });
    expect(write(redactor.stream(), `${SECRET.value}.`)).toBe("[REDACTED:stripe/API_KEY].");
    expect(redactor.counts().map(({ name }) => name)).toEqual(["stripe/API_KEY", "old/API_KEY"]);
    expect(seen).toEqual(["stripe/API_KEY", "old/API_KEY"]);
  });

  it("keeps its place in a stream where who is told of a match throws", () => {
    const value = SECRET.value;
    for (let at = 1; at < value.length; at++) {
      let isFirst = true;
      const onMatch = () => {
        if (!isFirst) return;
        isFirst = false;
        throw new Error("told");
      };
      const redactor = createRedactor([SECRET], { onMatch });
      const stream = redactor.stream();
      expect(write(stream, `a ${value.slice(0, at)}`)).toBe("a ");
      expect(() => write(stream, `${value.slice(at)} b ${value} c ${value.slice(0, 5)}`)).toThrow("told");
      expect(write(stream, `${value.slice(5)} d ${value.slice(0, at)}`)).toBe(`[REDACTED:${SECRET.name}] d `);
      expect(write(stream, `${value.slice(at)}.`)).toBe(`[REDACTED:${SECRET.name}].`);
      expect(redactor.counts()).toMatchObject([{ count: 4 }]);
    }
  });

  it("counts every secret that one mask covers, each once", () => {
    const redactor = createRedactor([
      { name: "a", value: "alpha-bravo" },
      { name: "b", value: "bravo-charlie" },
    ]);
    const stream = redactor.stream();
    for (const byte of "alpha-bravo-charliealpha-bravo.") write(stream, byte);
    expect(redactor.counts()).toEqual([
      { name: "a", encoding: "raw", count: 1 },
      { name: "b", encoding: "raw", count: 1 },
    ]);
  });

  it("calls what starts at one place by what was complete first there, however it is cut", () => {
    const secrets = [
      { name: "k", value: "first line of the key\nsecond line of the key" },
      { name: "live", value: "live-token" },
      { name: "eu", value: "live-token-eu-1" },
    ];
    const text = "first line of the key\nsecond line of the key\nlive-token-eu-1\n";
    const run = (chunks: readonly string[]) => {
      const redactor = createRedactor(secrets);
      const stream = redactor.stream();
      const output = chunks.map((chunk) => write(stream, chunk)).join("");
      return { output, counts: redactor.counts() };
    };
    const whole = run([text]);
    expect(whole).toEqual(run([...text]));
    expect(whole).toEqual({
      output: "[REDACTED:k]\n[REDACTED:live]\n",
      counts: [
        { name: "k", encoding: "line", count: 1 },
        { name: "live", encoding: "raw", count: 1 },
        { name: "eu", encoding: "raw", count: 1 },
      ],
    });
  });
});

describe("a stream", () => {
  it("passes on a chunk in which nothing is found as it is", () => {
    const chunk = Buffer.from("nothing to see here\n");
    const output = createRedactor([SECRET]).stream().write(chunk);
    expect(output.buffer).toBe(chunk.buffer);
    expect(output.byteOffset).toBe(chunk.byteOffset);
    expect(output.length).toBe(chunk.length);
  });

  it("does not depend on a chunk after write has returned", () => {
    const stream = createRedactor([SECRET]).stream();
    const chunk = Buffer.from("sk_live_4");
    stream.write(chunk);
    chunk.fill("x");
    expect(write(stream, "!")).toBe("sk_live_4!");
  });

  it("does not hold back a line that ends like the beginning of an encoded value", () => {
    const stream = createRedactor([{ name: "s", value: "correct-zebra7" }]).stream();
    const [first = ""] = Buffer.from("correct-zebra7").toString("base64");
    expect(write(stream, `line ${first}\n`)).toBe(`line ${first}\n`);
  });

  it("holds back a wrapped line that ends in the beginning of an encoded value", () => {
    const value = "correct-zebra7-battery-staple-on-fire";
    const stream = createRedactor([{ name: "s", value }]).stream();
    const encoded = Buffer.from(`${"p".repeat(54)}${value}`).toString("base64");
    const wrapped = encoded.replace(/.{73}/g, "$&\n");
    expect(write(stream, wrapped.slice(0, 74))).toBe(wrapped.slice(0, 72));
    expect(write(stream, `${wrapped.slice(74)}\n`)).toMatch(/^\[REDACTED:s\].{0,3}\n$/);
  });

  it.each([
    ["CR", "\r"],
    ["a CSI sequence", "\x1b[1;"],
    ["a CSI sequence that is repeated", "\x1b[0m"],
  ])("is not held back for ever by %s", (_name, repeated) => {
    const stream = createRedactor([SECRET]).stream();
    expect(write(stream, "sk_live")).toBe("");
    const text = repeated.repeat(5000);
    expect(write(stream, text)).toContain(`sk_live${text.slice(0, 64)}`);
  });

  it("is through with a long stream in good time, whatever is in it", { timeout: 120_000 }, () => {
    const secrets = ["b", "c", "d"].map((end, index) => ({
      name: end,
      value: "a".repeat(9000 - index * 3000) + end,
    }));
    const redactor = createRedactor(secrets);
    for (const repeated of ["a", "a\r", "a\x1b[0m", `${"a".repeat(8999)}\n`]) {
      const stream = redactor.stream();
      const text = repeated.repeat(Math.ceil(1e6 / repeated.length));
      let written = 0;
      // Quadratic work would take minutes for each of these.
      for (let at = 0; at < text.length; at += 500) written += write(stream, text.slice(at, at + 500)).length;
      expect(written).toBeGreaterThan(text.length - 50_000);
    }
  });

  it("masks a long value with a colour change after each byte", () => {
    const value = Array.from({ length: 140_000 }, (_, i) =>
      String.fromCharCode(97 + ((i * i * 7 + i) % 23)),
    ).join("");
    const stream = createRedactor([{ name: "s", value }]).stream();
    const output = write(stream, value.replace(/./g, "$&\x1b[0m"));
    expect(output.startsWith("[REDACTED:s]\x1b[0m")).toBe(true);
    expect(output.replaceAll("\x1b[0m", "")).toBe("[REDACTED:s]");
  });

  it("is through in good time with a long value of many lines that a terminal prints", {
    timeout: 20_000,
  }, () => {
    for (const line of ["fifteen-letters", "a"]) {
      const value = `${`${line}\n`.repeat(Math.ceil(300_000 / (line.length + 1)))}end`;
      const stream = createRedactor([{ name: "s", value }]).stream();
      expect(write(stream, `${value.replaceAll("\n", "\r\n")}.`)).toBe("[REDACTED:s].");
    }
  });

  it("takes bytes and nothing else", () => {
    const stream = createRedactor([SECRET]).stream();
    expect(() => stream.write("text" as unknown as Uint8Array)).toThrow(TypeError);
    expect(write(stream, "text\n")).toBe("text\n");
  });

  it("returns nothing after its end, and takes nothing", () => {
    const stream = createRedactor([SECRET]).stream();
    write(stream, "sk_");
    expect(Buffer.from(stream.end()).toString()).toBe("sk_");
    expect(stream.idle()).toHaveLength(0);
    expect(stream.end()).toHaveLength(0);
    expect(() => stream.write(Buffer.from("x"))).toThrow(TypeError);
  });

  it("shares no state with another", () => {
    const redactor = createRedactor([SECRET]);
    const [one, two] = [redactor.stream(), redactor.stream()];
    write(one, "sk_live_");
    expect(write(two, "4eC39HqLyjW\n")).toBe("4eC39HqLyjW\n");
    expect(write(one, "4eC39HqLyjW\n")).toBe("[REDACTED:stripe/API_KEY]\n");
  });
});
