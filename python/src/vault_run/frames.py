"""Errors without the frames they passed through.

A report of a crash that shows the local variables of every frame (Sentry does, ``traceback`` can) would show a value
that was just opened, or a key that was just read. What leaves the package brings no frame of it along.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def without_frames(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Wrap what is called from outside: an error leaves it without frames, causes or contexts from inside."""

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            error.__cause__ = error.__context__ = None
            raise error.with_traceback(None) from None

    return call
