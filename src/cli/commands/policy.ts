import { changedPolicy, isSamePolicy, type PolicyChange, planPolicy } from "../../admin/plans/policy.ts";
import { type GroupName, parseGroupName } from "../../vault/names.ts";
import { parseCommandRule, parseOrigin, shownPolicy } from "../../vault/policy.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { change, commitNote } from "../owner-verb.ts";
import { policyLines } from "../policy-lines.ts";
import { withVault } from "../reader.ts";
import { counted } from "../wording.ts";

/** Without a change it shows the group's policy. */
export async function run(context: CommandContext): Promise<number> {
  const group = parseGroupName(context.word(0));
  const wanted = parseChange(context);
  return wanted === undefined ? show(context, group) : set(context, group, wanted);
}

async function set(context: CommandContext, group: GroupName, wanted: PolicyChange): Promise<number> {
  const done = await change(context, "policy", async (session) => {
    const before = session.vault.group(group).policy;
    const after = changedPolicy(before, wanted);
    if (isSamePolicy(before, after)) return planPolicy(session, group, after);
    const agents = session.vault.grantees(group);
    const what = policyLines(shownPolicy(after)).join("; ");
    await context.confirm(
      `for ${counted(agents.length, "agent")} with ${group}, through vault-run mcp: ${what}?`,
    );
    return planPolicy(session, group, after);
  });
  const { console } = context;
  if (done.plan.writes.length === 0) console.say(`nothing to do: the policy of ${group} is that already`);
  else console.say(`the policy of ${group} is changed${commitNote(done)}`);
  return DONE;
}

function show(context: CommandContext, group: GroupName): Promise<number> {
  return withVault(context, ({ vault }) => {
    const { policy } = vault.group(group);
    if (context.has("json")) context.console.printJson({ group, ...shownPolicy(policy) });
    else for (const line of policyLines(shownPolicy(policy))) context.console.print(line);
    return DONE;
  });
}

/** Undefined where the words ask for no change. */
function parseChange(context: CommandContext): PolicyChange | undefined {
  const given = ["reveal", "no-reveal", "any-command"].some((option) => context.has(option));
  const lists = ["allow-command", "forbid-command", "allow-origin", "forbid-origin"];
  if (!given && lists.every((option) => context.texts(option).length === 0)) return undefined;
  if (context.has("json")) {
    throw new VaultError("usage", "--json shows a policy, and changes none", "see vault-run policy --help");
  }
  if (context.has("reveal") && context.has("no-reveal")) {
    throw new VaultError("usage", "--reveal and --no-reveal exclude each other", "pass one of them");
  }
  return {
    reveal: context.has("reveal") ? true : context.has("no-reveal") ? false : undefined,
    anyCommand: context.has("any-command"),
    allowCommands: context.texts("allow-command").map(parseCommandRule),
    forbidCommands: context.texts("forbid-command").map(parseCommandRule),
    allowOrigins: context.texts("allow-origin").map(parseOrigin),
    forbidOrigins: context.texts("forbid-origin").map(parseOrigin),
  };
}
