"""A vault that can only be read verified.

Every record that leaves this class was signed by an owner whom every source of trust leads to, stands where it says,
belongs to this vault, is not older than one seen before, and is of its group's epoch. What was read is remembered;
the caller pins it once everything else checked out.
"""

from __future__ import annotations

from typing import cast

from .encoding import digest
from .head import has_change_under_way
from .identity import suite_of
from .lock import LockSelf
from .names import SecretRef
from .paths import VAULT_PATH, agent_path, grant_path, group_path, secret_path
from .pins import Pin, Pins, owner_keys
from .record import decode_record, invalid, is_signed, signed_bytes
from .record_files import RecordFiles
from .schema import AgentRecord, GrantRecord, GroupRecord, SecretRecord, SignedRecord, Tombstone, VaultRecord
from .trust import TrustSource, verify_vault_record
from .vault_error import VaultError


class VerifiedFiles:
    """Files that this process has verified: one that has not changed by a byte need not be verified again.

    Nothing in it counts unless vault.json, and whoever vouches for it, are what they were.
    """

    def __init__(self) -> None:
        self._basis: tuple[bytes, list[TrustSource]] | None = None
        self._files: dict[str, tuple[bytes, SignedRecord, Pin]] = {}

    def begin(self, vault: bytes, sources: list[TrustSource]) -> None:
        """Forget everything that rests on another vault.json or on other sources of trust."""
        if self._basis != (vault, sources):
            self._files.clear()
        self._basis = (vault, sources)

    def find(self, path: str, content: bytes) -> tuple[SignedRecord, Pin] | None:
        """The record in these bytes, where they were verified at this path."""
        before = self._files.get(path)
        return (before[1], before[2]) if before is not None and before[0] == content else None

    def add(self, path: str, content: bytes, record: SignedRecord, pin: Pin) -> None:
        """These bytes have been verified."""
        self._files[path] = (content, record, pin)


