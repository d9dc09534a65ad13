"""The only reader of ``.vault/`` on disk.

It follows no symbolic link below it, opens only regular files, and reads no more than a record can be. Whoever can
push chooses every byte and every name in here.
"""

from __future__ import annotations

import os
import stat

from .names import printable
from .paths import is_record_path
from .record import MAX_RECORD_BYTES, invalid
from .vault_error import VaultError, disk_error


class RecordFiles:
    """The records' files of the vault at ``root``, the absolute path of its ``.vault`` folder."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._plain_folders: set[str] = set()

    def read(self, path: str) -> bytes | None:
        """The record's bytes, or None where there is none."""
        if not self._is_plain_way(path.rpartition("/")[0]):
            return None
        try:
            return _read_regular_file(self._file(path), path)
        except FileNotFoundError:
            return None
        except OSError as error:
            # What a link in the place of the file gives.
            if os.path.islink(self._file(path)):
                raise not_plain(path) from None
            raise disk_error(error, "read", self._file(path)) from None

    def has(self, path: str) -> bool:
        """Whether something stands at the path, valid or not."""
        return os.path.lexists(self._file(path))

    def record_paths(self, folder: str) -> list[str]:
        """The records' paths in a folder, in name order. A ``.json`` file that no record can be is an error."""
        paths = [f"{folder}/{name}" for name in self._names(folder) if name.endswith(".json")]
        for path in paths:
            if not is_record_path(path):
                raise VaultError(
                    "bad-name",
                    f"no record can have this name: {printable(f'.vault/{path}')}",
                    "remove it: only vault-run writes to .vault",
                )
        _refuse_twins(paths)
        return paths

    def _file(self, path: str) -> str:
        return f"{self.root}/{path}"

    def _names(self, folder: str) -> list[str]:
        if not self._is_plain_way(folder):
            return []
        try:
            return sorted(os.listdir(self._file(folder)))
        except OSError as error:
            raise disk_error(error, "list", self._file(folder)) from None

    def _is_plain_way(self, folder: str) -> bool:
        """Whether the folder, and each on the way to it, is there and is no link."""
        parts = folder.split("/") if folder else []
        return all(self._is_plain_folder("/".join(parts[: depth + 1])) for depth in range(len(parts)))

    def _is_plain_folder(self, folder: str) -> bool:
        if folder in self._plain_folders:
            return True
        try:
            mode = os.lstat(self._file(folder)).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise disk_error(error, "look at", self._file(folder)) from None
        if stat.S_ISLNK(mode):
            raise not_plain(folder)
        if stat.S_ISDIR(mode):
            self._plain_folders.add(folder)
        return stat.S_ISDIR(mode)


def not_plain(path: str) -> VaultError:
    """The refusal of a link, a device or the like."""
    return VaultError(
        "record-invalid",
        f"not a plain file or folder: .vault/{path}",
        "remove it: nothing in .vault may be a link or a device",
    )


def _read_regular_file(file: str, path: str) -> bytes:
    # O_NONBLOCK: opening a named pipe must not hang.
    fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise not_plain(path)
        if found.st_size > MAX_RECORD_BYTES:
            raise invalid(path, "larger than any record can be")
        # Of a folder this fails, and leaves the descriptor open.
        with os.fdopen(fd, "rb", buffering=0, closefd=False) as opened:
            return opened.read(found.st_size + 1)
    finally:
        os.close(fd)


def _refuse_twins(paths: list[str]) -> None:
    """Two names that some file systems cannot tell apart: which one is read would depend on the machine."""
    seen: set[str] = set()
    for path in paths:
        folded = path.lower()
        if folded in seen:
            raise VaultError(
                "bad-name",
                f"two names that differ only in letter case: .vault/{path}",
                "only vault-run writes to .vault, and it makes no such pair: see who did with git log, and remove one",
            )
        seen.add(folded)
