"""Inputs that others would write, and any bytes: only a reader's named errors may leave it.

``FUZZ_EXAMPLES`` says how many of each; without it a few, the same ones in every run.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vectors import read_vaults

from vault_run.age_file import DamagedAgeFile, OpeningKeys, keys_of, open_age_file
from vault_run.audit_receiver import find_receiver
from vault_run.bech32 import decode_bech32
from vault_run.head import find_head_commit, has_change_under_way
from vault_run.identity import parse_identity
from vault_run.key_file import parse_key_file
from vault_run.lock import LockSelf, hold_lock
from vault_run.log_files import read_tail
from vault_run.machine import Machine
from vault_run.moment import is_timestamp, timestamp
from vault_run.names import has_controls, parse_secret_ref
from vault_run.payload import open_grant, open_secret
from vault_run.pins import Pins
from vault_run.record import decode_record
from vault_run.redacting import RedactingFilter, Redactor
from vault_run.schema import GrantRecord, SecretRecord
from vault_run.secret import Secret
from vault_run.vault_error import VaultError

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
fuzzed = settings(
    max_examples=int(EXAMPLES or 100),
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

VAULTS = read_vaults()
RECORDS = [
    (path, content.encode())
    for vectors in VAULTS
    for path, content in vectors["files"].items()
    if path.endswith(".json") and "LARGE" not in path
]
KEY_FILES = [text.encode() for vectors in VAULTS for text in vectors["keys"].values()]
AGENTS = [keys_of(parse_key_file(vectors["keys"]["crawler"], "a test").identity) for vectors in VAULTS]
PIECES = [
    b"",
    b"\0",
    b"\n",
    b"\r\n",
    b'"',
    b"{",
    b"[",
    b",",
    b"\\",
    b"\xff",
    b"1e400",
    b"-> X25519 ",
    b"---",
    b"AA==",
    b"\xc2\x9b",
]


@st.composite
def near(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """One of them with a few of its bytes changed, cut out, doubled, or taken from another."""
    content = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.sampled_from([0, 1, 2, 8, 64, 1024])))
        other = draw(st.sampled_from(originals))
        at = draw(st.integers(0, len(other)))
        piece = draw(st.sampled_from([*PIECES, other[at : at + 40], content[start:end] * 2]) | st.binary(max_size=4))
        content = content[:start] + piece + content[end:]
    return content


def refused(read: Callable[[], object], error_type: type[Exception] = VaultError) -> Exception | None:
    """What a reader refuses with; anything else than such an error fails the test."""
    try:
        read()
    except error_type as error:
        shown = [str(error), getattr(error, "hint", "")]
        assert not any(has_controls(text) for text in shown)
        return error
    return None


@fuzzed
@given(st.sampled_from([path for path, _ in RECORDS]), near([content for _, content in RECORDS]) | st.binary())
def test_a_record(path: str, content: bytes) -> None:
    refused(lambda: decode_record(path, content))


@fuzzed
@given(near(KEY_FILES) | st.binary())
def test_a_key_file(content: bytes) -> None:
    refused(lambda: parse_key_file(content.decode("utf-8", "replace"), "a test"))


SEALED = [
    base64.b64decode(str(dict(decode_record(path, content))["sealed"]))
    for path, content in RECORDS
    if b'"sealed"' in content
]


@fuzzed
@given(st.sampled_from(AGENTS), near(SEALED) | st.binary())
def test_an_age_file(keys: OpeningKeys, content: bytes) -> None:
    refused(lambda: open_age_file(content, keys), DamagedAgeFile)


@fuzzed
@given(st.sampled_from(AGENTS), st.sampled_from(RECORDS), near(SEALED))
def test_what_is_sealed(keys: OpeningKeys, record: tuple[str, bytes], sealed: bytes) -> None:
    decoded = decode_record(*record)
    text = base64.b64encode(sealed).decode()
    if decoded["type"] == "secret":
        secret = cast(SecretRecord, {**decoded, "sealed": text})
        refused(lambda: open_secret(secret, keys))
    elif decoded["type"] == "grant":
        grant = cast(GrantRecord, {**decoded, "sealed": text})
        refused(lambda: open_grant(grant, keys))


PINS = [
    b'{"records":{"vault.json":{"serial":1,"digest":"' + b"a" * 64 + b'"}},"owners":["' + b"A" * 43 + b'="]}\n',
    b'{"records":{}}',
]


@fuzzed
@given(near(PINS) | st.binary())
def test_a_file_of_pins(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    state = tmp_path_factory.mktemp("state")
    (state / "pins").mkdir()
    (state / "pins/vault.json").write_bytes(content)
    refused(lambda: Pins(str(state)).find_owners())


ENDING = b'"vault":"' + b"0" * 32 + b'"}'
OWN = b'{"a":1,' + ENDING
LINES = [
    OWN + b"\n{" + ENDING + b"\n",
    OWN + b"\n\n{}\n" + OWN + b"\n\n",
    OWN + b'\n{"torn' + OWN + b"\n",
    OWN + b"\n" + b"x" * 9000 + b"\n" + b"y" * 9000,
]


def is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


@fuzzed
@given(near(LINES))
def test_the_end_of_a_log(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = Path(tmp_path_factory.mktemp("log")) / "audit.jsonl"
    path.write_bytes(content)
    fd = os.open(path, os.O_RDONLY)
    try:
        tail = read_tail(fd, str(path), "0" * 32)
    finally:
        os.close(fd)
    whole = content.rpartition(b"\n")[0]
    lines = [line for line in whole.split(b"\n") if line.endswith(ENDING) and is_json(line)]
    assert tail.last == (lines[-1] if lines else None)
    assert tail.is_torn == (content != b"" and not content.endswith(b"\n"))


HOLDER = {"pid": 1, "host": "other", "doing": "set", "started": "1", "space": "pid:[1]", "token": "0" * 32}
LOCKS = [json.dumps(HOLDER).encode(), json.dumps({**HOLDER, "pid": 4194304, "host": "test"}).encode()]


@fuzzed
@given(near(LOCKS) | st.binary())
def test_a_lock(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = Path(tmp_path_factory.mktemp("lock")) / "lock"
    path.write_bytes(content)

    def take() -> None:
        with hold_lock(str(path), LockSelf(os.getpid(), "test", "fuzz"), 0, 60, lambda: False):
            pass

    refused(take)


COMMIT = "5" * 40
HEADS = [b"ref: refs/heads/main\n", f"{COMMIT} refs/heads/main\n".encode(), f"{COMMIT}\n".encode(), b"gitdir: .git\n"]


@fuzzed
@given(near(HEADS) | st.binary(), near(HEADS) | st.binary(), st.booleans())
def test_a_repository(
    tmp_path_factory: pytest.TempPathFactory,
    head: bytes,
    packed: bytes,
    is_linked: bool,
) -> None:
    top = Path(tmp_path_factory.mktemp("work"))
    git = top / ("apart" if is_linked else ".git")
    git.mkdir()
    (git / "HEAD").write_bytes(head)
    (git / "packed-refs").write_bytes(packed)
    (git / "commondir").write_bytes(packed[:20])
    if is_linked:
        (top / ".git").write_bytes(b"gitdir: " + head[:40] if len(head) % 2 else b"gitdir: apart\n")
    commit = find_head_commit(str(top))
    assert commit is None or re.fullmatch("[0-9a-f]{40}(?:[0-9a-f]{24})?", commit)
    has_change_under_way(str(top))


@fuzzed
@given(st.sampled_from(["fd:3", "fd:99999", "syslog", "journald"]) | st.text(max_size=12))
def test_where_lines_go(where: str) -> None:
    refused(lambda: find_receiver(cast(Machine, Named(where))))


class Named:
    """A machine that knows one variable."""

    def __init__(self, where: str) -> None:
        self._where = where

    def find_variable(self, _: str) -> str:
        return self._where


VALUE = "correct horse battery staple"
SECRET = Secret("group/NAME", VALUE.encode())
PRINTED = [
    f"it is {VALUE}, {VALUE[:9]}{VALUE}".encode(),
    base64.b64encode(VALUE.encode()),
    VALUE.encode().hex().encode(),
]


@fuzzed
@given(near(PRINTED) | st.binary(), st.integers(1, 20))
def test_what_a_program_prints(content: bytes, length: int) -> None:
    redactor = Redactor([SECRET])
    stream = redactor.stream()
    pieces = [stream.write(content[at : at + length]) for at in range(0, len(content), length)]
    masked = b"".join(pieces) + stream.end()
    assert masked == redactor.redact(content)
    assert VALUE.encode() not in masked


EXTRA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.just(VALUE)
    | st.just(SECRET),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just(VALUE), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


@fuzzed
@given(st.text() | st.just("%s") | st.just(VALUE), st.lists(EXTRA, max_size=3), EXTRA)
def test_what_a_program_logs(message: str, args: list[object], extra: object) -> None:
    record = logging.LogRecord("test", logging.INFO, "test.py", 1, message, tuple(args), None)
    record.__dict__["extra"] = extra
    assert RedactingFilter([SECRET]).filter(record)
    assert VALUE not in record.getMessage()
    assert VALUE not in repr(record.__dict__["extra"])


@fuzzed
@given(st.text() | near(KEY_FILES).map(lambda content: content.decode("utf-8", "replace")))
def test_single_texts(text: str) -> None:
    refused(lambda: parse_secret_ref(text))
    parse_identity(text)
    is_timestamp(text)
    decode_bech32(text, "age", 32)


@fuzzed
@given(st.integers(0, 253402300799999))
def test_a_time_is_read_as_it_is_written(milliseconds: int) -> None:
    assert is_timestamp(timestamp(milliseconds))