class VerifiedVault:
    """The vault of these files, as far as ``sources`` and the pins vouch for ``record``, its vault.json."""

    def __init__(
        self,
        files: RecordFiles,
        content: bytes,
        record: SignedRecord,
        pins: Pins,
        sources: list[TrustSource],
        verified: VerifiedFiles,
    ) -> None:
        self._files = files
        self._pins = pins
        self._verified = verified
        self._read: dict[str, SignedRecord] = {}
        self._seen: dict[str, Pin] = {}
        self._complete: set[str] = set()
        pinned = pins.find_owners()
        if pinned is not None:
            sources = [*sources, TrustSource("this machine", *pinned)]
        verified.begin(content, sources)
        self._owners: frozenset[str] = frozenset()
        known = verified.find(VAULT_PATH, content)
        self.record = cast("VaultRecord", record)
        if known is None:
            self._owners = verify_vault_record(self.record, sources)
            for owner in self.record["owners"]:
                self._require_suite(VAULT_PATH, owner["recipient"])
            known = record, Pin(record["serial"], digest(signed_bytes(record)))
        else:
            self._owners = owner_keys(self.record).current
        self._remember(VAULT_PATH, content, *known)

    @property
    def id(self) -> str:
        """The vault's id."""
        return self.record["vault"]

    def pin(self, who: LockSelf) -> None:
        """Pin what was read. Call only after everything checked out."""
        self._pins.save(self._seen, owner_keys(self.record), who, self._is_settled)

    def _is_settled(self) -> bool:
        """Whether no change is half made and, asked in this order, every record that was read stands."""
        if has_change_under_way(self._files.root):
            return False
        try:
            return all(self._stands(path, pin) for path, pin in self._seen.items())
        except VaultError:
            # What was read as a record and is none now.
            return False

    def _stands(self, path: str, pin: Pin) -> bool:
        content = self._files.read(path)
        return content is not None and digest(signed_bytes(decode_record(path, content))) == pin.digest

    def agent(self, name: str) -> AgentRecord:
        """An agent that was not removed."""
        record = self._find(agent_path(name))
        if record is not None and record["type"] == "agent":
            return cast("AgentRecord", record)
        what = "no agent of this name" if record is None else f"this agent was removed on {record['removedAt'][:10]}"
        raise VaultError("unknown-agent", f"{what}: {name}", "see the agents there are: vault-run agents")

    def grants(self, agent: str) -> list[GrantRecord]:
        """An agent's grants that were not revoked, expired ones among them, in the groups' name order."""
        found = [self._find_grant(agent, name) for name in self._listed(f"agents/{agent}", "grants")]
        return [cast("GrantRecord", record) for record in found if record is not None and record["type"] == "grant"]

    def revoked_grant(self, agent: str, group: str) -> Tombstone | None:
        """What is left of a grant."""
        record = self._find_grant(agent, group)
        return cast("Tombstone", record) if record is not None and record["type"] == "tombstone" else None

    def group(self, name: str) -> GroupRecord:
        """A group."""
        record = self._find(group_path(name))
        if record is not None:
            return cast("GroupRecord", record)
        raise VaultError("unknown-group", f"no group of this name: {name}", "see the groups there are: vault-run list")

    def secret(self, ref: SecretRef) -> SecretRecord:
        """A secret that was not removed."""
        found = self._find_secret(ref)
        if found is not None:
            return found
        self.group(ref.group)
        raise VaultError(
            "unknown-secret",
            f"no secret of this name: {ref}",
            f"see what there is: vault-run list {ref.group}",
        )

    def secrets(self, group: str) -> list[SecretRecord]:
        """A group's secrets that were not removed, in name order."""
        names = self._listed(f"groups/{group}", "secrets")
        found = [self._find_secret(SecretRef(group, name)) for name in names]
        return [record for record in found if record is not None]

    def _find_grant(self, agent: str, group: str) -> SignedRecord | None:
        record = self._find(grant_path(agent, group))
        if record is not None and record["type"] == "grant":
            self._require_epoch(grant_path(agent, group), record["epoch"], group)
        return record

    def _find_secret(self, ref: SecretRef) -> SecretRecord | None:
        record = self._find(secret_path(*ref))
        if record is None or record["type"] != "secret":
            return None
        self._require_epoch(secret_path(*ref), record["epoch"], ref.group)
        return cast("SecretRecord", record)

    def _listed(self, scope: str, folder: str) -> list[str]:
        """The names in a folder of records, of a scope in which none is missing."""
        paths = self._files.record_paths(f"{scope}/{folder}")
        if scope not in self._complete:
            for path in self._pins.paths_in(scope):
                if not self._files.has(path):
                    raise _vanished(path)
            self._complete.add(scope)
        return [path[len(f"{scope}/{folder}/") : -len(".json")] for path in paths]

    def _find(self, path: str) -> SignedRecord | None:
        if path in self._read:
            return self._read[path]
        content = self._files.read(path)
        if content is None:
            if self._pins.find(path) is not None:
                raise _vanished(path)
            return None
        known = self._verified.find(path, content)
        if known is None:
            record = decode_record(path, content)
            message = signed_bytes(record)
            self._verify(path, record, message)
            known = record, Pin(record["serial"], digest(message))
        self._remember(path, content, *known)
        return known[0]

    def _verify(self, path: str, record: SignedRecord, message: bytes) -> None:
        if record["vault"] != self.id:
            raise VaultError(
                "wrong-vault",
                f"a record of another vault: .vault/{path}",
                f"restore it from a commit that was good: git log -- .vault/{path}",
            )
        if not is_signed(record, message, self._owners):
            raise VaultError(
                "record-signature",
                f"no owner of this vault signed this record: .vault/{path}",
                f"see who changed it: git log -- .vault/{path}",
            )
        if "recipient" in record:
            self._require_suite(path, record["recipient"])

    def _remember(self, path: str, content: bytes, record: SignedRecord, pin: Pin) -> None:
        self._pins.check(path, pin)
        self._read[path] = record
        self._seen[path] = pin
        self._verified.add(path, content, record, pin)

    def _require_suite(self, path: str, recipient: str) -> None:
        """age forbids mixing suites in one file; a vault keeps to one throughout."""
        suite = self.record["suite"]
        if suite_of(recipient) != suite:
            raise invalid(path, f"its recipient is not of the vault's suite ({suite})")

    def _require_epoch(self, path: str, epoch: int, group: str) -> None:
        current = self.group(group)["epoch"]
        if epoch != current:
            raise VaultError(
                "record-epoch",
                f"made for epoch {epoch} of a group that is at epoch {current}: .vault/{path}",
                "a merge or a half-finished pull left the two out of step; pull the latest vault, or have the owner"
                " set it again",
            )


def _vanished(path: str) -> VaultError:
    return VaultError(
        "record-missing",
        f"a record is gone without a tombstone: .vault/{path}",
        f"where this clone is behind, pull; otherwise see who removed it (git log -- .vault/{path}), bring it back,"
        " and remove with vault-run only",
    )
