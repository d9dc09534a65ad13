"""Locks that all programs that write the same pins share (docs/FORMAT.md, section 10.4).

A lock is a file that names its holder. It is made whole under another name and linked into place, so it never exists
half written. A holder that died on this host is detected and its lock taken over, by one process at a time and only
after looking again; one of another PID namespace, where its number is another process, is not looked at. Who has the
lock removes the drafts beside it: what a holder that was taken for dead was about to replace it replaces no more.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .canonical import parse_json, whole_number
from .names import has_controls
from .schema import MAX_COUNT
from .vault_error import VaultError, disk_error
from .write_file import sync_folder, write_file_durably

_RETRY_SECONDS = 0.025
# The end of a draft's name: the token of who asks.
_DRAFT = re.compile(r"\.[0-9a-f]{32}")
# A takeover lasts microseconds: one that is older was left by a process that died in it.
_TAKEOVER_STALE_SECONDS = 5.0
# More than who holds it can be.
_MAX_LOCK_BYTES = 64 * 1024
# More than any host's name has.
_MAX_TEXT_CHARACTERS = 1024


class LockSelf(NamedTuple):
    """Who asks for a lock, and for what."""

    pid: int
    host: str
    doing: str


class _Found(NamedTuple):
    holder: dict[str, Any]
    modified: float


class HeldLock:
    """A lock that this process has."""

    def __init__(self, path: str, holder: dict[str, Any]) -> None:
        self._path = path
        self._holder = holder

    def replace_file(self, path: str, content: bytes) -> None:
        """Replace a private file on the lock's file system as a whole; ``locked`` where another took the lock."""
        # The next holder removes this draft before it reads anything: whenever this process stood still, either its
        # rename comes first or there is nothing to rename.
        draft = f"{self._path}.{self._holder['token']}"
        try:
            write_file_durably(draft, content, os.O_EXCL)
            self._require()
            os.rename(draft, path)
            sync_folder(os.path.dirname(path))
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                self._require()
            raise disk_error(error, "write", path) from None
        finally:
            with contextlib.suppress(OSError):
                os.unlink(draft)

    def release(self) -> None:
        """Never fails: what was done under the lock is done."""
        with contextlib.suppress(OSError, VaultError):
            if _token_at(self._path) == self._holder["token"]:
                os.unlink(self._path)

    def _require(self) -> None:
        if _token_at(self._path) != self._holder["token"]:
            raise VaultError(
                "locked",
                f"this process stood still for so long that another took its lock: {self._path}",
                "run it again",
            )


@contextlib.contextmanager
def hold_lock(
    path: str, who: LockSelf, wait_seconds: float, stale_seconds: float, is_moot: Callable[[], bool]
) -> Iterator[HeldLock | None]:
    """Hold the lock at ``path``; yields None, without it, where waiting made it moot. ``locked`` in the end."""
    holder = {
        **who._asdict(),
        "started": _process_start(who.pid) or "",
        "space": _process_space(),
        "token": os.urandom(16).hex(),
    }
    deadline = time.monotonic() + wait_seconds
    while not _try_take(path, holder):
        found = _find_lock(path)
        if found is not None and _is_left_behind(found, holder, stale_seconds):
            _take_over(path, found.holder)
        elif found is not None and time.monotonic() >= deadline:
            raise _held(path, found.holder, holder)
        elif is_moot():
            yield None
            return
        else:
            time.sleep(_RETRY_SECONDS)
    with contextlib.suppress(OSError, VaultError):
        _tidy_beside(path, holder)
    held = HeldLock(path, holder)
    try:
        yield held
    finally:
        held.release()


def _try_take(path: str, holder: dict[str, Any]) -> bool:
    draft = f"{path}.{holder['token']}"
    try:
        write_file_durably(draft, f"{json.dumps(holder)}\n".encode(), os.O_EXCL)
        try:
            os.link(draft, path)
        except (FileExistsError, FileNotFoundError):
            # Held; or whoever has the lock took the draft for one that was left. It is made again.
            return False
        return True
    except OSError as error:
        raise disk_error(error, "take the lock", path) from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(draft)


