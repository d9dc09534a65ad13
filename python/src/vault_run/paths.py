"""A record's path below ``.vault/``, with forward slashes, and the scope it is listed and pinned in."""

from __future__ import annotations

from .names import GROUP_NAME, SECRET_NAME

VAULT_PATH = "vault.json"
ALLOW_PATH = "allow.json"
ROOT_SCOPE = "vault"


def agent_path(agent: str) -> str:
    """Where an agent's record is."""
    return f"agents/{agent}/agent.json"


def grant_path(agent: str, group: str) -> str:
    """Where a grant is."""
    return f"agents/{agent}/grants/{group}.json"


def group_path(group: str) -> str:
    """Where a group's record is."""
    return f"groups/{group}/group.json"


def secret_path(group: str, name: str) -> str:
    """Where a secret is."""
    return f"groups/{group}/secrets/{name}.json"


def is_record_path(path: str) -> bool:
    """Whether a record can stand at the path."""
    if path in (VAULT_PATH, ALLOW_PATH):
        return True
    top, *rest = path.split("/")
    if len(rest) not in (2, 3) or GROUP_NAME.fullmatch(rest[0]) is None:
        return False
    if len(rest) == 2:
        return (top, rest[1]) in (("agents", "agent.json"), ("groups", "group.json"))
    leaf = {("agents", "grants"): GROUP_NAME, ("groups", "secrets"): SECRET_NAME}.get((top, rest[1]))
    return leaf is not None and rest[2].endswith(".json") and leaf.fullmatch(rest[2][: -len(".json")]) is not None


def scope_of(path: str) -> str:
    """The agent, the group, or the vault's root: what a path is pinned with."""
    parts = path.split("/")
    return ROOT_SCOPE if len(parts) == 1 else "/".join(parts[:2])
