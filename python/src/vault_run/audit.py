"""The audit log: one signed line an event (docs/FORMAT.md, section 8).

Appends without a lock: one write of a whole line to a file opened for appending, which the kernel keeps in one piece
however many write at once. A line torn by a kill or a full disk is ended by the next append. One that is torn between
our look and our write has our line glued to it, which no reader takes: it is written again.
"""

from __future__ import annotations

import os

from .audit_receiver import find_receiver
from .canonical import JsonObject, canonical_bytes
from .encoding import digest
from .head import find_head_commit
from .log_files import LOG_NAME, SEGMENT_BYTES, holds_whole, last_line_moved_away, move_away, read_tail
from .machine import Machine
from .moment import timestamp
from .signing_key import SigningKey, fingerprint
from .vault_error import VaultError, system_code
from .write_file import make_folder

_SIGNED_PREFIX = b"vault-run/audit/v1\0"
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class AuditLog:
    """The log of a vault on this machine, or what takes its lines in place of it.

    ``root`` is the folder in whose work tree HEAD is looked up.
    """

    def __init__(self, machine: Machine, vault: str, root: str) -> None:
        named = machine.find_variable("VAULT_RUN_AUDIT_DIR")
        self._folder = machine.state_folder(vault) if named is None else os.path.join(machine.cwd, named)
        self._path = f"{self._folder}/{LOG_NAME}"
        self._machine = machine
        self._vault = vault
        self._root = root
        self._receiver = find_receiver(machine)
        self._last_given: bytes | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether the lines go elsewhere."""
        return self._receiver is not None

    def append(self, event: JsonObject, key: SigningKey) -> None:
        """Append a line; ``audit`` where it could not be written whole."""
        if self._receiver is not None:
            line = self._line(event, key, self._last_given)
            self._receiver.write(line)
            self._last_given = line
            return
        try:
            self._append(event, key)
        except OSError as error:
            raise self._not_written(system_code(error)) from None
        except VaultError as error:
            raise error if error.code == "audit" else self._not_written(error.code) from None

    def _append(self, event: JsonObject, key: SigningKey) -> None:
        make_folder(self._folder)
        fd = self._open()
        try:
            last, is_torn = read_tail(fd, self._path, self._vault)
            line = self._line(event, key, last if last is not None else last_line_moved_away(self._folder, self._vault))
            content = (b"\n" if is_torn else b"") + line + b"\n"
            self._write(fd, content)
            if not holds_whole(fd, content):
                self._write(fd, b"\n" + line + b"\n")
        finally:
            os.close(fd)

    def _write(self, fd: int, content: bytes) -> None:
        if os.write(fd, content) != len(content):
            raise VaultError(
                "audit",
                f"the disk took only part of the audit record: {self._path}",
                "free some space and try again",
            )

    def _open(self) -> int:
        fd = os.open(self._path, _FLAGS, 0o600)
        if os.fstat(fd).st_size < SEGMENT_BYTES:
            return fd
        os.close(fd)
        move_away(self._folder)
        return os.open(self._path, _FLAGS, 0o600)

    def _line(self, event: JsonObject, key: SigningKey, last: bytes | None) -> bytes:
        line = {
            **event,
            "v": 1,
            "id": os.urandom(16).hex(),
            "time": timestamp(self._machine.now()),
            "vault": self._vault,
            "key": fingerprint(key.verify_key),
            "host": self._machine.host,
            "uid": self._machine.uid,
        }
        commit = find_head_commit(self._root)
        if commit is not None:
            line["commit"] = commit
        if last is not None:
            line["prev"] = digest(last)
        line["sig"] = key.sign(_SIGNED_PREFIX + canonical_bytes(line))
        return canonical_bytes(line)

    def _not_written(self, why: str) -> VaultError:
        return VaultError(
            "audit",
            f"cannot write the audit record ({why}): {self._path}",
            "make that file writable, or move the log with VAULT_RUN_AUDIT_DIR",
        )
