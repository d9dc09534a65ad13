"""Which key an agent uses, and whose word counts for the vault (docs/FORMAT.md, sections 6.1 and 6.2).

The first place that names a key decides: what is named there and does not work is an error, never a reason to look
further. An owner's key is never looked for.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from .key_file import KeyFile, key_file_exists, parse_key_file, read_key_file
from .machine import Machine
from .names import parse_agent_name
from .signing_key import is_verify_key
from .trust import TrustSource
from .vault_error import VaultError

_KEY_TEXT = "VAULT_RUN_KEY"


class FoundKey(NamedTuple):
    """A key, and where it came from, for messages."""

    key_file: KeyFile
    origin: str


def agent_option(machine: Machine, named: str | None) -> str | None:
    """The agent that the caller or VAULT_RUN_AGENT names."""
    name = machine.find_named(named, "VAULT_RUN_AGENT")
    return None if name is None else parse_agent_name(name)


def read_agent_key(machine: Machine, vault: str, agent: str | None, named: str | None) -> FoundKey:
    """An agent's key, whoever it says that it is for."""
    file = machine.find_named(named, "VAULT_RUN_KEY_FILE")
    if file is not None:
        return _read(os.path.normpath(os.path.join(machine.cwd, file)))
    credentials = machine.env.get("CREDENTIALS_DIRECTORY", "")
    credential = f"{credentials}/vault-run-key"
    if credentials and key_file_exists(credential):
        return _read(credential, is_credential=True)
    text = machine.find_variable(_KEY_TEXT)
    if text is not None:
        return FoundKey(parse_key_file(text, _KEY_TEXT), _KEY_TEXT)
    if agent is None:
        raise VaultError("usage", "no agent is named", "say who it is with agent=, or in VAULT_RUN_AGENT")
    path = f"{machine.config_folder(vault)}/agents/{agent}.key"
    if not key_file_exists(path):
        raise VaultError(
            "no-key",
            f"no key for agent {agent}: {path}",
            "put its key file there, or name it with key_file= or VAULT_RUN_KEY_FILE",
        )
    return _read(path)


def require_agent_key(found: FoundKey, vault: str, agent: str | None) -> None:
    """Refuse a key that says that it is another agent's, or for another vault."""
    key_file, origin = found
    if agent is not None and key_file.agent not in (None, agent):
        raise VaultError(
            "wrong-key",
            f"this is the key of agent {key_file.agent}, not of {agent}: {origin}",
            f"name the key file of {agent} with key_file=",
        )
    if key_file.vault not in (None, vault):
        raise VaultError(
            "wrong-vault",
            f"this key is for vault {key_file.vault}, and this is vault {vault}: {origin}",
            "name the key that belongs to this vault, or the vault that belongs to this key with path=",
        )


def trust_sources(machine: Machine, found: FoundKey) -> list[TrustSource]:
    """What the key file's pins and VAULT_RUN_OWNER say about whose vault this is."""
    sources: list[TrustSource] = []
    if found.key_file.owners:
        sources.append(TrustSource(found.origin, found.key_file.owners, found.key_file.former_owners))
    owner = machine.find_variable("VAULT_RUN_OWNER")
    if owner is None:
        return sources
    if not is_verify_key(owner):
        raise VaultError(
            "untrusted",
            "VAULT_RUN_OWNER is not a verify key",
            "set it to the owner's verify key as `vault-run status` prints it, 44 characters of base64",
        )
    return [*sources, TrustSource("VAULT_RUN_OWNER", frozenset([owner]))]


def _read(path: str, *, is_credential: bool = False) -> FoundKey:
    return FoundKey(read_key_file(path, is_credential=is_credential), path)
