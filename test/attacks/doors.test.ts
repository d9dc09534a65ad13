import { beforeAll, describe, expect, it } from "vitest";
import { McpConnection } from "../fixtures/mcp.ts";
import type { Program } from "../fixtures/program.ts";
import { OWNER_DOORS, type OwnerDoor, REF, tryAsAgent, tryAsOwner, tryBriefly } from "./doors.ts";
import { keyOf, reach } from "./forgeries.ts";
import { FORMER_VALUE, keyPath, ownerKeyPath, placeOf, VALUES, vaultTemplate } from "./place.ts";

// What the attacks beside this are worth: on a vault that nobody attacked, every door opens.

let template: Program;
beforeAll(async () => {
  template = await vaultTemplate();
});

describe("a vault that nobody attacked", () => {
  it("opens at every door of the agent, on a machine that has seen it and on one that has not", async () => {
    const { owner, agent } = await placeOf(template);
    const answers = await tryAsAgent(owner, await McpConnection.open(owner));
    expect(answers.filter(({ isOpen }) => !isOpen)).toEqual([]);
    const shown = answers.filter(({ said }) => said.includes(VALUES[REF])).map(({ door }) => door);
    const packages = ["launch", "node.get", "node.env", "python"];
    const servers = ["mcp get_secret", "mcp, begun before: get_secret"];
    expect(shown).toEqual([...packages, "get", "export", ...servers]);
    expect((await tryBriefly(agent)).filter(({ isOpen }) => !isOpen)).toEqual([]);
  });

  it("opens at every door of the owner", async () => {
    const [most, rest] = [await placeOf(template), await placeOf(template)];
    const last: readonly OwnerDoor[] = ["admin.revoke", "admin.rekeyAgent", "admin.removeAgent"];
    const first = OWNER_DOORS.filter((door) => !last.includes(door));
    const answers = [...(await tryAsOwner(most.owner, first)), ...(await tryAsOwner(rest.owner, last))];
    expect(answers.filter(({ isOpen }) => !isOpen)).toEqual([]);
    expect(answers).toHaveLength(OWNER_DOORS.length);
  });

  it("is reached by those who may read it, and by nobody else", async () => {
    const { owner, remote, attacker } = await placeOf(template);
    const of = (agent: string) => reach(remote, keyOf(keyPath(owner, agent)).identity);
    const all = new Set([...Object.values(VALUES), FORMER_VALUE]);
    expect(await of("crawler")).toEqual(new Set([FORMER_VALUE, VALUES[REF], VALUES["stripe/WEBHOOK"]]));
    expect(await of("stays")).toEqual(all);
    expect(await of("outsider")).toEqual(new Set());
    expect(await reach(remote, attacker.identity)).toEqual(new Set());
    expect(await reach(remote, keyOf(ownerKeyPath(owner)).identity)).toEqual(all);
  });
});
