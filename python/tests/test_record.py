"""What is looked at of a record's file before it is parsed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vault_run.record import _MAX_COMMAS, MAX_RECORD_BYTES, find_excess

# What one pass takes a second for; what looks back over a string at each of its quotes takes hours.
CPU_SECONDS = 20


@pytest.mark.parametrize(
    ("content", "excess"),
    [
        (rb'{"a":"\"[[[[[[[["}', None),
        (rb'{"a":"\\\"[[[[[[[["}', None),
        (rb'{"a":"\\","b":[[[[[[[]]]]]]]}', "nested too deeply"),
        (rb'{"a":"\\\\","b":[[[[[[[]]]]]]]}', "nested too deeply"),
        (rb'{"a":[[[[["\""]]]]]}', None),
        (rb'{"a":[[[[[["\""]]]]]]}', "nested too deeply"),
        # A string without an end, and a backslash outside of any: the parser refuses both.
        (b'"[[[[[[[[', None),
        (rb"[[[[[[[\"]]]]]]]", "nested too deeply"),
    ],
)
def test_bounds_what_stands_outside_of_strings(content: bytes, excess: str | None) -> None:
    assert find_excess(content) == excess


def test_counts_what_stands_outside_of_strings() -> None:
    commas = b"," * (_MAX_COMMAS + 1)
    assert find_excess(commas) == "too many values"
    assert find_excess(commas[1:]) is None
    assert find_excess(b'"' + commas + rb"\"" + b'"') is None
    quotes = b'"' * (4 * (_MAX_COMMAS + 64) + 1)
    assert find_excess(quotes) == "too many values"
    assert find_excess(quotes[1:]) is None
    assert find_excess(b'"' + quotes.replace(b'"', rb"\"") + b'"') is None


def test_counts_as_many_as_it_is_told() -> None:
    assert find_excess(b'{"a":"[,,","b":1}', 1, 1) is None
    assert find_excess(b'{"a":1,"b":1,"c":1}', 1, 1) == "too many values"
    assert find_excess(b'{"a":[]}', 1, 1) == "nested too deeply"


@pytest.mark.parametrize("escapes", [r"\"", r"\\", r"\\\""])
def test_a_string_of_nothing_but_escapes_is_passed_over_once(escapes: str) -> None:
    program = f"""
import resource
from vault_run.record import decode_record
from vault_run.vault_error import VaultError
resource.setrlimit(resource.RLIMIT_CPU, ({CPU_SECONDS}, {CPU_SECONDS}))
escapes = {escapes!r}.encode()
try:
    decode_record("vault.json", b'{{"a":"' + escapes * (({MAX_RECORD_BYTES} - 8) // len(escapes)) + b'"}}')
except VaultError as error:
    print(error.code)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("record-invalid\n", "", 0)
