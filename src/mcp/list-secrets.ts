import * as z from "zod";
import { type AgentName, formatRef } from "../vault/names.ts";
import { formatCommandRule } from "../vault/policy.ts";
import type { GrantRecord, GroupRecord, SecretRecord } from "../vault/schema.ts";
import { isPast } from "../vault/time.ts";
import type { Vault } from "../vault/vault.ts";

// What there is, from signed records alone: this file and all that it loads can open nothing (test/architecture.test.ts).

export const input = z.strictObject({
  group: z.string().max(64).optional().describe("only this group"),
  query: z.string().max(200).optional().describe("only secrets whose name or description has this text"),
});

export const output = z.object({
  agent: z.string(),
  groups: z.array(
    z.object({
      group: z.string(),
      description: z.string().optional(),
      grant_expires_at: z.string().optional(),
      usable: z.boolean(),
      allowed: z.object({
        commands: z.array(z.array(z.string())).nullable(),
        origins: z.array(z.string()),
        reveal: z.boolean(),
      }),
      secrets: z.array(
        z.object({
          name: z.string(),
          description: z.string().optional(),
          expires_at: z.string().optional(),
          usable: z.boolean(),
          variable: z.string(),
          as: z.enum(["env", "file"]),
        }),
      ),
    }),
  ),
});
export type Listing = z.infer<typeof output>;

/** What the agent was granted, and what each may be used for. */
export function listSecrets(
  vault: Vault,
  agent: AgentName,
  { group, query = "" }: z.infer<typeof input>,
  nowMs: number,
): Listing {
  const groups = vault
    .grants(agent)
    .filter((grant) => group === undefined || grant.group === group)
    .map((grant) => listGroup(vault, grant, query.toLowerCase(), nowMs))
    .filter(({ secrets }) => query === "" || secrets.length > 0);
  return { agent, groups };
}

function listGroup(
  vault: Vault,
  grant: GrantRecord,
  query: string,
  nowMs: number,
): Listing["groups"][number] {
  const record = vault.group(grant.group);
  const usable = grant.expiresAt === undefined || !isPast(grant.expiresAt, nowMs);
  const secrets = vault.secrets(grant.group).filter((secret) => matches(secret, query));
  return {
    group: grant.group,
    ...(record.description === undefined ? {} : { description: record.description }),
    ...(grant.expiresAt === undefined ? {} : { grant_expires_at: grant.expiresAt }),
    usable,
    allowed: allowedBy(record),
    secrets: secrets.map((secret) => ({
      name: formatRef(secret),
      ...(secret.description === undefined ? {} : { description: secret.description }),
      ...(secret.expiresAt === undefined ? {} : { expires_at: secret.expiresAt }),
      usable: usable && (secret.expiresAt === undefined || !isPast(secret.expiresAt, nowMs)),
      variable: secret.env ?? secret.name,
      as: secret.deliver,
    })),
  };
}

function allowedBy({ policy }: GroupRecord): Listing["groups"][number]["allowed"] {
  return {
    commands: policy.commands?.map((rule) => [...rule]) ?? null,
    origins: [...(policy.origins ?? [])],
    reveal: policy.reveal === true,
  };
}

function matches(secret: SecretRecord, query: string): boolean {
  return `${formatRef(secret)}\n${secret.description ?? ""}`.toLowerCase().includes(query);
}

/** The listing in words. */
export function describeListing({ agent, groups }: Listing): string {
  if (groups.length === 0) return `${agent} was granted nothing that fits. request_access asks the owner.`;
  return groups.map(describeGroup).join("\n\n");
}

function describeGroup({ group, usable, allowed, secrets }: Listing["groups"][number]): string {
  const { commands, origins, reveal } = allowed;
  const uses = [
    commands === null
      ? "run_with_secrets with any command"
      : commands.length > 0
        ? `run_with_secrets with commands that begin with ${commands.map(formatCommandRule).join(" or ")}`
        : [],
    origins.length > 0 ? `http_request to ${origins.join(", ")}` : [],
    reveal ? "get_secret" : [],
  ].flat();
  const head = `${group}${usable ? "" : " (expired)"}: ${uses.join("; ") || "no use is allowed"}`;
  const lines = secrets.map(({ name, description, usable: isUsable, variable, as }) => {
    const about = description === undefined ? "" : `: ${description}`;
    return `  ${name} (${as === "env" ? `in $${variable}` : `a file, its path in $${variable}`})${isUsable ? "" : " expired"}${about}`;
  });
  return [head, ...lines].join("\n");
}
