"""The files of an audit log, while other processes write, make and remove some."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from vault_run.audit import AuditLog
from vault_run.encoding import digest
from vault_run.identity import Identity
from vault_run.log_files import last_line_moved_away, read_tail
from vault_run.machine import Machine
from vault_run.signing_key import SigningKey

if TYPE_CHECKING:
    from pathlib import Path

    from vault_run.canonical import JsonObject

# Makes the empty file and removes it, until killed.
TAKE_AND_GIVE_BACK = """
import os, sys
while True:
    os.close(os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY))
    os.unlink(sys.argv[1])
"""


def test_a_number_that_is_given_back_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "audit.1.jsonl").write_bytes(OWN + b"\n")
    with subprocess.Popen([sys.executable, "-c", TAKE_AND_GIVE_BACK, str(tmp_path / "audit.7.jsonl")]) as others:
        try:
            while not (tmp_path / "audit.7.jsonl").exists():
                pass
            for _ in range(5000):
                assert last_line_moved_away(str(tmp_path), VAULT) == OWN
        finally:
            others.kill()


@pytest.mark.parametrize("before", [0, 2])
def test_a_line_that_was_glued_to_half_of_one_is_written_again(tmp_path: Path, before: int) -> None:
    path = tmp_path / "audit.jsonl"
    half = b'{"action":"launch","agent":"crawler","comm'
    others: list[bytes] = []

    def now() -> int:
        # Between the look at the file's end and the write.
        with path.open("ab") as log:
            log.writelines(others)
        return 1_800_000_000_000

    machine = Machine({"VAULT_RUN_AUDIT_DIR": str(tmp_path)}, "/", "/", "test-host", 0, now)
    key = SigningKey(Identity("classic", bytes(range(32))))
    log = AuditLog(machine, "0" * 32, str(tmp_path))
    event: JsonObject = {"action": "launch", "agent": "crawler"}
    for _ in range(before):
        log.append(event, key)
    others[:] = [half]
    log.append(event, key)
    others[:] = [b'{"other":1}\n']
    log.append(event, key)
    *lines, end = path.read_bytes().split(b"\n")
    glued, empty, again, whole, last = lines[before:]
    assert (glued, empty, whole, end) == (half + again, b"", b'{"other":1}', b"")
    assert json.loads(again).get("prev") == (digest(lines[before - 1]) if before else None)
    assert json.loads(last)["prev"] == digest(again)


VAULT = "0" * 32
OWN = b'{"a":1,"vault":"' + VAULT.encode() + b'"}'
OTHER = OWN.replace(b"0", b"1")


@pytest.mark.parametrize(
    ("content", "last", "is_torn"),
    [
        (b"", None, False),
        (b"\n\n", None, False),
        (b'{"half":', None, True),
        (OWN + b"\n\n\n", OWN, False),
        (OWN + b'\n{"half":' + OWN + b'\n\n{"half":', OWN, True),
        (b'{"half":' + OWN + b"\n", None, False),
        (OWN + b"\n" + OTHER + b"\n", OWN, False),
        (OWN + b"\n" + b"y" * 200_000 + b"\n" + b"x" * 100_000 + b"\n", OWN, False),
        (OWN + b"\n" + b"x\n" * 4_000_000 + b"y" * 8_000_000, OWN, True),
        (OWN[8:] + b"\n" * 10_000_000, None, False),
    ],
    ids=range(10),
)
def test_the_last_line_is_the_vaults_and_not_torn(
    tmp_path: Path, content: bytes, last: bytes | None, *, is_torn: bool
) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(content)
    with path.open("rb") as log:
        assert read_tail(log.fileno(), str(path), VAULT) == (last, is_torn)
