import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import type { Program } from "../fixtures/program.ts";
import { OF_NO_SECRET, type OwnerDoor, REF } from "./doors.ts";
import type { Attacker } from "./forgeries.ts";
import { expectRefused, keyPath, type Place, placeOf, vaultTemplate } from "./place.ts";

// A1, A2, A3: somebody who may push, and holds no owner's key, puts readers, owners and values of their own into the vault.

const VAULT = "vault.json";
const AGENT = "agents/crawler/agent.json";
const GRANT = "agents/outsider/grants/stripe.json";
const GROUP = "groups/stripe/group.json";
const SECRET = "groups/stripe/secrets/API_KEY.json";
const FORGED = "sk_live_51_of_mallory_himself";

/** Owner's doors that read no agent's record. */
const OF_NO_AGENT: readonly OwnerDoor[] = [
  "admin.setSecret",
  "admin.importSecrets",
  "admin.unsetSecret",
  "set",
  "get",
  "export",
];

/** The agent's doors that read one secret and no list of them. */
const ONE_SECRET = /^get$|^node\.get$|^python$|run_with_secrets$|get_secret$/;

let template: Program;
let place: Place;
let attacker: Attacker;
beforeAll(async () => {
  template = await vaultTemplate();
});
beforeEach(async () => {
  place = await placeOf(template);
  attacker = place.attacker;
});

/** What is refused, naming the record, because no owner signed it. */
function unsigned(path: string) {
  const says = new RegExp(
    `no owner of this vault signed this record: \\.vault/${path.replaceAll(".", "\\.")}`,
  );
  return { code: "record-signature", says };
}

/** What a reader takes for the value of a secret that somebody put there. */
async function forgedValue(group: unknown, name = "API_KEY"): Promise<string> {
  const { epoch, valueId, vault } = attacker.read(SECRET);
  const context = { type: "secret", vault, group: "stripe", name, epoch, valueId };
  return attacker.seal({ ...context, encoding: "utf8", value: FORGED }, group);
}

describe("who may push and has no owner's key (A1)", () => {
  it("gives an agent a recipient and a key of their own: nothing is sealed to it", async () => {
    attacker.edit(AGENT, { recipient: attacker.recipient, verifyKey: attacker.key.verifyKey });
    attacker.push();
    const open: OwnerDoor[] = [...OF_NO_AGENT, "admin.grant", "admin.addAgent"];
    await expectRefused(place, { ...unsigned(AGENT), open });
  });

  it("adds an agent with a grant, signed by themselves: no verb that seals to agents takes it for one", async () => {
    const [agent, grant] = [attacker.read(AGENT), attacker.read("agents/crawler/grants/stripe.json")];
    const mine = { recipient: attacker.recipient, verifyKey: attacker.key.verifyKey };
    attacker.sign("agents/mallory/agent.json", { ...agent, ...mine, name: "mallory" });
    attacker.sign("agents/mallory/grants/stripe.json", { ...grant, agent: "mallory" });
    attacker.push();
    const open: OwnerDoor[] = [...OF_NO_AGENT, "admin.grant", "admin.addAgent", "grant again", "restore"];
    const refusal = { ...unsigned("agents/mallory/agent.json"), to: ["owner"] as const, open };
    await expectRefused(place, refusal);
    const { status, stderr } = await place.owner.run(["grant", "mallory", "stripe"]);
    expect(status).toBe(1);
    expect(stderr).toMatch(refusal.says);
  });

  it("gives an agent whose key they have a group, by a grant that another agent has", async () => {
    attacker.write(
      GRANT,
      attacker.text("agents/crawler/grants/stripe.json").replaceAll('"crawler"', '"outsider"'),
    );
    attacker.push();
    const open: OwnerDoor[] = [...OF_NO_AGENT, "admin.addAgent", "grant again", "restore", "add-owner"];
    await expectRefused(place, { ...unsigned(GRANT), to: ["owner"], open });
    for (const args of [
      ["--agent", "outsider", "--", "printenv", "API_KEY"],
      ["get", REF, "--agent", "outsider", "--key-file", keyPath(place.owner, "outsider")],
    ]) {
      const { status, stdout, stderr } = await place.owner.run(args);
      expect({ isOpen: status === 0, stdout }).toEqual({ isOpen: false, stdout: "" });
      expect(stderr).toMatch(unsigned(GRANT).says);
    }
  });

  it("makes themselves the recipient of a group: no value is sealed to it, new or old (A8)", async () => {
    attacker.edit(GROUP, { recipient: attacker.recipient });
    attacker.push();
    await expectRefused(place, { ...unsigned(GROUP), open: ["admin.addAgent", "restore"] });
  });
});

