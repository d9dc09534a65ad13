import { describe, expect, it } from "vitest";
import { asksForLaunch, findLaunch } from "../../src/cli/arguments.ts";
import { VERB_STATUS } from "../../src/cli/exit-status.ts";
import { suggested } from "../../src/cli/near-word.ts";
import { parseVerbRequest } from "../../src/cli/verb-arguments.ts";
import { VERBS } from "../../src/cli/verbs.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { MistypedWord, VaultError } from "../../src/vault-error.ts";

function parse(line: string) {
  const words = line.split(" ").filter((word) => word !== "");
  return findLaunch(words) ?? parseVerbRequest(words);
}

function messageOf(line: string): string {
  try {
    parse(line);
    return "accepted";
  } catch (error) {
    if (error instanceof VaultError && error.code === "usage") return error.message;
    throw error;
  }
}

describe("words for a launch", () => {
  it("are split at the first --, and the command keeps its own", () => {
    expect(parse("--agent 007 --group a --group b --clean-env -- node -e 1 -- --agent x")).toMatchObject({
      options: {
        agent: "007",
        group: ["a", "b"],
        cleanEnv: true,
        command: ["node", "-e", "1", "--", "--agent", "x"],
      },
    });
  });

  it.each([
    ["--agent x", /no -- before the command/],
    ["--agent x --", /no command after --/],
    ["--agent x node -- y", /a word before --/],
    ["--agnet x -- y", /--agnet/],
    ["--agent -- y", /--agent/],
    ["--vault= -- y", /option '--vault' needs a value/],
    ["--clean-env=yes -- y", /--clean-env/],
    ["--__proto__.x 1 -- y", /no such option/],
  ])("%j are refused", (line, message) => {
    expect(messageOf(line)).toMatch(message);
  });

  it("are told from a verb's, whose errors have another status", () => {
    expect(asksForLaunch(["--agent", "x", "--", "true"])).toBe(true);
    expect(asksForLaunch(["--", "true"])).toBe(true);
    expect(asksForLaunch(["get", "a/B", "--", "x"])).toBe(false);
    expect(asksForLaunch(["--agent", "x"])).toBe(false);
  });
});

describe("words for a verb", () => {
  it("are matched against its table, and values stay text", () => {
    expect(parse("add-agent 007 --out 1e3 --yes")).toMatchObject({
      kind: "verb",
      verb: { name: "add-agent" },
      words: ["007"],
      values: { out: "1e3", yes: true },
    });
  });

  it.each([
    ["grnat a b", /no such verb/],
    ["grant a", /takes <agent> <group>/],
    ["grant a b c", /takes <agent> <group>/],
    ["list a b", /takes \[group\]/],
    ["set a/B --value x", /--value/],
    ["set a/B --from-file=", /option '--from-file' needs a value/],
    ["status --jsno", /--jsno/],
    ["set --__proto__.x a/B", /no such option/],
    ["constructor", /no such verb/],
  ])("%j are refused", (line, message) => {
    expect(messageOf(line)).toMatch(message);
  });

  it.each([
    ["grnat a b", "did you mean grant?"],
    ["set a/B --exipres 90d", "did you mean --expires?"],
    ["set a/B --exipres=sk_live_51Habc", "did you mean --expires?"],
    ["--agnet x -- y", "did you mean --agent?"],
    ["--tty ptty --agent x -- y", "did you mean --tty pty?"],
    ["--on-leak kil --agent x -- y", "did you mean --on-leak kill?"],
    ["hist a/B", "did you mean history?"],
    ["help foo", "see vault-run --help; to launch a program: vault-run --agent NAME -- COMMAND"],
    ["ls", "see vault-run --help; to launch a program: vault-run --agent NAME -- COMMAND"],
    ["set a/B --frobnicate", "see vault-run set --help"],
    ["xyz", "see vault-run --help; to launch a program: vault-run --agent NAME -- COMMAND"],
  ])("that are nearly one that there is get a suggestion: %j", (line, hint) => {
    try {
      parse(line);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(MistypedWord);
      expect(suggested(error as MistypedWord)).toMatchObject({ code: "usage", hint });
    }
  });

  it("that may be values are not repeated in errors (promise 10)", () => {
    const value = "sk_live_51HabcdefghijKLMNOP";
    for (const words of [
      [value],
      ["set", `stripe/API_KEY=${value}`],
      ["--agent", "x", value, "--", "true"],
      ["set", "stripe/API_KEY", value],
      ["set", value],
      ["list", `--${value}`],
      ["set", "g/NAME", "-p51Habcdefghi"],
      ["set", "g/NAME", `-p=${value}`],
    ]) {
      try {
        const request = parseVerbRequest(words);
        if (request.kind === "verb") parseSecretRef(request.words[0] ?? "");
        expect.unreachable();
      } catch (error) {
        expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("51Habc");
      }
    }
  });

  it("that ask for help get that verb's page", () => {
    expect(parse("grant --help")).toMatchObject({ kind: "help", verb: { name: "grant" } });
    expect(parse("help grant")).toMatchObject({ kind: "help", verb: { name: "grant" } });
    expect(parse("audit push --help")).toMatchObject({ kind: "help", verb: { name: "audit push" } });
    expect(parse("help audit push")).toMatchObject({ kind: "help", verb: { name: "audit push" } });
    expect(parse("--help")).toMatchObject({ kind: "help" });
    expect(parseVerbRequest([])).toMatchObject({ kind: "help" });
  });
});

describe("the table of verbs", () => {
  it.each(VERBS.map((verb) => [verb.name, verb] as const))(
    "has a command and an example for %s",
    async (name, verb) => {
      expect(typeof (await verb.load()).run).toBe("function");
      expect(verb.examples.every((example) => example.includes(`vault-run ${name}`))).toBe(true);
      expect(verb.examples.length).toBeGreaterThan(0);
    },
  );
});

describe("the examples", () => {
  const examples = VERBS.flatMap((verb) => verb.examples.map((example) => [example, verb.name] as const));

  it.each(examples)("are lines that the program takes: %s", (example, name) => {
    const line = example.slice(example.indexOf("vault-run")).replace(/ *(#|[|&<>)]).*/, "");
    expect(parseVerbRequest(line.split(" ").slice(1))).toMatchObject({ kind: "verb", verb: { name } });
  });
});

describe("exit statuses", () => {
  it("of verbs are 1 or 2 for every code", () => {
    expect(new Set(Object.values(VERB_STATUS))).toEqual(new Set([1, 2]));
  });
});
