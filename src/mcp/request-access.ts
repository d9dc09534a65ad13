import { inputRequired } from "@modelcontextprotocol/server";
import * as z from "zod";
import { type GroupName, parseGroupName, parseSecretRef, withoutControls } from "../vault/names.ts";
import { type Answer, type Call, type Calls, result } from "./calls.ts";

const MAX_REASON_CHARACTERS = 500;
const CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
/** How the page's answer is called. */
const PAGE = "owner";

export const input = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}(\/[A-Za-z_][A-Za-z0-9_]{0,127})?$/, "write it as GROUP or GROUP/NAME")
    .describe("the group or secret that is needed, GROUP or GROUP/NAME"),
  reason: z.string().min(1).max(MAX_REASON_CHARACTERS).describe("what for, in a sentence for the owner"),
});

export const output = z.object({
  recorded: z.literal(true),
  name: z.string(),
  granted: z.boolean().describe("whether the agent has the group already"),
  owner_runs: z.string().describe("what the owner runs to allow it"),
});

/** Records what a model asks the owner for, and shows it to the person where the client can. Gives nothing. */
export async function requestAccess(
  calls: Calls,
  { name, reason }: z.infer<typeof input>,
  call: Call,
): Promise<Answer> {
  const { session, via } = call;
  const group = name.includes("/") ? parseSecretRef(name).group : parseGroupName(name);
  const note = withoutControls(await calls.seen.mask(`${name}: ${reason}`.toWellFormed()));
  await session.record({ action: "mcp", ...via, note });
  const granted = session.vault.grants(session.name).some((grant) => grant.group === group);
  const command = granted ? `vault-run policy ${group}` : `vault-run grant ${session.name} ${group}`;
  if (canOpen(call) && call.context.mcpReq.inputResponses?.[PAGE] === undefined)
    return askPerson(calls, call, { note, command, group });
  const text = granted
    ? `recorded. ${session.name} has ${group} already; what may be done with it the owner sees and changes with: ${command}`
    : `recorded. Tell the person you work for that the owner of the vault grants it with: ${command}`;
  return result(text, { recorded: true, name, granted, owner_runs: command });
}

/** Shows the request on a page that the model cannot write on, where the client opens one. */
async function askPerson(
  calls: Calls,
  call: Call,
  { note, command, group }: { readonly note: string; readonly command: string; readonly group: GroupName },
): Promise<Answer> {
  const { AccessPage } = await import("./access-page.ts");
  const before = calls.page;
  calls.page = AccessPage.open({ agent: call.session.name, note, command });
  const page = await calls.page;
  // One for a session: a model may ask as often as it likes.
  await before?.then(
    (earlier) => earlier.close(),
    () => {},
  );
  return inputRequired({
    inputRequests: {
      [PAGE]: inputRequired.elicitUrl({
        message: `${call.session.name} asks for ${group}. The page shows what for, and what an owner runs to allow it.`,
        url: page.url,
      }),
    },
  });
}

function canOpen({ context, clientCapabilities }: Call): boolean {
  const envelope = context.mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  const declared = (envelope?.[CLIENT_CAPABILITIES] ?? clientCapabilities) as
    | { readonly elicitation?: { readonly url?: unknown } }
    | undefined;
  return declared?.elicitation?.url !== undefined;
}
