"""Writing that a crash at any point leaves whole."""

from __future__ import annotations

import os

from .vault_error import disk_error


def make_folder(path: str) -> None:
    """Make a folder, private to the user, and those above it, durably."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent != path:
        make_folder(parent)
    try:
        os.mkdir(path, 0o700)
        sync_folder(parent)
    except FileExistsError:
        return
    except OSError as error:
        raise disk_error(error, "make the folder", path) from None


def write_file_durably(path: str, content: bytes, flags: int) -> None:
    """Write a file of mode 0600 and fsync it. With O_EXCL whatever is there already is an error and left alone."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, 0o600)
    with os.fdopen(fd, "wb", buffering=0) as opened:
        written = 0
        while written < len(content):
            written += os.write(fd, content[written:])
        os.fsync(opened.fileno())


def sync_folder(folder: str) -> None:
    """Make names in a folder durable: without it a rename can be undone by a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
