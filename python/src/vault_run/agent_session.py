"""A vault seen with one agent's key, at one moment.

Values leave it only through ``release``, which opens everything asked for, then pins, then records the pull, and only
then hands over: one failure and nothing is released (docs/FORMAT.md, section 9).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .age_file import OpeningKeys, keys_of
from .audit import AuditLog
from .canonical import JsonObject
from .key_lookup import FoundKey, read_agent_key, require_agent_key, trust_sources
from .lock import LockSelf
from .machine import Machine
from .moment import timestamp
from .names import SecretRef
from .paths import VAULT_PATH
from .payload import open_grant, open_secret
from .pins import Pins
from .record import decode_record
from .record_files import RecordFiles
from .schema import GrantRecord, SecretRecord, SignedRecord
from .secret import Secret
from .signing_key import SigningKey
from .vault_error import VaultError
from .verified_vault import VerifiedFiles, VerifiedVault

# Where the machine failed nobody was denied anything.
_OF_THIS_MACHINE = ("audit", "disk", "locked")
# A program of its own asked: what a launch gives to a child is `launch`.
_ACTION = "sdk"


class Key(NamedTuple):
    """An agent's key, found once: what it derives is derived once."""

    found: FoundKey
    agent: str
    signing: SigningKey
    opening: OpeningKeys
    # Those of groups that it has opened, by all that a grant says of them: they are opened once.
    groups: dict[tuple[str, int, str], OpeningKeys]


class UnverifiedVault(NamedTuple):
    """vault.json before anything vouches for it. It is read once: what is verified later is these bytes."""

    files: RecordFiles
    content: bytes
    # Checked, but by nobody vouched for. Its id is good for finding key and pins, and where a refusal is recorded.
    record: SignedRecord


def read_unverified_vault(root: str, verified: VerifiedFiles) -> UnverifiedVault:
    """Read vault.json, or ``no-vault``."""
    files = RecordFiles(root)
    content = files.read(VAULT_PATH)
    if content is None:
        raise VaultError(
            "no-vault",
            f"no vault here: {root}",
            "name the folder that holds .vault with path=; make a vault with vault-run init",
        )
    known = verified.find(VAULT_PATH, content)
    return UnverifiedVault(files, content, decode_record(VAULT_PATH, content) if known is None else known[0])


def find_key(machine: Machine, vault: str, agent: str | None, key_file: str | None) -> Key:
    """The key that an agent uses, whoever it says that it is for."""
    found = read_agent_key(machine, vault, agent, key_file)
    name = agent if agent is not None else found.key_file.agent
    if name is None:
        raise VaultError(
            "usage",
            f"no agent is named, and this key does not say whose it is: {found.origin}",
            "say who it is with agent=, or in VAULT_RUN_AGENT",
        )
    identity, pinned = found.key_file.identity, found.key_file.vault
    # From here on the key is one for this vault: another that is put in its place is refused.
    found = found._replace(key_file=found.key_file._replace(vault=vault if pinned is None else pinned))
    return Key(found, name, SigningKey(identity), keys_of(identity), {})


