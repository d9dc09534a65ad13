import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";

let template: Program;
let program: Program;
beforeAll(async () => {
  template = await Program.template(async (made) => {
    await made.must(["init", "--classic"]);
    await made.must(["add-agent", "crawler"]);
    await made.set("stripe/KEY", "sk_live_policy_value");
    await made.must(["grant", "crawler", "stripe"]);
  });
});
beforeEach(() => {
  program = template.copy();
});

const shown = async () => JSON.parse(await program.must(["policy", "stripe", "--json"]));

describe("policy", () => {
  it("changes what a model may do with a group, in one commit of the group's record, and leaves its key alone", async () => {
    expect(await shown()).toEqual({ group: "stripe", reveal: false, commands: null, origins: [] });
    const before = JSON.parse(program.git("show", "HEAD:.vault/groups/stripe/group.json"));
    await program.must([
      ...["policy", "stripe", "--reveal", "--allow-command", "gh api", "--allow-command", '["a b", "c"]'],
      ...["--allow-origin", "https://api.stripe.com", "--yes"],
    ]);
    expect(await shown()).toEqual({
      group: "stripe",
      reveal: true,
      commands: [
        ["gh", "api"],
        ["a b", "c"],
      ],
      origins: ["https://api.stripe.com"],
    });
    expect(program.git("show", "--format=", "--name-only", "HEAD").trim()).toBe(
      ".vault/groups/stripe/group.json",
    );
    const after = JSON.parse(program.git("show", "HEAD:.vault/groups/stripe/group.json"));
    expect({ ...after, serial: 0, signatures: 0, policy: 0 }).toEqual({
      ...before,
      serial: 0,
      signatures: 0,
      policy: 0,
    });
    expect(program.auditLines().at(-1)).toMatchObject({ action: "policy", group: "stripe" });
    // It is still opened by who was granted it.
    const run = await program.run(["--agent", "crawler", "--", "sh", "-c", "test -n $KEY"]);
    expect(run.status).toBe(0);
  });

  it("is shown by status, and taken back rule by rule", async () => {
    expect(await program.must(["status"])).not.toContain("POLICY");
    await program.must(["policy", "stripe", "--reveal", "--allow-command", "gh", "--yes"]);
    expect(await program.must(["status"])).toContain(
      "stripe  values may be read by the model; runs with gh; requests to no origin",
    );
    const { groups } = JSON.parse(await program.must(["status", "--json"]));
    expect(groups[0].policy).toEqual({ reveal: true, commands: [["gh"]], origins: [] });
    await program.must(["policy", "stripe", "--no-reveal", "--forbid-command", "gh"]);
    // A list that was emptied allows nothing; that any command is allowed has to be said.
    expect(await shown()).toMatchObject({ reveal: false, commands: [] });
    await program.must(["policy", "stripe", "--any-command"]);
    expect(await shown()).toMatchObject({ commands: null });
  });

  it("does nothing where nothing changes, and refuses what is no rule", async () => {
    await program.must(["policy", "stripe", "--allow-origin", "https://api.stripe.com"]);
    const head = program.git("rev-parse", "HEAD");
    const same = await program.run(["policy", "stripe", "--allow-origin", "https://api.stripe.com"]);
    expect(same).toMatchObject({ status: 0 });
    expect(same.stderr).toContain("nothing to do");
    for (const [args, status] of [
      [["policy", "stripe", "--reveal", "--no-reveal"], 2],
      [["policy", "stripe", "--allow-origin", "https://api.stripe.com/v1"], 2],
      [["policy", "stripe", "--allow-origin", "http://api.stripe.com"], 2],
      [["policy", "stripe", "--allow-command", "./gh"], 2],
      [["policy", "stripe", "--reveal", "--json"], 2],
      [["policy", "nosuch", "--reveal"], 1],
      [["policy"], 2],
    ] as const)
      expect((await program.run([...args])).status, args.join(" ")).toBe(status);
    expect(program.git("rev-parse", "HEAD")).toBe(head);
  });
});
