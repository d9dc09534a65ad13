"""Logging and streams, with values masked."""

from __future__ import annotations

import gc
import io
import itertools
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vault_run import Secret
from vault_run.redacting import RedactingFilter, redacting_stream

VALUE = "correct-zebra7"
SECRET = Secret("db/PASSWORD", VALUE.encode())
MASK = "[REDACTED:db/PASSWORD]"


class Password:
    """Something of a program's own that prints its value."""

    def __repr__(self) -> str:
        return f"Password({VALUE})"


@pytest.fixture
def logged() -> Iterator[tuple[logging.Logger, io.StringIO, list[logging.LogRecord]]]:
    """A logger with a redacting handler, what it wrote, and the records that it let through."""
    logger = logging.getLogger("redacted")
    logger.propagate = False
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    records: list[logging.LogRecord] = []
    handler.addFilter(RedactingFilter([SECRET]))

    def keep(record: logging.LogRecord) -> bool:
        records.append(record)
        return True

    handler.addFilter(keep)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s %(extra)s", defaults={"extra": "-"}))
    logger.addHandler(handler)
    yield logger, output, records
    logger.removeHandler(handler)


Logged = tuple[logging.Logger, io.StringIO, list[logging.LogRecord]]


def test_messages_arguments_and_extra_fields_are_masked(logged: Logged) -> None:
    logger, output, records = logged
    logger.error("a %s b %s", VALUE, {"k": VALUE}, extra={"extra": ["x", {"y": VALUE}, Password(), VALUE.encode()]})
    assert output.getvalue() == (
        f"ERROR a {MASK} b {{'k': '{MASK}'}} ['x', {{'y': '{MASK}'}}, 'Password({MASK})', \"b'{MASK}'\"]\n"
    )
    assert VALUE not in str(records[0].__dict__)


def test_encoded_values_are_masked(logged: Logged) -> None:
    logger, output, _ = logged
    logger.warning("hex %s", VALUE.encode().hex())
    assert output.getvalue() == f"WARNING hex {MASK} -\n"


def test_tracebacks_are_masked_and_leave_no_frames(logged: Logged) -> None:
    logger, output, records = logged
    try:
        raise ValueError(f"cannot log in with {VALUE}")
    except ValueError:
        logger.exception("failed", stack_info=True)
    assert f"ValueError: cannot log in with {MASK}" in output.getvalue()
    assert "Stack (most recent call last)" in output.getvalue()
    assert VALUE not in output.getvalue()
    assert records[0].exc_info is None


def test_a_format_that_does_not_fit_is_masked_and_no_failure(logged: Logged) -> None:
    logger, output, _ = logged
    unfit = "%d of %s"
    logger.warning(unfit, VALUE)
    assert output.getvalue() == f"WARNING %d of %s ('{MASK}',) -\n"


@pytest.mark.parametrize("error", [True, ValueError(VALUE), VALUE, (1, 2)])
def test_a_record_with_no_error_where_one_should_be_is_no_failure(logged: Logged, error: object) -> None:
    logger, output, _ = logged
    record = logging.makeLogRecord({"msg": "a", "levelno": logging.ERROR, "levelname": "ERROR", "exc_info": error})
    logger.handle(record)
    assert output.getvalue() == "ERROR a -\n[unprintable]\n"
    assert VALUE not in str(record.__dict__)


def test_what_holds_no_value_stays_as_it_is(logged: Logged) -> None:
    logger, output, records = logged
    thing = object()
    logger.warning("größe %d%%", 5, extra={"extra": thing})
    assert output.getvalue().startswith("WARNING größe 5% <object")
    assert records[0].__dict__["extra"] is thing