def _tidy_beside(path: str, own: dict[str, Any]) -> None:
    """Drafts of who was killed while asking, and what a takeover was killed in. Those of the living are made again."""
    folder, name = os.path.split(path)
    for other in os.listdir(folder):
        if other.startswith(name) and _DRAFT.fullmatch(other, len(name)):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, other))
    guard, aside = _takeover_paths(path)
    with contextlib.suppress(OSError, VaultError):
        # A takeover that holds this very lock is about to put it back.
        if _token_at(aside) != own["token"]:
            os.unlink(aside)
    with contextlib.suppress(OSError):
        os.rmdir(guard)


def _takeover_paths(path: str) -> tuple[str, str]:
    """The folder that only one process can make, and where it moves the dead lock to."""
    return f"{path}.takeover", f"{path}.takeover/lock"


def _token_at(path: str) -> str | None:
    found = _find_lock(path)
    return None if found is None else str(found.holder["token"])


def _find_lock(path: str) -> _Found | None:
    """The lock that stands at the path. A link is no lock."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise (_not_a_lock(path) if os.path.islink(path) else disk_error(error, "read the lock", path)) from None
    try:
        found = os.fstat(fd)
        is_file = stat.S_ISREG(found.st_mode) and found.st_size <= _MAX_LOCK_BYTES
        holder = _parse_holder(os.read(fd, _MAX_LOCK_BYTES)) if is_file else None
    finally:
        os.close(fd)
    if holder is None:
        raise _not_a_lock(path)
    return _Found(holder, found.st_mtime)


def _parse_holder(content: bytes) -> dict[str, Any] | None:
    try:
        value = parse_json(content.decode(errors="replace"), whole_number)
    except ValueError:
        return None
    pid = value.get("pid") if isinstance(value, dict) else None
    if not isinstance(value, dict) or type(pid) is not int or abs(pid) > MAX_COUNT:
        return None
    value.setdefault("space", "")
    texts = [value.get(name) for name in ("host", "doing", "started", "space", "token")]
    return value if all(map(_is_showable, texts)) else None


def _is_showable(text: object) -> bool:
    """Who waits is told what stands there."""
    return isinstance(text, str) and len(text) <= _MAX_TEXT_CHARACTERS and not has_controls(text)


def _is_left_behind(found: _Found, own: dict[str, Any], stale_seconds: float) -> bool:
    if time.time() - found.modified > stale_seconds:
        return True
    if any(found.holder[name] != own[name] for name in ("host", "space")):
        return False
    pid = found.holder["pid"]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        # Another user's process may have the number now: then it started later.
        pass
    except (OSError, OverflowError):
        return False
    started = _process_start(pid)
    return started is not None and found.holder["started"] not in ("", started)


def _take_over(path: str, dead: dict[str, Any]) -> None:
    """Removes a lock that was left behind, alone and after looking again; a lock that lives is put back."""
    guard, aside = _takeover_paths(path)
    try:
        os.mkdir(guard, 0o700)
    except FileExistsError:
        with contextlib.suppress(OSError):
            if time.time() - os.stat(guard).st_mtime > _TAKEOVER_STALE_SECONDS:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(aside)
                os.rmdir(guard)
        return
    except OSError as error:
        raise disk_error(error, "take over the lock", path) from None
    try:
        if _token_at(path) != dead["token"]:
            return
        os.rename(path, aside)
        if _token_at(aside) != dead["token"]:
            os.link(aside, path)
    except (FileNotFoundError, FileExistsError):
        pass
    except OSError as error:
        raise disk_error(error, "take over the lock", path) from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        with contextlib.suppress(OSError):
            os.rmdir(guard)


def _held(path: str, holder: dict[str, Any], own: dict[str, Any]) -> VaultError:
    is_apart = holder["host"] == own["host"] and holder["space"] != own["space"]
    where = f"{holder['host']}{', in another container or PID namespace' if is_apart else ''}"
    return VaultError(
        "locked",
        f"another vault-run holds the lock: {holder['doing']}, process {holder['pid']} on {where}",
        f"wait for it to end; if it is gone, remove {path}",
    )


def _not_a_lock(path: str) -> VaultError:
    return VaultError(
        "locked",
        f"not a lock file of this program: {path}",
        f"if no vault-run is running, remove it: rm {path}",
    )


def _process_start(pid: int) -> str | None:
    """Field 22 of /proc/PID/stat. None where there is no such process or no /proc."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def _process_space() -> str:
    """The PID namespace, by the kernel's own name; empty where there is no /proc, or no such namespaces."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
