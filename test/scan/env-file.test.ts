import { describe, expect, it } from "vitest";
import { findPlainEnv, isEnvFile } from "../../src/scan/env-file.ts";

const found = (text: string) => findPlainEnv(Buffer.from(text), new Set(["API_TOKEN"]));

describe("a variable's value in a .env file", () => {
  it.each([
    "API_TOKEN=Zk39vK20sLq",
    "API_TOKEN=Zk39vK20sLq # replace quarterly",
    "export API_TOKEN = 'Zk39vK20sLq' # don't say 'example'",
    'API_TOKEN="Zk39vK20sLq" # "change_me" was here',
    'API_TOKEN="Z\\"k39vK20sLq"',
    'API_TOKEN="Zk39vK20sLq # no comment',
  ])("is told whatever stands behind it: %s", (line) => {
    expect(found(`# first\n${line}\n`)).toEqual(["API_TOKEN"]);
  });

  it.each(["", '"', "'", "`"])("is told of 10 MB in quotes: %s", (quote) => {
    const long = "Zk39vK20sLq".repeat(1_000_000);
    expect(found(`API_TOKEN=${quote}${long}${quote}\n`)).toEqual(["API_TOKEN"]);
    expect(found(`API_TOKEN=${quote}${long}`)).toEqual(["API_TOKEN"]);
  });

  it.each([
    "API_TOKEN=",
    "API_TOKEN= # Zk39vK20sLq",
    "API_TOKEN=replace-me # Zk39vK20sLq",
    'API_TOKEN="" # Zk39vK20sLq',
    "#API_TOKEN=Zk39vK20sLq",
    "OTHER=Zk39vK20sLq",
  ])("is none where nothing is given: %s", (line) => {
    expect(found(`${line}\n`)).toEqual([]);
  });
});

describe("a .env file", () => {
  it("may begin with a byte order mark", () => {
    expect(found("\ufeffAPI_TOKEN=Zk39vK20sLq\r\n")).toEqual(["API_TOKEN"]);
    expect(found("\ufeff# API_TOKEN=Zk39vK20sLq\r\n")).toEqual([]);
  });

  it("may be UTF-16", () => {
    const text = Buffer.from("\ufeff# first\r\nAPI_TOKEN=Zk39vK20sLq\r\n", "utf16le");
    for (const bytes of [text, Buffer.from(text).swap16()])
      expect(findPlainEnv(bytes, new Set(["API_TOKEN"]))).toEqual(["API_TOKEN"]);
  });

  it("is known by its name, in whatever case", () => {
    for (const file of [".env", "a/.ENV", ".Env.Local", "prod.ENV", ".envrc"])
      expect(isEnvFile(file), file).toBe(true);
    for (const file of [".env.example", ".ENV.Example", "env", ".environment"])
      expect(isEnvFile(file), file).toBe(false);
  });
});
