"""Reading a vault's secrets as an agent."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from .agent_session import (
    AgentSession,
    Key,
    audit_log,
    find_key,
    read_unverified_vault,
    recording_denials,
)
from .environment import Environment, make_environment, require_for_variable, variable_of, variables_of
from .find_vault import find_vault_root
from .frames import without_frames
from .key_lookup import agent_option
from .machine import this_machine
from .names import parse_secret_ref
from .schema import SecretRecord
from .secret import Secret
from .vault_error import VaultError
from .verified_vault import VerifiedFiles

if TYPE_CHECKING:
    from types import TracebackType


class SecretInfo(NamedTuple):
    """What is known of a secret without opening it."""

    group: str
    name: str
    # The variable that it is injected as, and how.
    variable: str
    deliver: Literal["env", "file"]
    value_id: str
    # Times as text: 2027-01-31T00:00:00.000Z
    set_at: str
    expires_at: str | None
    description: str | None

    @property
    def ref(self) -> str:
        """``GROUP/NAME``."""
        return f"{self.group}/{self.name}"


class Vault:
    """A vault, read with an agent's key.

    Every call reads the vault as it is on disk at that moment and verifies it whole: what was pulled, revoked or has
    expired since counts. A value leaves it only after the pull was written to the audit log. Threads may share it.

    ``agent`` is who reads; otherwise VAULT_RUN_AGENT, or whoever the key file names. ``path`` is the folder that
    holds ``.vault``; otherwise VAULT_RUN_VAULT, or the nearest one upwards. ``key_file`` is the agent's key file;
    otherwise the places of docs/FORMAT.md, section 6.1, in their order. Raises VaultError.
    """

    @without_frames
    def __init__(self, *, agent: str | None = None, path: str | None = None, key_file: str | None = None) -> None:
        # What prints it may come before it is whole.
        self._root = self._agent = ""
        self._begin_anew()
        self._machine = this_machine()
        self._root = find_vault_root(self._machine, path)
        self._asked = agent_option(self._machine, agent)
        unverified = read_unverified_vault(self._root, self._verified)
        self._key: Key | None = find_key(self._machine, unverified.record["vault"], self._asked, key_file)
        self._agent = self._key.agent
        self._log = audit_log(self._machine, unverified, self._key)
        with self._session():
            pass
        _vaults.add(self)

    def _begin_anew(self) -> None:
        """Forget what threads have under way: in a process that was forked they do not go on."""
        self._lock = threading.Lock()
        # Threads that read or wait to: a signal handler runs within one of them, and would wait for itself.
        self._readers: set[int] = set()
        self._verified = VerifiedFiles()

    @property
    def agent(self) -> str:
        """The name of the agent that reads."""
        return self._agent

    @without_frames
    def get(self, ref: str, *, allow_expired: bool = False) -> Secret:
        """The secret at ``GROUP/NAME``."""
        wanted = parse_secret_ref(ref)
        with self._session() as session:
            [record] = session.named([wanted])
            if not allow_expired:
                session.require_unexpired(record)
            opened = session.open([record])
            warnings = session.release(self._log, [record])
        _warn(warnings)
        return opened[0]

    def __getitem__(self, ref: str) -> Secret:
        return self.get(ref)

    @without_frames
    def env(self, *, only: Iterable[str] | None = None, allow_expired: bool = False) -> Environment:
        """The variables that a launch would give to a program: all that were granted, or ``only`` those named.

        Secrets that their owner wants delivered as files are not among them.
        """
        # What gives the names may itself read the vault.
        wanted = None if only is None else [parse_secret_ref(ref) for ref in dict.fromkeys(only)]
        with self._session() as session:
            if wanted is None:
                session.require_granted()
                records = [record for record in session.secrets() if record["deliver"] == "env"]
            else:
                records = session.named(wanted)
                for record in records:
                    require_for_variable(record)
            if not allow_expired:
                for record in records:
                    session.require_unexpired(record)
            variables = variables_of(records)
            made = make_environment(list(variables), session.open(records))
            warnings = session.release(self._log, records)
        _warn(warnings)
        return made

    @without_frames
    def list(self) -> tuple[SecretInfo, ...]:
        """What was granted, in order, without opening any of it."""
        with self._session() as session:
            found = tuple(_info(record) for record in session.secrets())
            warnings = session.pin(self._log)
        _warn(warnings)
        return found

    @without_frames
    def groups(self) -> tuple[str, ...]:
        """The groups that were granted, in order."""
        with self._session() as session:
            found = tuple(grant["group"] for grant in session.grants())
            warnings = session.pin(self._log)
        _warn(warnings)
        return found

    def close(self) -> None:
        """Forget the key."""
        self._key = None

    def __enter__(self) -> Vault:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Vault {self._root}, agent {self._agent}>"

    @contextlib.contextmanager
    def _session(self) -> Iterator[AgentSession]:
        key = self._key
        if key is None:
            raise ValueError("the vault was closed")
        readers, thread = self._readers, threading.get_ident()
        if thread in readers:
            raise RuntimeError("the vault is being read by this thread: what interrupts it cannot read it meanwhile")
        try:
            # Within: what a signal's handler raises behind it (KeyboardInterrupt) must not leave it there.
            readers.add(thread)
            with self._lock:
                unverified = read_unverified_vault(self._root, self._verified)
                with recording_denials(self._log, key):
                    yield AgentSession(self._machine, unverified, key, self._asked, self._verified)
        finally:
            readers.discard(thread)


# Those of this process. A forked one has their locks as they are, and not the threads that would release them.
_vaults: weakref.WeakSet[Vault] = weakref.WeakSet()


def _after_fork() -> None:
    for vault in _vaults:
        vault._begin_anew()


os.register_at_fork(after_in_child=_after_fork)


def _warn(warnings: Iterable[VaultError]) -> None:
    """Log them, which runs code of the program: never while the lock is held, which that code may wait for."""
    for warning in warnings:
        import logging  # noqa: PLC0415 - a start does not wait for it

        logging.getLogger("vault_run").warning("%s", warning)


def _info(record: SecretRecord) -> SecretInfo:
    return SecretInfo(
        record["group"],
        record["name"],
        variable_of(record),
        record["deliver"],
        record["valueId"],
        record["setAt"],
        record.get("expiresAt"),
        record.get("description"),
    )
