// How clients are told to start the server, each in its own file and spelling.

export const CLIENTS = ["claude-code", "claude-desktop", "codex", "cursor", "vscode"] as const;
export type Client = (typeof CLIENTS)[number];

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
}

export interface ClientConfig {
  readonly text: string;
  /** Where it belongs. */
  readonly place: string;
}

export function clientConfig(client: Client, server: ServerCommand): ClientConfig {
  switch (client) {
    case "claude-code":
      return {
        text: json({ mcpServers: { "vault-run": server } }),
        place: ".mcp.json in the project's folder",
      };
    case "claude-desktop":
      return {
        text: json({ mcpServers: { "vault-run": server } }),
        place: "claude_desktop_config.json (Settings, Developer, Edit Config)",
      };
    case "cursor":
      return {
        text: json({ mcpServers: { "vault-run": server } }),
        place: ".cursor/mcp.json in the project's folder, or ~/.cursor/mcp.json",
      };
    case "vscode":
      return {
        text: json({ servers: { "vault-run": { type: "stdio", ...server } } }),
        place: ".vscode/mcp.json in the project's folder",
      };
    case "codex":
      return { text: toml(server), place: "~/.codex/config.toml" };
  }
}

function json(config: object): string {
  return JSON.stringify(config, null, 2);
}

/** A JSON string is a basic string of TOML as well. */
function toml({ command, args }: ServerCommand): string {
  return [
    "[mcp_servers.vault-run]",
    `command = ${JSON.stringify(command)}`,
    `args = ${JSON.stringify(args)}`,
  ].join("\n");
}