class AgentSession:
    """The verified vault as it is on disk now, for the agent whose key it is."""

    def __init__(
        self,
        machine: Machine,
        unverified: UnverifiedVault,
        key: Key,
        asked: str | None,
        verified: VerifiedFiles,
    ) -> None:
        claimed = unverified.record["vault"]
        require_agent_key(key.found, claimed, asked)
        self.agent = key.agent
        self._machine = machine
        self._key = key
        sources = trust_sources(machine, key.found)
        self.vault = VerifiedVault(*unverified, Pins(machine.state_folder(claimed)), sources, verified)
        if key.signing.verify_key != self.vault.agent(key.agent)["verifyKey"]:
            raise self._not_the_key()

    def grants(self, groups: list[str] | None = None) -> list[GrantRecord]:
        """The live grants, all of them or those of the groups named. An expired one among them refuses."""
        granted = self.vault.grants(self.agent)
        chosen = granted if groups is None else [self._require_grant(granted, group) for group in groups]
        for grant in chosen:
            self._require_unexpired(
                grant,
                f"the grant of {grant['group']} to {self.agent}",
                f"ask the owner to grant it again: vault-run grant {self.agent} {grant['group']}",
            )
        return chosen

    def named(self, refs: list[SecretRef]) -> list[SecretRecord]:
        """The records of secrets, each of a group that was granted: all groups are asked for first."""
        if refs:
            self.grants(list(dict.fromkeys(ref.group for ref in refs)))
        return [self.vault.secret(ref) for ref in refs]

    def secrets(self) -> list[SecretRecord]:
        """The records of every secret that was granted."""
        return [secret for grant in self.grants() for secret in self.vault.secrets(grant["group"])]

    def require_granted(self) -> None:
        """Refuse an agent without any grant."""
        if not self.grants():
            raise VaultError(
                "not-granted",
                f"{self.agent} was granted nothing",
                f"ask the owner: vault-run grant {self.agent} GROUP",
            )

    def require_unexpired(self, secret: SecretRecord) -> None:
        """Refuse a value whose time has passed."""
        ref = f"{secret['group']}/{secret['name']}"
        self._require_unexpired(
            secret,
            f"the value of {ref}",
            "ask the owner for a new value, or allow expired ones if it still works",
        )

    def open(self, records: list[SecretRecord]) -> list[Secret]:
        """Open values. They are not to be handed over before they were released."""
        granted = {grant["group"]: grant for grant in self.vault.grants(self.agent)}
        return [open_secret(record, self._group_keys(granted[record["group"]])) for record in records]

    def release(self, log: AuditLog, records: list[SecretRecord]) -> list[VaultError]:
        """Pin what was read, then record the pull.

        With the policy ``required`` a failure of either is final; with ``best-effort`` it is a warning, returned. So it
        is for pins where the file system is read-only and the log goes elsewhere.
        """
        pulled = [
            {"group": record["group"], "name": record["name"], "valueId": record["valueId"]} for record in records
        ]
        event = {"action": _ACTION, "agent": self.agent, "secrets": pulled}
        return self.pin(log) + self._attempt(lambda: log.append(event, self._key.signing))

    def pin(self, log: AuditLog) -> list[VaultError]:
        """Pin what was read. All that ``list`` does after reading; warnings as of ``release``."""
        who = LockSelf(os.getpid(), self._machine.host, _ACTION)
        return self._attempt(lambda: self.vault.pin(who), has_disk=not log.is_elsewhere)

    def _attempt(self, step: Callable[[], None], *, has_disk: bool = True) -> list[VaultError]:
        is_required = self.vault.record["policy"]["audit"] == "required"
        try:
            step()
        except VaultError as error:
            may_fail = not is_required or (not has_disk and error.system == "EROFS")
            if not may_fail or error.code not in _OF_THIS_MACHINE:
                raise
            return [error]
        return []

    def _group_keys(self, grant: GrantRecord) -> OpeningKeys:
        groups = self._key.groups
        named = grant["group"], grant["epoch"], grant["sealed"]
        if named not in groups:
            groups[named] = keys_of(open_grant(grant, self._key.opening))
        return groups[named]

    def _require_grant(self, granted: list[GrantRecord], group: str) -> GrantRecord:
        for grant in granted:
            if grant["group"] == group:
                return grant
        revoked = self.vault.revoked_grant(self.agent, group)
        raise VaultError(
            "not-granted",
            f"{self.agent} was not granted group {group}"
            if revoked is None
            else f"group {group} was revoked from {self.agent} on {revoked['removedAt'][:10]}",
            f"ask the owner: vault-run grant {self.agent} {group}",
        )

    def _require_unexpired(self, record: GrantRecord | SecretRecord, what: str, hint: str) -> None:
        expiry = record.get("expiresAt")
        # A time has passed when it is equal to the clock or earlier; times compare as strings.
        if expiry is not None and expiry <= timestamp(self._machine.now()):
            raise VaultError("expired", f"{what} expired on {expiry}", hint)

    def _not_the_key(self) -> VaultError:
        key_file, origin = self._key.found
        # A key file that says whose it is was the agent's once: nobody but an owner writes one.
        was_the_agents = key_file.agent == self.agent and key_file.vault == self.vault.id
        return VaultError(
            "wrong-key",
            f"agent {self.agent} was given a new key, and this is an old one: {origin}"
            if was_the_agents
            else f"this is not the key of agent {self.agent} in this vault: {origin}",
            f"ask the owner for the current key file of {self.agent}",
        )


def audit_log(machine: Machine, unverified: UnverifiedVault, key: Key) -> AuditLog:
    """The log that a pull, or its refusal, is recorded in: of the vault that the key is for, where it says so."""
    vault = key.found.key_file.vault or unverified.record["vault"]
    return AuditLog(machine, vault, unverified.files.root)


@contextlib.contextmanager
def recording_denials(log: AuditLog, key: Key) -> Iterator[None]:
    """Record a refusal in the name of the key at hand, as far as the log can be written: it stands either way."""
    try:
        yield
    except VaultError as error:
        if error.code not in _OF_THIS_MACHINE:
            with contextlib.suppress(VaultError):
                log.append({"action": "denied", "reason": error.code, **_speaker(key)}, key.signing)
        raise


def _speaker(key: Key) -> JsonObject:
    key_file = key.found.key_file
    # An owner who comes with their own key does not speak in the agent's name.
    return {} if key.signing.verify_key in key_file.owners else {"agent": key_file.agent or key.agent}
