import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { OwnerSession } from "../../src/admin/owner-session.ts";
import { localLog } from "../../src/audit/source.ts";
import { AgentSession } from "../../src/launch/agent-session.ts";
import type { Machine } from "../../src/vault/machine.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { openGroup, openSecret } from "../../src/vault/open-sealed.ts";
import { readLogs } from "../fixtures/read-logs.ts";
import { tempFolder } from "../fixtures/temp.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../docs/FORMAT.md"), "utf8");
const example = page.slice(page.indexOf("## 12. A worked example"));
const ref = parseSecretRef("web/API_TOKEN");

/** The example's files laid out as a vault, and its two key files. */
function layOut(): { root: string; owner: string; agent: string } {
  const root = join(tempFolder(), ".vault");
  const files = [...example.matchAll(/^`([a-z/A-Z_.]+\.json)`[^\n]*:\n\n```json\n([\s\S]*?)```/gm)];
  expect(files).toHaveLength(5);
  for (const [, path = "", text = ""] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const [owner = "", agent = ""] = (/```text\n(# vault-run owner[\s\S]*?)```/.exec(example)?.[1] ?? "").split(
    "\n\n",
  );
  return { root, owner, agent };
}

function machine(env: Record<string, string>): Machine {
  const now = () => Date.parse("2026-12-01T00:00:00.000Z");
  return { env, cwd: "/", home: tempFolder(), host: "test-host", pid: process.pid, uid: 0, now };
}

describe("the worked example of docs/FORMAT.md", () => {
  it("opens for its agent", async () => {
    const { root, agent } = layOut();
    const session = await AgentSession.open(machine({ VAULT_RUN_KEY: agent }), { vault: root }, () => {});
    const [grant] = session.grants([]);
    expect(grant?.group).toBe("web");
    const value = await session.release([session.vault.secret(ref)], { action: "get" }, ([secret]) =>
      secret?.reveal(),
    );
    expect(value).toBe("example-value");
  });

  it("has audit lines that hold, each linked to the one before", async () => {
    const { root, owner } = layOut();
    const keyFile = join(tempFolder(), "owner.key");
    writeFileSync(keyFile, owner, { mode: 0o600 });
    const { vault } = await OwnerSession.open(machine({}), root, keyFile);
    const folder = tempFolder();
    writeFileSync(join(folder, "audit.jsonl"), /```json\n(\{"action"[\s\S]*?)```/.exec(example)?.[1] ?? "");
    const { lines, findings } = await readLogs([localLog(folder, false)], vault.id, [
      { key: vault.owners[0]! },
    ]);
    expect(lines).toMatchObject([
      { status: "verified", line: { action: "init" } },
      { status: "verified", line: { action: "add-agent" } },
    ]);
    expect(findings).toEqual({ counts: {}, named: [] });
  });

  it("opens for its owner", async () => {
    const { root, owner } = layOut();
    const keyFile = join(tempFolder(), "owner.key");
    writeFileSync(keyFile, owner, { mode: 0o600 });
    const { vault, identity } = await OwnerSession.open(machine({}), root, keyFile);
    const group = await openGroup(vault.group(ref.group), identity);
    expect((await openSecret(vault.secret(ref), group)).reveal()).toBe("example-value");
    expect(example).toContain(`"digest":"${vault.seen.get("vault.json" as never)?.digest}"`);
  });
});
