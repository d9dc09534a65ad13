import type { McpServer, StandardSchemaWithJSON, ToolAnnotations } from "@modelcontextprotocol/server";
import type * as z from "zod";
import { type Answer, type Call, type Calls, result } from "./calls.ts";
import * as get from "./get-secret.ts";
import * as http from "./http/schemas.ts";
import * as list from "./list-secrets.ts";
import * as access from "./request-access.ts";
import * as run from "./run-schemas.ts";

// The tools, in the order in which a client shows them, and what a model reads of each.

export const INSTRUCTIONS = `A vault of secrets (API keys, tokens, passwords) that you use without seeing them.
Name a secret as GROUP/NAME; never ask the user for its value, and never write one into an argument, a file or a message.
1. list_secrets shows what there is and what each may be used for.
2. http_request sends an HTTP request with a secret in it; run_with_secrets starts a program that has it.
3. [REDACTED:GROUP/NAME] in an answer stands for a value that was masked. It is not the value: do not send it anywhere.
4. Where something is refused, the answer says what to do instead. request_access asks the owner.`;

const LIST = `List the secrets that this agent was granted, by name, with what each may be used for. Shows no values.
Call it first. "allowed.origins" is where http_request may send the group's secrets, "allowed.commands" is what run_with_secrets may start (null: any command), "allowed.reveal" is whether get_secret answers.`;

const RUN = `Run a program with secrets in its environment (or in files that are on no disk), and get its output and exit status. You do not see the values: they are masked in the output as [REDACTED:GROUP/NAME].
"command" is an argument vector, not a shell line: ["psql", "-c", "select 1"]. The program must read the secret from its environment variable itself; to build an argument out of one, run a shell where the group allows that: ["sh", "-c", "curl -H \\"Authorization: Bearer $TOKEN\\" https://…"]. For a plain HTTP request use http_request.
Everything the program starts is ended when it ends, or after timeout_s. Output beyond 1 MiB is counted and left out.`;

const HTTP = `Send an HTTP request with a secret placed in it by the server: as a bearer token, a basic-auth password, a header or a query parameter. You do not see the value; an echo of it in the answer is masked.
Works only for origins that the owner allowed for the secret's group (list_secrets shows them), over https. Redirects within the origin are followed, others are not. Answers are cut at 1 MiB.`;

const GET = `Get the value of a secret, in plain text, into this conversation. Answers only for groups whose owner allowed that (allowed.reveal in list_secrets). Use http_request or run_with_secrets instead wherever you can: they need no value.`;

const ACCESS = `Ask the owner of the vault for a secret or a group that was not granted, or for a use that is refused. Gives nothing by itself: the request is recorded, and you get the command that the owner would run.`;

/** Registers them all. */
export function registerTools(server: McpServer, calls: Calls): void {
  const register = <In extends z.ZodType, Out extends z.ZodType>(
    name: string,
    about: { title: string; description: string; annotations: ToolAnnotations },
    { input, output }: { readonly input: In; readonly output: Out },
    work: (args: z.infer<In>, call: Call) => Promise<Answer>,
  ) => {
    const config = { ...about, inputSchema: shownOnly(input), outputSchema: output };
    server.registerTool(name, config, calls.handler(name, input, work));
  };
  register(
    "list_secrets",
    { title: "List secrets", description: LIST, annotations: { readOnlyHint: true, openWorldHint: false } },
    list,
    async (args, { session, via }) => {
      const listing = list.listSecrets(session.vault, session.name, args, calls.machine.now());
      await session.record({ action: "mcp", ...via });
      return result(list.describeListing(listing), listing);
    },
  );
  register(
    "run_with_secrets",
    {
      title: "Run a program with secrets",
      description: RUN,
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    },
    run,
    async (args, call) => {
      const { runWithSecrets } = await import("./run-with-secrets.ts");
      return runWithSecrets(calls, args, call);
    },
  );
  register(
    "http_request",
    {
      title: "Send a request with a secret",
      description: HTTP,
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    },
    http,
    async (args, call) => {
      const { httpRequest } = await import("./http-request.ts");
      return httpRequest(calls, args, call);
    },
  );
  register(
    "get_secret",
    {
      title: "Show a secret's value",
      description: GET,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    get,
    (args, call) => get.getSecret(calls, args, call),
  );
  register(
    "request_access",
    {
      title: "Ask the owner for access",
      description: ACCESS,
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: false,
      },
    },
    access,
    (args, call) => access.requestAccess(calls, args, call),
  );
}

/** A schema that clients see and the SDK passes everything through: arguments are checked where a refusal is recorded. */
function shownOnly(schema: z.ZodType): StandardSchemaWithJSON<unknown, unknown> {
  const { jsonSchema } = (schema as unknown as StandardSchemaWithJSON)["~standard"];
  return { "~standard": { version: 1, vendor: "vault-run", jsonSchema, validate: (value) => ({ value }) } };
}
