import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Program } from "../fixtures/program.ts";
import { answerOf } from "../fixtures/project.ts";
import { git } from "../fixtures/vault.ts";
import { spelled } from "../vectors/forge.ts";
import { REF } from "./doors.ts";
import { type Attacker, keyOf, reach } from "./forgeries.ts";
import {
  freshMachine,
  keyPath,
  linesOf,
  ownerKeyPath,
  type Place,
  placeOf,
  VALUES,
  vaultTemplate,
} from "./place.ts";

// A8, A9, A10: that an owner signs, or seals to, what was never verified, or other bytes than those that were.

const SECRET = "groups/stripe/secrets/API_KEY.json";
const WEBHOOK = "groups/stripe/secrets/WEBHOOK.json";

let template: Program;
let place: Place;
let owner: Program;
let attacker: Attacker;
beforeAll(async () => {
  template = await vaultTemplate();
});
beforeEach(async () => {
  place = await placeOf(template);
  ({ owner, attacker } = place);
});

const pull = () => owner.git("pull", "--quiet", "--ff-only");

/** A verb is refused, naming the record; nothing of the repository changes, and the log says of no change. */
async function expectUnsigned(path: string, ...verbs: (readonly string[])[]): Promise<void> {
  for (const args of verbs) {
    const [before, lines] = [owner.snapshot(), linesOf(owner).length];
    const { status, stdout, stderr } = await owner.run(args, { input: "value-set-in-the-attack" });
    expect({ status, stdout }, `${args.join(" ")}: ${stderr}`).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/no owner of this vault signed (this record|one side of this conflict): /);
    expect(stderr).toContain(`: .vault/${path}\n`);
    expect(owner.snapshot()).toBe(before);
    expect(
      linesOf(owner)
        .slice(lines)
        .filter(({ action }) => action !== "denied"),
    ).toEqual([]);
  }
}

describe("what is kept of a record that is written anew (A9)", () => {
  it("is never a scanner's exception that somebody put on the list", async () => {
    await owner.must(["allow", "0".repeat(64), "--reason", "a sample", "--yes"]);
    owner.git("push", "--quiet", "origin", "HEAD:main");
    attacker.pull();
    writeFileSync(join(owner.repo, "leaked.txt"), keyOf(ownerKeyPath(owner)).identity.reveal());
    owner.git("add", "leaked.txt");
    const scan = async () => await owner.run(["scan", "--staged", "--json"]);
    const [found] = (JSON.parse((await scan()).stdout) as { findings: { fingerprint: string }[] }).findings;
    const { entries } = attacker.read("allow.json") as { entries: object[] };
    const forged = { ...entries[0], fingerprint: found?.fingerprint };
    attacker.edit("allow.json", { entries: [...entries, forged] });
    attacker.push();
    pull();
    expect((await scan()).status).toBe(1);
    await expectUnsigned(
      "allow.json",
      ["allow", "1".repeat(64), "--reason", "another", "--yes"],
      ["allow", "0".repeat(64), "--remove", "--yes"],
    );
    expect((await scan()).status).toBe(1);
  });

  it("is never a group's rule that somebody put into it", async () => {
    attacker.edit("groups/test/group.json", { policy: { reveal: true } });
    attacker.push();
    pull();
    await expectUnsigned(
      "groups/test/group.json",
      ["policy", "test", "--allow-command", "gh", "--yes"],
      ["set", "test/API_KEY"],
      ["revoke", "stays", "test"],
    );
  });

  it("is never a secret's variable, or that nobody is left who could have read it", async () => {
    await owner.must(["revoke", "stays", "stripe"]);
    owner.git("push", "--quiet", "origin", "HEAD:main");
    attacker.pull();
    attacker.edit(SECRET, { env: "LD_PRELOAD", unsafeName: true, exposedTo: [] });
    attacker.push();
    pull();
    await expectUnsigned(SECRET, ["set", REF], ["rotation"], ["list"], ["revoke", "crawler", "stripe"]);
  });

  it("is never a side of a merge that nobody signed, in conflict or clean for git", async () => {
    await owner.set(REF, "sk_live_54ownABCDEFGHIJK");
    attacker.edit(SECRET, { sealed: attacker.read(WEBHOOK).sealed });
    attacker.push();
    owner.git("fetch", "--quiet");
    const own = owner.git("rev-parse", "HEAD");
    expect(() => owner.git("merge", "--quiet", "origin/main")).toThrow();
    await expectUnsigned(SECRET, ["resolve"]);
    owner.git("merge", "--abort");
    attacker.edit(WEBHOOK, { description: "of mallory" });
    attacker.putBack("HEAD~1", SECRET);
    attacker.push();
    owner.git("fetch", "--quiet");
    owner.git("merge", "--quiet", "--message", "merged", "origin/main");
    await expectUnsigned(WEBHOOK, ["resolve"]);
    owner.git("reset", "--quiet", "--hard", own);
    await expectUnsigned(WEBHOOK, ["sync"]);
    expect(owner.git("rev-parse", "HEAD")).toBe(own);
  });
});