def test_a_text_stream_is_masked_across_writes() -> None:
    target = io.StringIO()
    stream = redacting_stream(target, [SECRET])
    stream.write("größe: correct")
    stream.write("-zeb")
    assert target.getvalue() == "größe: "
    stream.write("ra7\n")
    assert target.getvalue() == f"größe: {MASK}\n"
    print("in one", VALUE, "line", file=stream)
    stream.close()
    assert target.getvalue() == f"größe: {MASK}\nin one {MASK} line\n"


def test_flush_shows_a_prompt_and_no_more_than_four_bytes() -> None:
    target = io.StringIO()
    stream = redacting_stream(target, [SECRET])
    print("Go on? c", end="", flush=True, file=stream)
    assert target.getvalue() == "Go on? c"
    print("orrect", end="", flush=True, file=stream)
    stream.flush()
    assert target.getvalue() == "Go on? corr"
    print("-zebra7", end="", flush=True, file=stream)
    assert target.getvalue() == f"Go on? corr{MASK}"


def test_bytes_go_the_same_way(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with open(1, "w", encoding="utf-8", closefd=False) as stdout:
        stream = redacting_stream(stdout, [SECRET])
        stream.buffer.write(b"\xff" + VALUE.encode())
        stream.write("\n")
        stream.close()
        assert not stdout.closed
    assert capfdbinary.readouterr().out == b"\xff" + MASK.encode() + b"\n"


def test_stands_in_for_standard_output(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", redacting_stream(sys.stdout, [SECRET]))
    print(f"password={VALUE}")  # noqa: T201
    assert not sys.stdout.isatty()
    assert capsys.readouterr().out == f"password={MASK}\n"


def test_nothing_is_lost_when_the_program_ends() -> None:
    # Four bytes are shown because Python flushes first.
    script = f"""
import sys
from vault_run import Secret
from vault_run.redacting import redacting_stream
sys.stdout = redacting_stream(sys.stdout, [Secret("db/PASSWORD", {VALUE.encode()!r})])
print("a line")
print("pw correct-", end="")
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == (f"a line\npw corr{MASK}", "")


def test_a_field_that_holds_itself_or_cannot_be_printed_neither_raises_nor_passes_a_value() -> None:
    class Unprintable:
        def __repr__(self) -> str:
            raise RuntimeError("hunter2-super-secret")

    ring: dict[str, object] = {"k": "hunter2-super-secret"}
    ring["self"] = ring
    deep: list[object] = ["hunter2-super-secret"]
    for _ in range(5000):
        deep = [deep]
    record = logging.makeLogRecord(
        {"msg": "%s", "args": (Unprintable(),), "ring": ring, "deep": deep, "bad": Unprintable()}
    )
    assert RedactingFilter([Secret("g/TOKEN", b"hunter2-super-secret")]).filter(record)
    fields = record.__dict__
    assert fields["ring"] == {"k": "[REDACTED:g/TOKEN]", "self": "..."}
    assert fields["bad"] == "[unprintable]"
    assert record.getMessage() == "[unprintable]"
    assert "hunter2" not in repr(fields)


def test_of_a_field_that_holds_very_much_the_first_part_is_kept_masked() -> None:
    looked_at: list[int] = []

    class Endless(dict[str, object]):
        def items(self) -> Any:
            for number in itertools.count():
                looked_at.append(number)
                yield str(number), VALUE

    shared: list[object] = [VALUE]
    for _ in range(19):
        shared = [shared] * 10
    many = [VALUE] * 1_000_000
    fields = {"many": many, "shared": shared, "endless": Endless(), "last": VALUE, "set": set(range(20_000))}
    record = logging.makeLogRecord({"msg": "m", **fields})
    assert RedactingFilter([SECRET]).filter(record)
    kept = record.__dict__
    assert kept["many"][0] == MASK
    assert kept["many"][-1] == "..."
    assert kept["endless"]["..."] == "..."
    assert "..." in kept["set"]
    assert all(len(kept[name]) <= 10_001 for name in ("many", "set", "endless"))
    assert len(looked_at) <= 10_001
    assert kept["last"] == MASK
    assert len(many) == 1_000_000


def test_the_fields_of_one_record_are_bounded_together() -> None:
    record = logging.makeLogRecord({"msg": "m", **{f"field{number}": [VALUE] * 5_000 for number in range(40)}})
    assert RedactingFilter([SECRET]).filter(record)
    kept = [item for name, items in record.__dict__.items() if name.startswith("field") for item in items]
    assert set(kept) == {MASK, "..."}
    assert kept.count(MASK) <= 10_000


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp500", "utf-8-sig", "ascii"])
def test_values_are_found_whatever_a_stream_is_written_in(encoding: str) -> None:
    value = "cörrect-zebra7" if encoding != "ascii" else VALUE
    written = io.BytesIO()
    target = io.TextIOWrapper(written, encoding=encoding, errors="backslashreplace", write_through=True)
    stream = redacting_stream(target, [Secret("db/PASSWORD", value.encode())])
    print("pw", value, "fin \u20ac", file=stream)
    stream.close()
    expected = f"pw {MASK} fin \u20ac\n".encode(encoding, "backslashreplace").decode(encoding)
    assert written.getvalue().decode(encoding) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_what_a_stream_has_not_passed_on_yet_comes_first(encoding: str) -> None:
    written = io.BytesIO()
    target = io.TextIOWrapper(io.BufferedWriter(written), encoding=encoding)
    target.write("before\n")
    stream = redacting_stream(target, [SECRET])
    print("behind", file=stream)
    stream.close()
    assert written.getvalue() == b"before\nbehind\n"


def test_threads_may_share_a_stream(short_turns: None) -> None:
    target = io.StringIO()
    stream = redacting_stream(target, [SECRET])

    def write(thread: int) -> None:
        for line in range(100):
            stream.write(f"{thread} {line} correct-zeb {VALUE}\n")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stream.close()
    expected = [f"{thread} {line} correct-zeb {MASK}" for thread in range(4) for line in range(100)]
    assert sorted(target.getvalue().splitlines()) == sorted(expected)


@pytest.fixture
def short_turns() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_what_interrupts_a_write_cannot_write_meanwhile() -> None:
    class Target(io.StringIO):
        def write(self, text: str) -> int:
            with pytest.raises(RuntimeError, match="what interrupts it"):
                stream.buffer.write(b"in between")
            return super().write(text)

    target = Target()
    stream = redacting_stream(target, [SECRET])
    print(VALUE, file=stream)
    stream.close()
    assert target.getvalue() == f"{MASK}\n"


def test_a_process_that_is_forked_while_threads_write_can_write(tmp_path: Path) -> None:
    script = f"""
import os, signal, sys, threading
from vault_run import Secret
from vault_run.redacting import redacting_stream
sys.setswitchinterval(1e-5)
target = open(sys.argv[1], "a")
stream = redacting_stream(redacting_stream(target, []), [Secret("db/PASSWORD", {VALUE.encode()!r})])
is_over = threading.Event()
def write():
    while not is_over.is_set():
        stream.write("a line with {VALUE} in it\\n" * 20)
threads = [threading.Thread(target=write, daemon=True) for _ in range(2)]
for thread in threads: thread.start()
for _ in range(10):
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        stream.write("the child has {VALUE}\\n")
        stream.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
is_over.set()
"""
    written = tmp_path / "written"
    subprocess.run([sys.executable, "-c", script, written], check=True)
    lines = set(written.read_text().splitlines())
    assert f"the child has {MASK}" in lines
    assert VALUE not in "".join(lines)


def test_the_other_stream_may_be_held_by_nobody_else(tmp_path: Path) -> None:
    written = tmp_path / "written"
    stream = redacting_stream(written.open("w", encoding="utf-8"), [])
    stream = redacting_stream(stream, [SECRET])
    gc.collect()
    print(VALUE, end="", flush=True, file=stream)
    assert written.read_text() == MASK
