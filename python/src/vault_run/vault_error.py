"""One error class for everything a user can meet. A message names the thing, never a value."""

from __future__ import annotations

import errno
import sys
from typing import Literal

# The codes of docs/FORMAT.md, section 11, that a reader can meet.
ErrorCode = Literal[
    "usage",
    "bad-name",
    "bad-value",
    "no-vault",
    "no-key",
    "key-file",
    "wrong-key",
    "wrong-vault",
    "untrusted",
    "unknown-agent",
    "unknown-group",
    "unknown-secret",
    "not-granted",
    "expired",
    "collision",
    "unsafe-name",
    "record-invalid",
    "record-missing",
    "record-signature",
    "record-rollback",
    "record-conflict",
    "record-epoch",
    "format-newer",
    "sealed-damaged",
    "sealed-context",
    "not-for-identity",
    "locked",
    "disk",
    "audit",
]

_HINTS = {
    errno.ENOSPC: "free some space and try again; nothing was changed",
    errno.EDQUOT: "free some space and try again; nothing was changed",
    errno.EROFS: "the file system is read-only; run this where it can be written",
    errno.EACCES: "give your user access to it, or run this as the user who has it",
    errno.EPERM: "give your user access to it, or run this as the user who has it",
    errno.ENOTDIR: "a file stands where a folder should be; move it away",
}


class VaultError(Exception):
    """What a vault refuses, or a machine cannot do.

    ``code`` is a stable word that programs may branch on (docs/ERRORS.md), ``str()`` says what and about which
    thing, ``hint`` is the next step. None of them holds a value.
    """

    code: ErrorCode
    hint: str
    # The name of the failed system call's error, where that is what happened.
    system: str | None = None

    def __init__(self, code: ErrorCode, message: str, hint: str) -> None:
        super().__init__(code, message, hint)
        self.code = code
        self.hint = hint
        self._message = message
        if sys.version_info >= (3, 11):
            # A traceback shows it below the message.
            self.add_note(hint)

    def __str__(self) -> str:
        return self._message


def system_code(error: OSError) -> str:
    """The name of a failed system call's error: ``ENOENT``, …"""
    return errno.errorcode.get(error.errno or 0, "error")


def disk_error(error: OSError, doing: str, path: str) -> VaultError:
    """A failed system call on ``path`` as a VaultError."""
    hint = _HINTS.get(error.errno or 0, "look at the path and try again")
    failure = VaultError("disk", f"cannot {doing} ({system_code(error)}): {path}", hint)
    failure.system = system_code(error)
    return failure
