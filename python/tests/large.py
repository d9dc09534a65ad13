"""One reader and large hostile inputs, in a process of its own: ``python tests/large.py READER``.

Prints of each shape the seconds of the processor that it took, and by how many MB the process's greatest size has grown
since before the first.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from vectors import read_vaults

from vault_run.age_file import DamagedAgeFile, keys_of, open_age_file
from vault_run.head import find_head_commit
from vault_run.key_file import parse_key_file
from vault_run.lock import LockSelf, hold_lock
from vault_run.log_files import read_tail
from vault_run.payload import _decode
from vault_run.pins import Pins
from vault_run.record import decode_record
from vault_run.vault_error import VaultError

BYTES = 10 * 1024 * 1024


def repeated(part: bytes) -> bytes:
    return part * (BYTES // len(part))


SHAPES: dict[str, Callable[[], bytes]] = {
    "lists": lambda: repeated(b"["),
    "objects": lambda: repeated(b'{"a":'),
    "a long string": lambda: b'{"a":"' + repeated(b"x") + b'"}',
    "escaped quotes": lambda: b'"' + repeated(b'\\"') + b'"',
    "many fields": lambda: b"{" + b",".join(b'"A%d":"x"' % at for at in range(BYTES // 14)) + b"}",
    "many numbers": lambda: b'{"records":[' + repeated(b"1,") + b"1]}",
    "one number": lambda: b'{"serial":' + repeated(b"1") + b"}",
    "many lines": lambda: repeated(b"\n"),
    "one line": lambda: repeated(b"a"),
    "one line of spaces": lambda: b"a" + repeated(b" ") + b"b",
    "NUL": lambda: repeated(b"\0"),
    "no UTF-8": lambda: repeated(b"\xff"),
    "many stanzas": lambda: b"age-encryption.org/v1\n" + repeated(b"-> a\n\n"),
    "one stanza of many words": lambda: b"age-encryption.org/v1\n->" + repeated(b" a") + b"\n\n",
    "one stanza of many lines": lambda: b"age-encryption.org/v1\n-> a\n" + repeated(b"A" * 64 + b"\n"),
}
VECTORS = read_vaults()[0]
KEYS = keys_of(parse_key_file(VECTORS["keys"]["crawler"], "a test").identity)


def a_record(_: Path, content: bytes) -> None:
    attempt(lambda: decode_record("vault.json", content))


def an_age_file(_: Path, content: bytes) -> None:
    attempt(lambda: open_age_file(content, KEYS))


def a_payload(_: Path, content: bytes) -> None:
    _decode(content, {"type": "secret", "vault": "v"}, ("value",))


def a_file_of_pins(folder: Path, content: bytes) -> None:
    (folder / "pins").mkdir(exist_ok=True)
    (folder / "pins/vault.json").write_bytes(content)
    attempt(lambda: Pins(str(folder)).find_owners())


def a_lock(folder: Path, content: bytes) -> None:
    (folder / "lock").write_bytes(content)

    def take() -> None:
        with hold_lock(str(folder / "lock"), LockSelf(os.getpid(), "test", "large"), 0, 60, lambda: False):
            pass

    attempt(take)


def the_end_of_a_log(folder: Path, content: bytes) -> None:
    (folder / "log").write_bytes(content)
    with open(folder / "log", "rb") as opened:
        read_tail(opened.fileno(), "log", "0" * 32)


def a_repository(folder: Path, content: bytes) -> None:
    (folder / ".git").mkdir(exist_ok=True)
    (folder / ".git/HEAD").write_bytes(content)
    find_head_commit(str(folder))
    (folder / ".git/HEAD").write_bytes(b"ref: refs/heads/main\n")
    (folder / ".git/packed-refs").write_bytes(content)
    find_head_commit(str(folder))


READERS: dict[str, Callable[[Path, bytes], None]] = {
    reader.__name__: reader
    for reader in (a_record, an_age_file, a_payload, a_file_of_pins, a_lock, the_end_of_a_log, a_repository)
}


def attempt(read: Callable[[], object]) -> None:
    with contextlib.suppress(VaultError, DamagedAgeFile):
        read()


def main(reader: str) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        READERS[reader](folder, b"a")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for shape, make in SHAPES.items():
            content = make()
            started = time.process_time()
            READERS[reader](folder, content)
            seconds = time.process_time() - started
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
            found = {"shape": shape, "seconds": round(seconds, 3), "mb": grown}
            sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main(sys.argv[1])