describe("who takes the owner's place in vault.json (A2)", () => {
  it.each<[string, (owner: object) => object[], "edit" | "sign"]>([
    [
      "by another recipient under the owner's signature",
      (owner) => [{ ...owner, recipient: attacker.recipient }],
      "edit",
    ],
    [
      "beside the owner, signed by themselves",
      (owner) => [
        owner,
        { name: "mallory", recipient: attacker.recipient, verifyKey: attacker.key.verifyKey },
      ],
      "sign",
    ],
  ])("%s, is refused at every door", async (_, owners, how) => {
    const vault = attacker.read(VAULT);
    const [owner = {}] = vault.owners as object[];
    attacker[how](VAULT, { ...vault, owners: owners(owner), serial: Number(vault.serial) + 1 });
    attacker.push();
    const says = /no trusted owner signed this record: \.vault\/vault\.json/;
    await expectRefused(place, { code: "record-signature", says });
  });

  it("with a whole vault of the same id that they signed, values of their own in it, is refused at every door", async () => {
    const group = await generateIdentity("classic");
    const recipient = await recipientOf(group);
    const vault = attacker.read(VAULT);
    const mine = { name: "owner", recipient: attacker.recipient, verifyKey: attacker.key.verifyKey };
    const context = { vault: vault.vault, group: "stripe", epoch: 1, identity: group.reveal() };
    const sealed = await attacker.seal(
      { type: "grant", agent: "crawler", ...context },
      attacker.read(AGENT).recipient,
    );
    attacker.sign(AGENT, attacker.read(AGENT));
    attacker.sign("agents/crawler/grants/stripe.json", {
      ...attacker.read("agents/crawler/grants/stripe.json"),
      sealed,
    });
    attacker.sign(SECRET, { ...attacker.read(SECRET), sealed: await forgedValue(recipient) });
    attacker.sign(GROUP, { ...attacker.read(GROUP), recipient });
    attacker.sign(VAULT, { ...vault, owners: [mine] });
    attacker.push();
    await expectRefused(place, {
      code: "untrusted",
      says: /the vault's owners are not those that \S+ pins: \.vault\/vault\.json/,
    });
  });
});

describe("who seals a value of their own to a group's public recipient (A3)", () => {
  it("and puts it in the place of a secret: it reaches no program", async () => {
    const sealed = await forgedValue(attacker.read(GROUP).recipient);
    attacker.sign(SECRET, { ...attacker.read(SECRET), sealed });
    attacker.push();
    await expectRefused(place, { ...unsigned(SECRET), open: OF_NO_SECRET });
  });

  it("and adds it as a secret that would make programs load code: no variable of it, and no launch", async () => {
    const path = "groups/stripe/secrets/EXTRA.json";
    const sealed = await forgedValue(attacker.read(GROUP).recipient, "EXTRA");
    const fields = { name: "EXTRA", env: "LD_PRELOAD", unsafeName: true, sealed };
    attacker.sign(path, { ...attacker.read(SECRET), ...fields });
    attacker.push();
    await expectRefused(place, {
      ...unsigned(path),
      open: [...OF_NO_SECRET, "admin.setSecret", "set", "rollback", "get"],
      openToAgent: ONE_SECRET,
    });
  });
});
