import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import { commandsOf } from "../fixtures/example.ts";
import { copyExample, follow, isIn } from "../fixtures/story.ts";

const program = copyExample("from-dotenv");
const told = await follow(program, commandsOf("from-dotenv"));
const [first = ""] = program.git("log", "--reverse", "--format=%H", "--", ".env").split("\n");
const old = parseEnv(program.git("show", `${first}:.env`));
const newer = {
  DATABASE_URL: await program.must(["get", "database/DATABASE_URL"]),
  STRIPE_KEY: await program.must(["get", "payments/STRIPE_KEY"]),
};

describe("the way from a .env file to the vault", () => {
  it("is as the README tells", () => {
    expect(told.status, told.stderr).toBe(0);
    const lines = told.stdout.split("\n");
    expect(
      lines.filter((line) => line === "shop: connecting to [REDACTED:database/DATABASE_URL]"),
    ).toHaveLength(3);
    expect(lines).toContain("report: database at db.example.org, sees STRIPE_KEY: false");
    expect(told.stdout).toMatch(/^report +yes +-$/m);
    expect(told.stdout).toMatch(/^shop +yes +yes$/m);
    expect(told.stdout + told.stderr).toContain("nothing found, 3 allowed by the owner");
  });

  it("shows no value, neither an old nor a new one", () => {
    expect(Object.keys(old).sort()).toEqual(["DATABASE_URL", "STRIPE_KEY"]);
    for (const value of [...Object.values(old), ...Object.values(newer)])
      expect(isIn(told, value ?? "")).toBe(false);
  });

  it("leaves no plain file, and has git refuse the next", async () => {
    expect(existsSync(join(program.repo, ".env"))).toBe(false);
    expect(program.git("ls-files", ".env", "notes.txt")).toBe("");
    expect(told.stdout).toContain("git refused with 1");
    expect(told.stdout + told.stderr).toContain("the value of payments/STRIPE_KEY");
    expect(program.git("log", "--all", "--format=%s")).not.toContain("notes");
    const tracked = ["grep", "--cached", "--files-with-matches", "--fixed-strings"];
    for (const value of [...Object.values(old), ...Object.values(newer)])
      expect((await follow(program, [`git ${tracked.join(" ")} '${value}'\n`])).stdout).toBe("");
  });

  it("replaces each value that the history holds, and names what comes after", async () => {
    expect(told.stdout).toContain("found, 1");
    for (const name of ["DATABASE_URL", "STRIPE_KEY"] as const) {
      expect(newer[name]).not.toBe(old[name]);
      expect(newer[name].length).toBe(old[name]?.length);
    }
    const copy = program.copy();
    const again = `printf 'STRIPE_KEY=%s' "$(vault-run get payments/STRIPE_KEY)" > again.txt
git add again.txt
git commit --quiet --no-verify --message again
vault-run scan --history\n`;
    const found = await follow(copy, [again]);
    expect(found.status).toBe(1);
    expect(found.stdout).toContain("again.txt:1:12 vault-value");
    expect(isIn(found, newer.STRIPE_KEY)).toBe(false);
  });
});
