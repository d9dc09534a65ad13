import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { git } from "../fixtures/vault.ts";
import { OF_NO_SECRET, REF, tryBriefly } from "./doors.ts";
import { type Attacker, keyOf, reach, signedBy } from "./forgeries.ts";
import {
  expectRefused,
  freshMachine,
  keyPath,
  ownerKeyPath,
  type Place,
  placeOf,
  stateOf,
  VALUES,
  vaultTemplate,
} from "./place.ts";

// A5, A6, A7: what owners signed themselves, put back, put beside or mixed with something else by somebody who may push.

const AGENT = "agents/crawler/agent.json";
const GROUP = "groups/stripe/group.json";
const SECRET = "groups/stripe/secrets/API_KEY.json";

const NEWEST = "sk_live_52newestABCDEFGH";

let template: Program;
let place: Place;
let owner: Program;
let attacker: Attacker;
/** The commit that all clones had at first. */
let old: string;
beforeAll(async () => {
  template = await vaultTemplate();
});
beforeEach(async () => {
  place = await placeOf(template);
  ({ owner, attacker } = place);
  old = owner.git("rev-parse", "HEAD");
});

const says = (what: string, path = "") => new RegExp(`(${what}).*\\.vault/${path.replaceAll(".", "\\.")}`);

/** The owner's change comes to every clone, and every machine has seen it. */
async function share(): Promise<void> {
  owner.git("push", "--quiet", "origin", "HEAD:main");
  for (const { repo } of [place.agent]) git(repo, "pull", "--quiet", "--ff-only");
  attacker.pull();
  await owner.run(["check"]);
  for (const each of [owner, place.agent]) await each.run(["get", REF, "--agent", "crawler"]);
}

describe("who puts back what an owner signed before (A5)", () => {
  it("one value: it is a rollback at every door of the machines that have seen the newer one", async () => {
    await owner.set(REF, NEWEST);
    await share();
    attacker.putBack(old, SECRET);
    attacker.push();
    await expectRefused(place, {
      code: "record-rollback",
      says: says("older", SECRET),
      syncSays: /older record was put back/,
      open: OF_NO_SECRET,
    });
  });

  it("the whole vault, from before they were revoked: nothing new is sealed to what they hold", async () => {
    await owner.must(["revoke", "stays", "stripe"]);
    await owner.set(REF, NEWEST);
    await share();
    attacker.putBack(old);
    attacker.push();
    await expectRefused(place, {
      code: "record-rollback",
      says: says("older"),
      syncSays: /older record was put back/,
      open: ["admin.addAgent", "restore"],
    });
    const reached = await reach(owner.repo, keyOf(keyPath(owner, "stays")).identity);
    expect(reached).toContain(VALUES[REF]);
    expect(reached).not.toContain(NEWEST);
  });

  it("what stood before a removal: what they delete is missing at every door", async () => {
    await share();
    attacker.remove(SECRET);
    attacker.push();
    const missing = { code: "record-missing", says: says("gone without a tombstone", SECRET) };
    await expectRefused(place, {
      ...missing,
      open: OF_NO_SECRET.filter((door) => door !== "admin.importSecrets"),
    });
  });

  it("is told by no machine that has seen nothing, and in review by `check --base` all the same", async () => {
    await owner.set(REF, NEWEST);
    await share();
    attacker.putBack(old, SECRET);
    git(attacker.clone, "switch", "--quiet", "--create", "offered");
    attacker.commit();
    const machine = freshMachine(owner, "crawler", attacker.clone);
    // The limit: an older vault passes for the current one where nothing was seen.
    expect(await machine.must(["get", REF, "--agent", "crawler"])).toBe(VALUES[REF]);
    // A job without any key, on what would be merged.
    const job = Program.at(tempFolder());
    git(job.home, "clone", "--quiet", attacker.clone, job.repo);
    const { status, stdout } = await job.run(["check", "--base", "origin/main", "--json"]);
    expect(status).toBe(1);
    const { findings } = JSON.parse(stdout) as { findings: object[] };
    expect(findings).toContainEqual(expect.objectContaining({ kind: "record-rollback", where: SECRET }));
    attacker.remove(SECRET);
    attacker.commit();
    git(job.repo, "pull", "--quiet");
    const gone = await job.run(["check", "--base", "origin/main", "--json"]);
    expect(gone.status).toBe(1);
    expect(JSON.parse(gone.stdout).findings).toContainEqual(
      expect.objectContaining({ kind: "record-missing", where: SECRET }),
    );
  });
});

describe("who has another version under the number of one that was seen (A6)", () => {
  it("is refused at every door that saw the first, even with an owner's signature", async () => {
    await share();
    const { key } = keyOf(ownerKeyPath(owner));
    attacker.write(SECRET, signedBy(key, { ...attacker.read(SECRET), description: "another" }));
    attacker.push();
    await expectRefused(place, {
      code: "record-conflict",
      says: says("other|another", SECRET),
      syncSays: /older record was put back/,
      open: OF_NO_SECRET,
    });
  });
});

describe("who mixes a genuine change with something forged (A7)", () => {
  it("has nothing of it remembered: the machine goes on from what it had seen", async () => {
    const { agent } = place;
    await agent.must(["get", REF, "--agent", "crawler"]);
    await owner.must(["policy", "stripe", "--allow-command", "true", "--yes"]);
    await owner.set("stripe/WEBHOOK", NEWEST);
    owner.git("push", "--quiet", "origin", "HEAD:main");
    attacker.pull();
    const genuine = attacker.text(AGENT);
    attacker.sign(AGENT, attacker.read(AGENT));
    attacker.push();
    git(agent.repo, "pull", "--quiet", "--ff-only");
    const before = stateOf(agent);
    for (const answer of await tryBriefly(agent)) expect(answer.isOpen, answer.door).toBe(false);
    expect(stateOf(agent)).toEqual(before);
    // Nothing newer was pinned, so what was seen before is no rollback.
    git(agent.repo, "checkout", "--quiet", old, "--", ".vault");
    expect(await agent.must(["get", REF, "--agent", "crawler"])).toBe(VALUES[REF]);
    git(agent.repo, "reset", "--quiet", "--hard");
    attacker.write(AGENT, genuine);
    attacker.push();
    git(agent.repo, "pull", "--quiet", "--ff-only");
    expect((await tryBriefly(agent)).filter(({ isOpen }) => !isOpen)).toEqual([]);
    git(agent.repo, "checkout", "--quiet", old, "--", `.vault/${GROUP}`);
    expect((await agent.run(["get", REF, "--agent", "crawler"])).stderr).toMatch(says("older", GROUP));
  });
});
