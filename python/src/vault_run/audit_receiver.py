"""Where the audit log's lines go in place of its file, if VAULT_RUN_AUDIT_TO says so (docs/FORMAT.md, section 8).

A line is taken when the system took all of it. What cannot take it in time has failed, as a disk that is full.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
from collections.abc import Callable
from typing import Protocol

from .machine import Machine
from .vault_error import VaultError, system_code

_SYSLOG_SOCKET = "/dev/log"
_JOURNAL_SOCKET = "/run/systemd/journal/socket"
# RFC 3164: facility 10 (authpriv), severity 5 (notice).
_PRIORITY = 10 * 8 + 5
_SYSLOG_BYTES = 8192
_WAIT_SECONDS = 5.0
_POLL_SECONDS = 0.01
_LAST_STANDARD = 2
_DESCRIPTOR = re.compile(r"fd:([1-9][0-9]{0,5})")


class Receiver(Protocol):
    """Takes lines; ``audit`` where one was not taken whole."""

    def write(self, line: bytes) -> None:
        """Take a line, which has no line feed."""


def find_receiver(machine: Machine) -> Receiver | None:
    """The one that VAULT_RUN_AUDIT_TO names: ``fd:N``, ``syslog`` or ``journald``."""
    where = machine.find_variable("VAULT_RUN_AUDIT_TO")
    if where is None:
        return None
    if where == "journald":
        return _Datagrams("the journal", _JOURNAL_SOCKET, _journal_entry)
    if where == "syslog":
        return _Datagrams("syslog", _SYSLOG_SOCKET, _syslog_message)
    found = _DESCRIPTOR.fullmatch(where)
    if found is None:
        raise VaultError(
            "usage",
            "VAULT_RUN_AUDIT_TO takes fd:N, syslog or journald",
            "name a descriptor as fd:3; for a file set the folder, with VAULT_RUN_AUDIT_DIR",
        )
    return _Descriptor(int(found[1]))


class _Descriptor:
    def __init__(self, fd: int) -> None:
        self._fd = fd
        # Whether something else than a whole line may stand before the next: part of one, or what the program wrote.
        self._is_unended = _is_open_ended(fd)

    def write(self, line: bytes) -> None:
        name = f"descriptor {self._fd}"
        fault = _fault_of(self._fd)
        if fault is not None:
            raise VaultError(
                "audit", f"cannot write the audit record: {name} {fault}", f"open it for appending: {self._fd}>>FILE"
            )
        content = memoryview((b"\n" if self._is_unended else b"") + line + b"\n")
        written = 0

        def attempt() -> None:
            nonlocal written
            while written < len(content):
                written += os.write(self._fd, content[written:])

        try:
            _patiently(name, "look at what reads it", attempt)
        finally:
            if written > 0:
                self._is_unended = written < len(content) or self._fd <= _LAST_STANDARD


def _is_open_ended(fd: int) -> bool:
    """Whether it is a file that ends in part of a line, of a writer that was killed. Where none can look, it may."""
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_size == 0:
            return False
        # The one that we were handed may be for writing alone.
        with open(f"/proc/self/fd/{fd}", "rb") as reading:
            return os.pread(reading.fileno(), 1, found.st_size - 1) != b"\n"
    except OSError:
        return True


def _fault_of(fd: int) -> str | None:
    """What is wrong with a descriptor that a line could be written to and be lost."""
    try:
        found = os.fstat(fd)
        if stat.S_ISREG(found.st_mode) and not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND:
            return "is a file that was not opened for appending"
        if stat.S_ISCHR(found.st_mode) and found.st_rdev == os.stat(os.devnull).st_rdev:
            return "leads to /dev/null, which keeps nothing"
    except OSError as error:
        return f"cannot be used ({system_code(error)})"
    return None


class _Datagrams:
    def __init__(self, name: str, path: str, form: Callable[[bytes], bytes]) -> None:
        self._name = name
        self._path = path
        self._form = form

    def write(self, line: bytes) -> None:
        import socket  # noqa: PLC0415 - only who sends waits for it

        message = self._form(line)

        def attempt() -> None:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.connect(self._path)
                sender.send(message)

        _patiently(f"{self._name} ({self._path})", f"look whether {self._name} is running here", attempt)


def _journal_entry(line: bytes) -> bytes:
    """https://systemd.io/JOURNAL_NATIVE_PROTOCOL: a field a line. JCS leaves no line feed in ours."""
    return b"MESSAGE=" + line + b"\nPRIORITY=5\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=vault-run\n"


def _syslog_message(line: bytes) -> bytes:
    """RFC 3164 as it is sent on one machine: local time, and no host."""
    at = time.localtime()
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    head = f"<{_PRIORITY}>{months[at.tm_mon - 1]} {at.tm_mday:2} {time.strftime('%H:%M:%S', at)}"
    message = f"{head} vault-run[{os.getpid()}]: ".encode() + line
    if len(message) > _SYSLOG_BYTES:
        raise VaultError(
            "audit",
            f"the audit record has {len(message)} bytes, and syslog takes {_SYSLOG_BYTES} in one message",
            "release fewer secrets at once (only=), or set VAULT_RUN_AUDIT_TO to journald or fd:N",
        )
    return message


def _patiently(name: str, hint: str, attempt: Callable[[], None]) -> None:
    """Try until it is taken, as long as the other end is only busy."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            attempt()
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise _not_taken(name, error, hint) from None
            time.sleep(_POLL_SECONDS)
        except OSError as error:
            raise _not_taken(name, error, hint) from None
        else:
            return


def _not_taken(name: str, error: OSError, hint: str) -> VaultError:
    return VaultError("audit", f"cannot write the audit record ({system_code(error)}): {name}", hint)
