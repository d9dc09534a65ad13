"""What this machine has seen of a vault, outside the repo (docs/FORMAT.md, section 7).

Per record the highest serial and its digest, and which owner keys were accepted. Files are replaced as a whole under
a short lock and merged upwards, so that processes at once never lower a pin. Nothing is written when nothing is new.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .canonical import parse_json, whole_number
from .lock import HeldLock, LockSelf, hold_lock
from .paths import ROOT_SCOPE, is_record_path, scope_of
from .schema import MAX_COUNT, VaultRecord
from .shape import Optional, array, dictionary, fields, text, whole
from .signing_key import is_verify_key
from .trust import former_owner
from .vault_error import VaultError, disk_error
from .write_file import make_folder

_LOCK_WAIT_SECONDS = 10.0
# Pins are written in milliseconds: a lock this old was left behind, on whatever host.
_LOCK_STALE_SECONDS = 5.0
_DIGEST = re.compile(r"[0-9a-f]{64}")

_verify_keys = array(text(is_verify_key), 1)
_pin_file = fields(
    {
        "records": dictionary(
            is_record_path,
            fields({"serial": whole(-MAX_COUNT, MAX_COUNT), "digest": text(_DIGEST.fullmatch)}),
        ),
        "owners": Optional(_verify_keys),
        "formerOwners": Optional(_verify_keys),
    }
)
_PinFile = dict[str, Any]


class Pin(NamedTuple):
    """A record's serial and digest."""

    serial: int
    digest: str


class OwnerKeys(NamedTuple):
    """The verify keys of a vault's owners, and of those who were owners once."""

    current: frozenset[str]
    former: frozenset[str]


class Pins:
    """The pins of one vault, below its folder of state, which need not exist."""

    def __init__(self, state_folder: str) -> None:
        self._folder = f"{state_folder}/pins"
        self._files: dict[str, _PinFile] = {}

    def find_owners(self) -> OwnerKeys | None:
        """The owner keys accepted on this machine, or None where the vault was never verified here."""
        file = self._read(ROOT_SCOPE)
        if "owners" not in file:
            return None
        return OwnerKeys(frozenset(file["owners"]), frozenset(file.get("formerOwners", ())))

    def find(self, path: str) -> Pin | None:
        """What was seen at a path."""
        pin = self._read(scope_of(path))["records"].get(path)
        return None if pin is None else Pin(pin["serial"], pin["digest"])

    def paths_in(self, scope: str) -> list[str]:
        """Every record ever seen in a scope."""
        return list(self._read(scope)["records"])

    def check(self, path: str, seen: Pin) -> None:
        """Refuse a record that is older than one seen before, or differs from it under the same serial."""
        pin = self.find(path)
        if pin is None or seen.serial > pin.serial:
            return
        if seen.serial < pin.serial:
            raise VaultError(
                "record-rollback",
                f"older than a record this machine has already seen (serial {seen.serial}, seen {pin.serial}):"
                f" .vault/{path}",
                "pull the latest vault; if you checked out an old commit on purpose, nothing in it may be used",
            )
        if seen.digest != pin.digest:
            raise VaultError(
                "record-conflict",
                f"another record under a serial this machine has already seen ({seen.serial}): .vault/{path}",
                "two versions of this record exist; compare git log on both sides before you trust either",
            )

    def save(self, seen: Mapping[str, Pin], owners: OwnerKeys, who: LockSelf, is_settled: Callable[[], bool]) -> None:
        """Raise the pins to what was seen, if it is settled. Call only after everything checked out.

        What is refused in one file keeps no other from being raised.
        """
        if not self._news(seen, owners):
            return
        make_folder(self._folder)

        def is_moot() -> bool:
            self._files.clear()
            return not self._news(seen, owners)

        lock = hold_lock(f"{self._folder}/lock", who, _LOCK_WAIT_SECONDS, _LOCK_STALE_SECONDS, is_moot)
        with lock as held:
            if held is None:
                return
            # Another process may have written the same meanwhile: what is still new is asked again under the lock.
            self._files.clear()
            if not is_settled():
                return
            refusals: list[VaultError] = []
            for scope in sorted(self._news(seen, owners)):
                try:
                    self._raise(scope, seen, owners, held)
                except VaultError as error:
                    refusals.append(error)
            if refusals:
                raise refusals[0]

    def _news(self, seen: Mapping[str, Pin], owners: OwnerKeys) -> set[str]:
        scopes: set[str] = set()
        for path, pin in seen.items():
            known = self.find(path)
            if known is None or known.serial < pin.serial:
                scopes.add(scope_of(path))
        pinned = self.find_owners()
        if pinned != _afterwards(pinned, owners):
            scopes.add(ROOT_SCOPE)
        return scopes

    def _raise(self, scope: str, seen: Mapping[str, Pin], owners: OwnerKeys, held: HeldLock) -> None:
        file = {**self._read(scope), "records": dict(self._read(scope)["records"])}
        for path, pin in seen.items():
            if scope_of(path) == scope:
                self.check(path, pin)
                file["records"][path] = pin._asdict()
        if scope == ROOT_SCOPE:
            current, former = _afterwards(self.find_owners(), owners)
            file["owners"] = sorted(current)
            if former:
                file["formerOwners"] = sorted(former)
        path = self._path(scope)
        make_folder(os.path.dirname(path))
        held.replace_file(path, f"{json.dumps(file, separators=(',', ':'))}\n".encode())
        self._files[scope] = file

    def _read(self, scope: str) -> _PinFile:
        if scope not in self._files:
            self._files[scope] = _read_pin_file(self._path(scope))
        return self._files[scope]

    def _path(self, scope: str) -> str:
        return f"{self._folder}/{scope}.json"


def owner_keys(record: VaultRecord) -> OwnerKeys:
    """Whoever a link of a verified vault.json leads from or to was an owner once."""
    current = frozenset(owner["verifyKey"] for owner in record["owners"])
    linked = frozenset(link[end] for link in record["succession"] for end in ("from", "to"))
    return OwnerKeys(current, linked - current)


def _afterwards(pinned: OwnerKeys | None, now: OwnerKeys) -> OwnerKeys:
    """What is pinned then: who was an owner here, and is none now, is a former one for good."""
    if pinned is None:
        return now
    if pinned.former & now.current:
        raise former_owner()
    return OwnerKeys(now.current, (pinned.former | pinned.current | now.former) - now.current)


def _read_pin_file(path: str) -> _PinFile:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return {"records": {}}
    except OSError as error:
        raise disk_error(error, "read the pins in", path) from None
    try:
        value = parse_json(content.decode(), whole_number)
    except ValueError:
        value = None
    if not isinstance(value, dict) or _pin_file(value) is not None:
        raise VaultError(
            "disk",
            f"not a file of pins: {path}",
            "restore it from a backup; without it an old vault could pass for the current one",
        )
    return value
