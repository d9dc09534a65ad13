"""The files of an audit log (docs/FORMAT.md, section 8).

``audit.jsonl`` is appended to, and whoever finds it grown to 16 MiB moves it to the next free ``audit.N.jsonl``. No
lock is taken: a number is taken by making an empty file of that name, which only one can, and what it names is
replaced by whoever made it alone. So no file with lines is ever written over, wherever anyone is killed or how many
move at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
from typing import NamedTuple

from .vault_error import VaultError

LOG_NAME = "audit.jsonl"
SEGMENT_BYTES = 16 * 1024 * 1024
_TAIL_BYTES = 8 * 1024
_SEGMENT = re.compile(r"audit\.([1-9][0-9]{0,8})\.jsonl")
# More than could ever be torn in a row, but by who writes them for that.
_MOST_TORN = 100
_MAX_NUMBER = 999_999_999


class Tail(NamedTuple):
    """The end of a file of the log."""

    # The vault's last line, without its line feed.
    last: bytes | None
    # Whether bytes follow the last line feed.
    is_torn: bool


def read_tail(fd: int, path: str, vault: str) -> Tail:
    """The end of an open file; ``path`` is for messages."""
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise VaultError(
            "audit",
            f"the audit log is not a plain file: {path}",
            "move it away, or name another folder with VAULT_RUN_AUDIT_DIR",
        )
    wanted = _TAIL_BYTES
    while True:
        length = min(found.st_size, wanted)
        tail = os.pread(fd, length, found.st_size - length)
        last = _last_line(tail, vault, is_all=length == found.st_size)
        # Without the line feed before it, the line may begin further up.
        if last is not None or length == found.st_size:
            return Tail(last, length > 0 and not tail.endswith(b"\n"))
        wanted *= 2


def _last_line(tail: bytes, vault: str, *, is_all: bool) -> bytes | None:
    """Pass over empty lines, lines of other vaults, and what was glued to half a line.

    Empty lines come from a writer that saw a part of another's line and ended it. None of these is pushed with this
    vault's lines, so what links to them would seem to follow on nothing.
    """
    # So it ends in its one spelling, whose keys are in order.
    ending = f'"vault":"{vault}"}}\n'.encode()
    before = len(tail)
    for _ in range(_MOST_TORN):
        found = tail.rfind(ending, 0, before)
        start = tail.rfind(b"\n", 0, max(found, 0)) + 1
        if found == -1 or (start == 0 and not is_all):
            return None
        line = tail[start : found + len(ending) - 1]
        if _is_json(line):
            return line
        before = start
    return None


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def holds_whole(fd: int, appended: bytes) -> bool:
    """Whether what was just appended, from a line's first byte to its line feed, stands there as a whole line."""
    start = os.lseek(fd, 0, os.SEEK_CUR) - len(appended)
    return start == 0 or appended[:1] == b"\n" or os.pread(fd, 1, start - 1) == b"\n"


def move_away(folder: str) -> None:
    """Move the file away if it is still there and full. Where it cannot be moved it stays and grows on."""
    path = f"{folder}/{LOG_NAME}"
    with contextlib.suppress(OSError):
        number = max(_numbers(folder), default=0) + 1
        if number > _MAX_NUMBER:
            return
        target = _segment_path(folder, number)
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        is_moved = False
        try:
            if _is_full(path):
                os.rename(path, target)
                is_moved = True
        finally:
            # What was moved may be empty too, and is then about to be written to.
            if not is_moved and os.lstat(target).st_size == 0:
                os.unlink(target)


def last_line_moved_away(folder: str, vault: str) -> bytes | None:
    """The vault's last line in the files that were moved away; None where they have none."""
    for number in sorted(_numbers(folder), reverse=True):
        path = _segment_path(folder, number)
        try:
            # A pipe in its place is not waited for.
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            # A number that was taken, given back as there was nothing to move any more.
            continue
        try:
            last = read_tail(fd, path, vault).last
        finally:
            os.close(fd)
        if last is not None:
            return last
    return None


def _numbers(folder: str) -> list[int]:
    return [int(found[1]) for found in map(_SEGMENT.fullmatch, os.listdir(folder)) if found is not None]


def _segment_path(folder: str, number: int) -> str:
    return f"{folder}/audit.{number}.jsonl"


def _is_full(path: str) -> bool:
    found = os.lstat(path)
    return stat.S_ISREG(found.st_mode) and found.st_size >= SEGMENT_BYTES
