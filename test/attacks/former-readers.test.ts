import { beforeAll, describe, expect, it } from "vitest";
import type { Program } from "../fixtures/program.ts";
import { git } from "../fixtures/vault.ts";
import { keyOf, reach } from "./forgeries.ts";
import {
  FORMER_VALUE,
  freshMachine,
  keyPath,
  ownerKeyPath,
  placeOf,
  VALUES,
  vaultTemplate,
} from "./place.ts";

// A14: an agent that may no longer read keeps its clone, its key and its right to fetch.

const NEW = {
  "stripe/API_KEY": "sk_live_53afterREVOKEabcd",
  "stripe/WEBHOOK": "whsec_53afterREVOKEabcdef",
  "test/API_KEY": "sk_test_53afterREVOKEabcd",
} as const;
type Ref = keyof typeof NEW;
const STRIPE: Ref[] = ["stripe/API_KEY", "stripe/WEBHOOK"];
const ALL: Ref[] = [...STRIPE, "test/API_KEY"];

let template: Program;
beforeAll(async () => {
  template = await vaultTemplate();
});

/** The values to rotate, and by whose leave each could have been read. */
async function rotation(owner: Program): Promise<Record<string, string[]>> {
  const { stdout, status } = await owner.run(["rotation", "--json"]);
  const { rotate } = JSON.parse(stdout) as {
    rotate: { group: string; name: string; readers: { agent: string }[] }[];
  };
  expect(status).toBe(rotate.length === 0 ? 0 : 1);
  return Object.fromEntries(
    rotate.map(({ group, name, readers }) => [`${group}/${name}`, readers.map(({ agent }) => agent)]),
  );
}

describe("a key that may no longer read (A14)", () => {
  it.each<[string, string[], Ref[], string]>([
    ["revoke", ["revoke", "stays", "stripe"], STRIPE, "revoked"],
    ["remove-agent", ["remove-agent", "stays"], ALL, "removed"],
    ["rekey", ["rekey", "stays", "--out", "../stays.key"], ALL, "new key"],
  ])(
    "after %s opens what it could, as its old clone does, and nothing newer",
    async (_, verb, lost, says) => {
      const { owner, remote } = await placeOf(template);
      const clone = freshMachine(owner, "stays", remote);
      const { identity } = keyOf(keyPath(clone, "stays"));
      const known = await reach(remote, identity);
      expect(known).toEqual(new Set([...Object.values(VALUES), FORMER_VALUE]));

      await owner.must(verb);
      expect(await rotation(owner)).toEqual(Object.fromEntries(lost.map((ref) => [ref, ["stays"]])));
      // Sealed again, and opened by those who remain; the list is as it was until a value is new.
      owner.git("push", "--quiet", "origin", "HEAD:main");
      expect(await owner.must(["get", "stripe/API_KEY", "--agent", "crawler"])).toBe(
        VALUES["stripe/API_KEY"],
      );

      const open = [...lost];
      for (const ref of lost) {
        await owner.set(ref, NEW[ref]);
        open.shift();
        expect(Object.keys(await rotation(owner))).toEqual(open);
      }
      owner.git("push", "--quiet", "origin", "HEAD:main");

      // The limit: what was granted once is theirs, in the clone that they have.
      const as = ["--agent", "stays"];
      for (const ref of lost) expect(await clone.must(["get", ref, ...as])).toBe(VALUES[ref]);
      git(clone.repo, "pull", "--quiet", "--ff-only");
      for (const args of lost.map((ref) => ["get", ref, ...as])) {
        const { status, stdout, stderr } = await clone.run(args);
        expect({ status, stdout }, stderr).toEqual({ status: 1, stdout: "" });
        expect(stderr).toContain(says);
      }
      // Nor without this program, out of all that the repository holds.
      expect(await reach(remote, identity)).toEqual(known);
      expect(await owner.must(["get", "stripe/API_KEY", "--agent", "crawler"])).toBe(NEW["stripe/API_KEY"]);
    },
  );

  it("finds nothing newer in a clone that has the new values and the old grant beside them", async () => {
    const { owner, remote } = await placeOf(template);
    const clone = freshMachine(owner, "stays", remote);
    const old = git(clone.repo, "rev-parse", "HEAD");
    await owner.must(["revoke", "stays", "stripe"]);
    await owner.set("stripe/API_KEY", NEW["stripe/API_KEY"]);
    owner.git("push", "--quiet", "origin", "HEAD:main");
    git(clone.repo, "pull", "--quiet", "--ff-only");
    const launch = ["--agent", "stays", "--group", "stripe", "--", "printenv", "API_KEY"];
    for (const paths of [["agents/stays/grants"], ["agents/stays/grants", "groups/stripe/group.json"]]) {
      git(clone.repo, "checkout", "--quiet", old, "--", ...paths.map((path) => `.vault/${path}`));
      const { status, stdout, stderr } = await clone.run(launch);
      expect({ status, stdout }, stderr).toEqual({ status: 125, stdout: "" });
      expect(stderr).toMatch(/made for epoch \d of a group that is at epoch \d/);
    }
  });

  it("is sealed to by an owner's machine that has seen nothing, where all was put back; `check --base` tells", async () => {
    const { owner, remote, attacker } = await placeOf(template);
    const old = owner.git("rev-parse", "HEAD");
    await owner.must(["revoke", "stays", "stripe"]);
    const seen = owner.git("rev-parse", "HEAD");
    owner.git("push", "--quiet", "origin", "HEAD:main");
    attacker.pull();
    attacker.putBack(old);
    attacker.push();
    const laptop = freshMachine(owner, "crawler", remote);
    git(laptop.repo, "config", "user.name", "Test Owner");
    git(laptop.repo, "config", "user.email", "owner@example.org");
    const ownerKey = ["--owner-key-file", ownerKeyPath(owner)];
    // With the last commit that another machine saw.
    const { status, stdout } = await laptop.run(["check", "--base", seen, "--json", ...ownerKey]);
    expect(status).toBe(1);
    expect(JSON.parse(stdout).findings).toContainEqual(
      expect.objectContaining({ kind: "record-rollback", where: "groups/stripe/group.json" }),
    );
    // The limit.
    const value = NEW["stripe/API_KEY"];
    await laptop.must(["set", "stripe/API_KEY", ...ownerKey], { input: value });
    expect(await reach(laptop.repo, keyOf(keyPath(owner, "stays")).identity)).toContain(value);
    // Not from the machine that has seen the revocation.
    owner.git("pull", "--quiet", "--ff-only");
    expect((await owner.run(["set", "stripe/API_KEY"], { input: value })).stderr).toContain(
      "older than a record",
    );
  });
});
