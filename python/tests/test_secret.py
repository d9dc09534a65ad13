"""What looks at objects sees no value: promise 10, for what happens around a program."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
import string
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from vectors import VectorMachine, vault_of

from vault_run import Environment, Secret, Vault, VaultError
from vault_run.identity import Identity
from vault_run.machine import this_machine
from vault_run.payload import open_secret
from vault_run.redact.redactor import Redactor

VALUE = "sk_live_51Habcdefghij"
REF = "stripe/API_KEY"
SECRET = Secret(REF, VALUE.encode())
MASK = f"[REDACTED:{REF}]"


def test_the_ways_out_give_the_value() -> None:
    assert SECRET.reveal() == VALUE
    assert SECRET.bytes() == VALUE.encode()
    assert SECRET.is_text()
    binary = Secret("a/B", b"\xff\x00")
    assert binary.bytes() == b"\xff\x00"
    assert not binary.is_text()
    with pytest.raises(TypeError, match="a/B is not UTF-8 text"):
        binary.reveal()


@pytest.mark.parametrize(
    "shown",
    [
        str(SECRET),
        repr(SECRET),
        f"{SECRET}",
        f"{SECRET!r:>40}",
        f"{SECRET:>40}",
        "%s %r" % (SECRET, SECRET),  # noqa: UP031
        string.Template("$s").substitute(s=SECRET),
        str([SECRET]),
        str({"key": SECRET}),
        pprint.pformat({"key": [SECRET]}),
        json.dumps({"key": SECRET}, default=str),
        json.dumps({"key": SECRET}, default=repr),
        str(Environment({"API_KEY": SECRET})),
    ],
)
def test_printing_gives_the_mask(shown: str) -> None:
    assert MASK in shown
    assert VALUE not in shown


def test_nothing_to_take_it_out_by_accident() -> None:
    with pytest.raises(TypeError):
        json.dumps(SECRET)
    ways: list[Any] = [bytes, list, iter, len, int, float, "".join, b"".join]
    for take in ways:
        with pytest.raises(TypeError):
            take(SECRET)
    with pytest.raises(TypeError):
        VALUE + SECRET  # type: ignore[operator]
    assert not hasattr(SECRET, "__dict__")
    for name in dir(SECRET):
        assert VALUE not in repr(getattr(SECRET, name, None)), name


@pytest.mark.parametrize("held", [SECRET, Environment({"A": SECRET}), Identity("pq", b"i" * 32), [SECRET]])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_is_refused(held: object, protocol: int) -> None:
    with pytest.raises(TypeError, match="not pickled") as caught:
        pickle.dumps(held, protocol)
    assert VALUE not in str(caught.value)


def test_copies_are_the_secret_itself() -> None:
    assert copy.copy(SECRET) is SECRET
    assert copy.deepcopy({"key": SECRET})["key"] is SECRET


def test_disposing_overwrites_it() -> None:
    with Secret(REF, VALUE.encode()) as secret:
        held = secret._open()
        assert secret.reveal() == VALUE
    assert held == b""
    secret.dispose()


@pytest.mark.parametrize(
    "take",
    [
        Secret.bytes,
        Secret.reveal,
        Secret.is_text,
        lambda secret: Environment({"API_KEY": secret})["API_KEY"],
        # Otherwise nothing would be looked for, and the value that a program still holds would pass.
        lambda secret: Redactor([secret]),
    ],
)
def test_what_was_disposed_is_not_taken_for_an_empty_value(take: Callable[[Secret], object]) -> None:
    secret = Secret(REF, VALUE.encode())
    secret.dispose()
    with pytest.raises(ValueError, match=f"the value of {REF} was disposed"):
        take(secret)
    assert str(secret) == MASK


def test_loggers_write_the_mask(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("a-program")
    logger.warning("using %s and %r", SECRET, {"key": SECRET}, extra={"key": SECRET})
    assert MASK in caplog.text
    assert VALUE not in caplog.text
    assert VALUE not in str(caplog.records[0].__dict__)


def captured(error: BaseException) -> str:
    """A report of an error with the local variables of all frames and of everything that led to it, as Sentry makes."""
    parts: list[str] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        seen = waiting.pop()
        if seen is None:
            continue
        waiting += [seen.__cause__, seen.__context__]
        trace: TracebackType | None = seen.__traceback__
        parts += traceback.TracebackException.from_exception(seen, capture_locals=True).format()
        while trace is not None:
            parts += [f"{name}={value!r}" for name, value in trace.tb_frame.f_locals.items()]
            trace = trace.tb_next
    return "\n".join(parts)


@pytest.mark.parametrize("suite", ["classic", "pq"])
def test_no_error_brings_a_value_or_a_key_along(suite: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = vault_of(suite)
    machine = VectorMachine(home, vectors, monkeypatch)
    identities = [line for text in vectors["keys"].values() for line in text.split("\n") if line.startswith("AGE-")]
    refusals = 0
    for case in vectors["cases"]:
        step = case["steps"][0]
        if (
            len(case["steps"]) > 1
            or "code" not in step
            or step.keys() & {"agent", "key", "now", "owner"}
            or "pins" in case
        ):
            continue
        machine.lay_out(step.get("files", {}))
        report = captured(refusal_of(machine, step.get("get")))
        assert "in refusal_of" in report
        assert_silent(report, identities)
        refusals += 1
    assert refusals > 70


def refusal_of(machine: VectorMachine, ref: str | None) -> VaultError:
    """Raised and caught where no local variable holds anything."""
    try:
        with machine.open() as vault:
            if ref is None:
                vault.env()
            else:
                vault.get(ref)
    except VaultError as error:
        return error
    raise AssertionError("nothing was refused")


def test_no_frame_of_the_package_is_in_an_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong: here the opened value is handed to something that fails."""
    machine = VectorMachine(home, vault_of("pq"), monkeypatch)

    def interrupted(*args: Any) -> Any:
        opened = open_secret(*args)
        text = opened.reveal()
        raise KeyboardInterrupt(len(text))

    monkeypatch.setattr("vault_run.agent_session.open_secret", interrupted)
    vault = machine.open()
    with pytest.raises(KeyboardInterrupt) as caught:
        vault.get(REF)
    assert VALUE not in captured(caught.value)


def test_objects_around_a_key_show_nothing_of_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = vault_of("classic")
    machine = VectorMachine(home, vectors, monkeypatch)
    monkeypatch.setenv("VAULT_RUN_KEY", vectors["keys"]["crawler"])
    vault = Vault(path=str(machine.root))
    for shown in (repr(vault), repr(vault.__dict__), repr(this_machine()), repr(vault.env())):
        assert "AGE-SECRET" not in shown
        assert VALUE not in shown
    with pytest.raises(TypeError):
        pickle.dumps(vault)


def assert_silent(report: str, identities: list[str]) -> None:
    assert not any(identity in report for identity in identities)
    assert VALUE not in report
    assert "forged" not in report
    assert "correct horse" not in report
