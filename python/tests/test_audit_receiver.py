"""The audit log's lines in another place than its file."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from vectors import VectorMachine, vault_of

from vault_run import VaultError
from vault_run.encoding import digest

REF = "stripe/API_KEY"


@pytest.fixture
def machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> VectorMachine:
    return VectorMachine(home, vault_of("classic"), monkeypatch)


def code_of(attempt: Callable[[], object]) -> str:
    with pytest.raises(VaultError) as caught:
        attempt()
    return caught.value.code


def test_lines_go_to_a_descriptor_chained_and_to_no_file(
    machine: VectorMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    monkeypatch.setenv("VAULT_RUN_AUDIT_TO", f"fd:{writing}")
    vault = machine.open()
    vault.get(REF)
    vault.get(REF)
    assert code_of(lambda: vault.get("twin/API_KEY")) == "not-granted"
    first, second, third, end = os.read(reading, 65536).split(b"\n")
    assert end == b""
    assert "prev" not in json.loads(first)
    assert json.loads(second)["prev"] == digest(first)
    assert json.loads(third)["action"] == "denied"
    assert not (machine.state / "audit.jsonl").exists()


def test_lines_are_whole_on_a_standard_stream_that_the_program_writes_to(
    machine: VectorMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    stderr = os.dup(2)
    os.dup2(writing, 2)
    try:
        monkeypatch.setenv("VAULT_RUN_AUDIT_TO", "fd:2")
        vault = machine.open()
        vault.get(REF)
        os.write(2, b"half a line")
        vault.get(REF)
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
    first, between, second, end = os.read(reading, 65536).split(b"\n")
    assert (between, end) == (b"half a line", b"")
    assert json.loads(second)["prev"] == digest(first)


def test_half_a_line_that_a_file_ends_in_is_ended(
    machine: VectorMachine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "lines").write_bytes(b'{"half":')
    fd = os.open(tmp_path / "lines", os.O_WRONLY | os.O_APPEND)
    monkeypatch.setenv("VAULT_RUN_AUDIT_TO", f"fd:{fd}")
    machine.open().get(REF)
    machine.open().get(REF)
    os.close(fd)
    half, first, second, end = (tmp_path / "lines").read_bytes().split(b"\n")
    assert (half, end) == (b'{"half":', b"")
    assert json.loads(first)["id"] != json.loads(second)["id"]


def test_what_keeps_no_line_means_no_value(machine: VectorMachine, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Promise 11."""
    vault_at = machine.open

    def refused(where: str) -> str:
        monkeypatch.setenv("VAULT_RUN_AUDIT_TO", where)
        return code_of(lambda: vault_at().get(REF))

    with open(os.devnull, "wb") as nothing, open(home / "plain", "wb") as plain, open("/dev/full", "wb") as full:
        for file in (nothing, plain, full):
            assert refused(f"fd:{file.fileno()}") == "audit"
    assert refused("fd:9999") == "audit"
    for word in ("", "file", "fd:", "fd:0", "fd:03"):
        assert refused(word) == "usage"


@pytest.mark.parametrize(("where", "begins"), [("syslog", b"<85>"), ("journald", b"MESSAGE={")])
def test_lines_go_to_the_systems_logs(
    machine: VectorMachine, home: Path, monkeypatch: pytest.MonkeyPatch, where: str, begins: bytes
) -> None:
    path = str(home / "socket")
    monkeypatch.setattr("vault_run.audit_receiver._SYSLOG_SOCKET", path)
    monkeypatch.setattr("vault_run.audit_receiver._JOURNAL_SOCKET", path)
    monkeypatch.setenv("VAULT_RUN_AUDIT_TO", where)
    assert code_of(lambda: machine.open().get(REF)) == "audit"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        machine.open().get(REF)
        message = receiver.recv(65536)
    assert message.startswith(begins)
    line = message[message.index(b"{") :].split(b"\n")[0]
    assert json.loads(line)["action"] == "sdk"


def test_a_container_without_a_disk_warns_of_pins_alone(
    machine: VectorMachine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def read_only(path: str, *_: object) -> None:
        raise OSError(30, "read-only", path)

    reading, writing = os.pipe()
    monkeypatch.setattr("vault_run.write_file.os.mkdir", read_only)
    assert code_of(lambda: machine.open().get(REF)) == "disk"
    monkeypatch.setenv("VAULT_RUN_AUDIT_TO", f"fd:{writing}")
    machine.open().get(REF)
    assert json.loads(os.read(reading, 65536))["action"] == "sdk"
    assert "cannot make the folder (EROFS)" in caplog.text
