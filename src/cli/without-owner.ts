import type { WithoutOwner } from "../admin/plans/without-owner.ts";
import type { CommandContext } from "./context.ts";
import { printExposed } from "./owner-verb.ts";

/** What is left to do after an owner's key is one no more: agents first, for their keys would open the new values too. */
export function printWithoutOwner(context: CommandContext, { writes, exposed }: WithoutOwner): void {
  const agents = writes.map(({ record }) => record).filter((record) => record.type === "agent");
  const names = agents.map((agent) => agent.name);
  if (names.length > 0) {
    context.console.say(
      `that key could open the key of every agent: until it is rekeyed, whoever has it reads what the agent reads`,
    );
    context.console.detail(`first: ${names.map((name) => `vault-run rekey ${name}`).join("; ")}`);
  }
  printExposed(context, exposed, names);
}
