import { formatCommandRule, type ShownPolicy } from "../vault/policy.ts";

/** A policy in words, one line for each of its three rules. */
export function policyLines({ reveal, commands, origins }: ShownPolicy): string[] {
  return [
    reveal ? "values may be read by the model" : "values stay hidden from the model",
    commands === null
      ? "runs with any command"
      : `runs with ${commands.length === 0 ? "no command" : commands.map(formatCommandRule).join(", ")}`,
    `requests to ${origins.length === 0 ? "no origin" : origins.join(", ")}`,
  ];
}

/** Whether the owner has set anything: what `status` shows. */
export function hasRules({ reveal, commands, origins }: ShownPolicy): boolean {
  return reveal || commands !== null || origins.length > 0;
}
