"""The redactor, held to the worked cases that the launcher's is held to."""

from __future__ import annotations

import base64
import itertools
import json
import os
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from repository import VECTORS
from vectors import read_primitives

from vault_run import Secret
from vault_run.redact.automaton import Automaton
from vault_run.redact.spellings import spellings_of
from vault_run.redacting import Redactor

CASES: list[dict[str, Any]] = json.loads((VECTORS / "redaction.json").read_text())["cases"]
MASKS = re.compile(rb"(\[REDACTED:s/\d+\])+")


def content_of(case: dict[str, Any], text: str) -> bytes:
    return text.encode(case.get("encoding", "utf-8"))


def redactor_of(case: dict[str, Any]) -> Redactor:
    return Redactor(Secret(f"s/{at}", content_of(case, text)) for at, text in enumerate(case["secrets"]))


def readable(output: bytes) -> bytes:
    return MASKS.sub(b"[R]", output)


def run(redactor: Redactor, chunks: list[bytes]) -> bytes:
    stream = redactor.stream()
    return readable(b"".join([*(stream.write(chunk) for chunk in chunks), stream.end()]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_worked_case(case: dict[str, Any]) -> None:
    stream = redactor_of(case).stream()
    steps = [
        stream.idle() if isinstance(chunk, dict) else stream.write(content_of(case, chunk)) for chunk in case["chunks"]
    ]
    assert readable(b"".join([*steps, stream.end()])) == content_of(case, case["want"])
    if "steps" in case:
        assert [readable(step) for step in steps] == [content_of(case, step) for step in case["steps"]]


def test_a_key_whose_lines_end_in_cr_alone_is_no_line_that_is_public() -> None:
    first, second = (f"-----BEGIN KEY-----\rMIIEvQIBADANBgkqhkiG9w0B{at}\r-----END KEY-----" for at in "AB")
    redactor = Redactor([Secret("s/0", f"{first}\n{second}".encode())])
    assert redactor.redact(first.encode()) == b"[REDACTED:s/0]"


@pytest.mark.parametrize("case", [case for case in CASES if case.get("everySplit")], ids=lambda case: case["name"])
def test_however_it_is_cut(case: dict[str, Any]) -> None:
    redactor = redactor_of(case)
    content = b"".join(content_of(case, chunk) for chunk in case["chunks"])
    want = content_of(case, case["want"])
    assert run(redactor, [bytes([byte]) for byte in content]) == want
    places = range(len(content)) if len(content) < 1000 else range(0, len(content), len(content) // 7)
    for at in places:
        assert run(redactor, [content[:at], content[at:]]) == want


@pytest.mark.parametrize("known", read_primitives()["spellings"], ids=lambda known: known["value"][:12])
def test_values_are_looked_for_in_the_spellings_that_are_written_down(known: dict[str, Any]) -> None:
    found = spellings_of(base64.b64decode(known["value"]))
    assert {base64.b64encode(content).decode(): encoding for content, encoding in found.items()} == known["spellings"]


SEQUENCE = rb"\x1b\[[ -?]*[@-~]|\x1b[ -/]+[0-~]|[\x0e\x0f]"


def redact_slowly(content: bytes, needles: list[bytes]) -> bytes:
    """The slow way: look for every needle at every place of the text, as it stands and without CR and sequences."""
    covered = bytearray(len(content) + 1)
    sequences: dict[int, bytes] = {}
    for skipped in (rb"(?!)", rb"\r|" + SEQUENCE):
        dropped = {at for found in re.finditer(skipped, content) for at in range(*found.span())}
        places = [at for at in range(len(content)) if at not in dropped]
        reading = bytes(content[at] for at in places)
        for needle in needles:
            at = reading.find(needle)
            while at != -1:
                start, end = places[at], places[at + len(needle) - 1] + 1
                covered[start:end] = b"\1" * (end - start)
                sequences |= {start + it.start(): it[0] for it in re.finditer(SEQUENCE, content[start:end])}
                at = reading.find(needle, at + 1)
    output = b""
    for at, byte in enumerate(content):
        if not covered[at]:
            output += bytes([byte])
        elif at == 0 or not covered[at - 1]:
            output += b"[R]"
        output += sequences.get(at, b"") if covered[at] else b""
    return output


def test_random_streams_come_out_as_the_slow_way_says_however_they_are_cut() -> None:
    chance = random.Random(20261128)
    pieces = ["a", "b", "ab", "ba", "aab", "\r", "\x1b[1m", "\x1b[\0", "\x1b(B", "\x0f", "\n", "c"]
    for _ in range(3000):
        values = ["".join(chance.choices("ab", k=chance.randint(6, 9))) for _ in range(chance.randint(1, 3))]
        redactor = Redactor(Secret(f"s/{at}", value.encode()) for at, value in enumerate(values))
        words = chance.choices([*pieces, *values], k=chance.randint(1, 30))
        # What a stream ends in may be a beginning of a value, of which much is masked.
        content = "".join(words).encode() + b"."
        stream = redactor.stream()
        output = b""
        at = 0
        while at < len(content):
            size = chance.randint(1, 12)
            output += stream.write(content[at : at + size])
            at += size
        output += stream.end()
        needles = [needle for value in values for needle in spellings_of(value.encode())]
        assert readable(output) == redact_slowly(content, needles), (values, content)


def test_what_idle_shows_of_a_value_is_four_bytes_however_often_it_is_asked() -> None:
    stream = Redactor([Secret("s/0", b"correct-zebra7")]).stream()
    output = b"".join(step for byte in b"correct-zebra" for step in (stream.write(bytes([byte])), stream.idle()))
    assert output == b"corr"
    assert stream.write(b"7!") == b"[REDACTED:s/0]!"


def test_counts_what_was_masked_and_names_what_is_too_short() -> None:
    redactor = Redactor(
        [Secret("a/ONE", b"correct-zebra7"), Secret("a/SHORT", b"abc"), Secret("b/TWO", b"correct-zebra7")]
    )
    assert redactor.too_short == ("a/SHORT",)
    assert (
        redactor.redact_text("x correct-zebra7 y 636f72726563742d7a6562726137")
        == "x [REDACTED:a/ONE] y [REDACTED:a/ONE]"
    )
    assert [tuple(count) for count in redactor.counts()] == [("a/ONE", "raw", 1), ("a/ONE", "hex", 1)]
    assert "zebra" not in repr(redactor)


def test_takes_a_large_value() -> None:
    value = random.Random(1).randbytes(64 * 1024)
    redactor = Redactor([Secret("s/0", value)])
    assert redactor.redact(b"<" + value + b">") == b"<[REDACTED:s/0]>"


def test_masks_the_strings_of_a_large_document_in_other_spacing_and_by_lines() -> None:
    line = "MIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAw"
    key = f"-----BEGIN KEY-----\n{line}\nAbCdEfGhIj==\n-----END KEY-----\n"
    value = json.dumps({"key": key, "name": 'größe "Qx8v"', "rest": "x" * 5000}, separators=(",", ":"))
    redactor = Redactor([Secret("s/0", value.encode())])
    assert redactor.redact_text(json.dumps({"key": key}, indent=2)) == '{\n  "key": "[REDACTED:s/0]\\n"\n}'
    assert redactor.redact_text('"gr\\u00f6\\u00dfe \\"Qx8v\\""') == '"[REDACTED:s/0]"'
    assert redactor.redact_text(f"  | {line}\n  | AbCdEfGhIj==\n") == "  | [REDACTED:s/0]\n  | [REDACTED:s/0]\n"


@pytest.mark.parametrize("text", ["a\udcffb", "a\ud800b", "\udced\udca0\udc80", "\udcc3\udca9"])
def test_a_text_without_a_value_stays_as_it_is_whatever_it_holds(text: str) -> None:
    assert Redactor([Secret("s/0", b"correct-zebra7")]).redact_text(text) == text


def test_what_stands_for_bytes_in_a_text_is_looked_at_as_these_bytes() -> None:
    value = b"\xff\xfe-zebra7"
    redactor = Redactor([Secret("s/0", value)])
    assert redactor.redact_text(f"\udcff {os.fsdecode(value)} \udcfe") == "\udcff [REDACTED:s/0] \udcfe"


def test_threads_may_share_a_redactor_from_its_first_use_on() -> None:
    """Wherever one thread is interrupted while it makes links, another sees all values."""
    inner, outer, text = b"rrect-ze", b"correct-zebra7", "correct-ze-"
    seen: set[str] = set()

    def interrupt(redactor: Redactor, at: int) -> bool:
        lines = itertools.count()

        def trace(frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
            if frame.f_code is not Automaton._link.__code__:
                return None
            if event == "line" and next(lines) == at:
                seen.add(redactor.redact_text(text))
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            redactor.redact_text(text)
        finally:
            sys.settrace(before)
        return next(lines) > at

    tries = itertools.count()
    while interrupt(Redactor([Secret("s/0", inner), Secret("s/1", outer)]), next(tries)):
        pass
    assert next(tries) > 50
    assert seen == {"co[REDACTED:s/0]-"}


def test_what_is_interrupted_shows_no_value_afterwards() -> None:
    """A signal's handler may raise anywhere: the stream has lost its place then, and begins anew."""

    redactor = Redactor([Secret("s/0", b"correct-zebra7")])

    def write(at: int) -> bytes:
        stream = redactor.stream()
        lines = itertools.count()

        def trace(frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
            if Path(frame.f_code.co_filename).parent.name != "redact":
                return None
            if event == "line" and next(lines) == at:
                raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            output = stream.write(b"\x1b[1mcorrect\r-zebra7 corr") + stream.idle()
        except KeyboardInterrupt:
            sys.settrace(before)
            output = b"stopped"
            rest = b"".join(stream.write(b"and go on, on and on ") for _ in range(4)) + stream.end()
            assert rest.removeprefix(b"corr") == b"and go on, on and on " * 4
        finally:
            sys.settrace(before)
        return output

    tries = itertools.count()
    while write(next(tries)) == b"stopped":
        pass
    assert next(tries) > 300


def test_what_is_not_bytes_is_refused_and_nothing_is_forgotten() -> None:
    stream = Redactor([Secret("s/0", b"correct-zebra7")]).stream()
    assert stream.write(memoryview(b"correct-")) == b""
    with pytest.raises(TypeError):
        stream.write("zebra7")  # type: ignore[arg-type]
    assert stream.write(b"zebra7") == b"[REDACTED:s/0]"


def test_colours_end_in_a_character_set_where_curses_writes_them() -> None:
    redactor = Redactor([Secret("s/0", b"correct-zebra7")])
    content = b"corr\x1b(B\x1b[mect\x1b#8-\x1b[m\x0fzebra7\x0e\n"
    assert redactor.redact(content) == b"[REDACTED:s/0]\x1b(B\x1b[m\x1b#8\x1b[m\x0f\x0e\n"


def test_a_colour_inside_one_value_and_before_another_is_passed_on() -> None:
    redactor = Redactor([Secret("s/0", b"zebra7-dance"), Secret("s/1", b"correct-zebra7-dance!")])
    assert redactor.redact(b"cor\x1b[1mrect-zebra7-dance!\n") == b"[REDACTED:s/1]\x1b[1m\n"
    assert redactor.redact(b"cor\x1b[1mrect-zebra7-dance?\n") == b"cor\x1b[1mrect-[REDACTED:s/0]?\n"