describe("whom things are sealed to again (A8)", () => {
  it("is nobody by an old grant that was put back, also from an owner's machine that has seen nothing", async () => {
    const grant = attacker.text("agents/stays/grants/stripe.json");
    await owner.must(["revoke", "stays", "stripe"]);
    owner.git("push", "--quiet", "origin", "HEAD:main");
    attacker.pull();
    attacker.write("agents/stays/grants/stripe.json", grant);
    attacker.push();
    const laptop = freshMachine(owner, "crawler", place.remote);
    git(laptop.repo, "config", "user.name", "Test Owner");
    git(laptop.repo, "config", "user.email", "owner@example.org");
    const ownerKey = ["--owner-key-file", ownerKeyPath(owner)];
    const head = git(laptop.repo, "rev-parse", "HEAD");
    for (const args of [
      ["revoke", "crawler", "stripe"],
      ["rekey", "crawler", "--out", "../new.key"],
      ["remove-agent", "crawler"],
      ["grant", "stays", "stripe"],
    ]) {
      const { status, stderr } = await laptop.run([...args, ...ownerKey]);
      expect(status, `${args.join(" ")}: ${stderr}`).toBe(1);
      expect(stderr).toContain(
        "made for epoch 1 of a group that is at epoch 2: .vault/agents/stays/grants/stripe.json",
      );
    }
    expect(git(laptop.repo, "rev-parse", "HEAD")).toBe(head);
    // What reads no grant goes on, sealed to the group as its owner signed it.
    await laptop.must(["set", REF, ...ownerKey], { input: "sk_live_55afterABCDEFGH" });
    expect(await laptop.must(["get", REF, "--agent", "crawler"])).toBe("sk_live_55afterABCDEFGH");
    const stays = keyOf(keyPath(owner, "stays")).identity;
    expect(await reach(laptop.repo, stays)).not.toContain("sk_live_55afterABCDEFGH");
  });
});

describe("bytes that change between a check and a use (A10)", () => {
  it("are never opened: a value comes out as an owner signed it, or not at all", async () => {
    const path = join(owner.repo, ".vault", SECRET);
    const good = attacker.text(SECRET);
    const { recipient } = attacker.read("groups/stripe/group.json");
    const { vault, epoch, valueId } = attacker.read(SECRET);
    const context = { type: "secret", vault, group: "stripe", name: "API_KEY", epoch, valueId };
    const sealed = await attacker.seal({ ...context, encoding: "utf8", value: "of mallory" }, recipient);
    const forged = spelled({ ...attacker.read(SECRET), sealed });
    const swapper = spawn(process.execPath, ["-e", SWAP, path, good, forged]);
    try {
      await new Promise((resolve) => swapper.stdout.once("data", resolve));
      const before = linesOf(owner).length;
      const answers = (await answerOf(READ_OFTEN, owner)) as Record<string, number>;
      const { [VALUES[REF]]: given = 0, "record-signature": refused = 0, ...others } = answers;
      expect(others).toEqual({});
      expect(given + refused).toBe(300);
      // Each as it was: a line of the log for each value that came out, and one for each refusal.
      const lines = linesOf(owner).slice(before);
      expect(lines.filter(({ action }) => action === "sdk")).toHaveLength(given);
      expect(lines.filter(({ action }) => action === "denied")).toHaveLength(refused);
    } finally {
      swapper.kill();
    }
  });
});

/** Puts one file and another in turns, each whole. */
const SWAP = `
  const { writeFileSync, renameSync } = require("node:fs");
  const [path, ...texts] = process.argv.slice(1);
  process.stdout.write("begun");
  for (let turn = 0; ; turn++) {
    writeFileSync(path + ".new", texts[turn % 2]);
    renameSync(path + ".new", path);
    if (turn % 16 === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
`;

const READ_OFTEN = `
  import { openVault, VaultError } from "vault-run";
  const vault = await openVault();
  const answers = {};
  for (let i = 0; i < 300; i++) {
    let answer;
    try {
      answer = (await vault.get("${REF}")).reveal();
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      answer = error.code;
    }
    answers[answer] = (answers[answer] ?? 0) + 1;
  }
  console.log(JSON.stringify(answers));
`;
