"""Reading a vault's secrets as an agent."""

from __future__ import annotations

import contextlib
import threading
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
        self._lock = threading.Lock()
        self._machine = this_machine()
        self._root = find_vault_root(self._machine, path)
        self._asked = agent_option(self._machine, agent)
        self._verified = VerifiedFiles()
        unverified = read_unverified_vault(self._root, self._verified)
        self._key: Key | None = find_key(self._machine, unverified.record["vault"], self._asked, key_file)
        self._agent = self._key.agent
        self._log = audit_log(self._machine, unverified, self._key)
        with self._session():
            pass

    @property
    def agent(self) -> str:
        """The name of the agent that reads."""
        return self._agent

    @without_frames
    def get(self, ref: str, *, allow_expired: bool = False) -> Secret:
        """The secret at ``GROUP/NAME``."""
        with self._session() as session:
            record = session.secret(parse_secret_ref(ref))
            if not allow_expired:
                session.require_unexpired(record)
            opened = session.open([record])
            self._warn(session.release(self._log, [record]))
            return opened[0]

    def __getitem__(self, ref: str) -> Secret:
        return self.get(ref)

    @without_frames
    def env(self, *, only: Iterable[str] | None = None, allow_expired: bool = False) -> Environment:
        """The variables that a launch would give to a program: all that were granted, or ``only`` those named.

        Secrets that their owner wants delivered as files are not among them.
        """
        with self._session() as session:
            if only is None:
                session.require_granted()
                records = [record for record in session.secrets() if record["deliver"] == "env"]
            else:
                records = [session.secret(parse_secret_ref(ref)) for ref in dict.fromkeys(only)]
                for record in records:
                    require_for_variable(record)
            if not allow_expired:
                for record in records:
                    session.require_unexpired(record)
            variables = variables_of(records)
            made = make_environment(list(variables), session.open(records))
            self._warn(session.release(self._log, records))
            return made

    @without_frames
    def list(self) -> tuple[SecretInfo, ...]:
        """What was granted, in order, without opening any of it."""
        with self._session() as session:
            found = tuple(_info(record) for record in session.secrets())
            self._warn(session.pin(self._log))
            return found

    @without_frames
    def groups(self) -> tuple[str, ...]:
        """The groups that were granted, in order."""
        with self._session() as session:
            found = tuple(grant["group"] for grant in session.grants())
            self._warn(session.pin(self._log))
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
        with self._lock:
            unverified = read_unverified_vault(self._root, self._verified)
            with recording_denials(self._log, key):
                yield AgentSession(self._machine, unverified, key, self._asked, self._verified)

    def _warn(self, warnings: Iterable[VaultError]) -> None:
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
