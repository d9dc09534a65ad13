"""Masks secrets in what a program logs and prints.

    handler.addFilter(RedactingFilter([key]))
    sys.stdout = redacting_stream(sys.stdout, [key])

Filters belong on handlers: one on a logger is not asked for what its children log.
"""

from __future__ import annotations

import codecs
import io
import itertools
import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, TextIO, TypeVar, cast

from .redact.redactor import Count, Redactor
from .redact.stream import RedactedStream
from .secret import Secret

_T = TypeVar("_T")

__all__ = ["Count", "RedactedStream", "RedactingFilter", "Redactor", "redacting_stream"]

# What a record has by itself, and no value can be in.
_OWN = frozenset(logging.makeLogRecord({}).__dict__) - {"exc_text", "msg", "message", "name", "stack_info"}
_FORMATTER = logging.Formatter()
# Stands for what holds itself, or lies deeper than anyone reads.
_TOO_DEEP = "..."
_DEEPEST = 20
# Of lists and the like in one record that many items are looked at, however they lie within each other.
_MOST_ITEMS = 10_000
_UNPRINTABLE = "[unprintable]"


class RedactingFilter(logging.Filter):
    """A filter that passes every record, with secrets in its message, traceback and extra fields masked."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        super().__init__()
        self.redactor = Redactor(secrets)

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask what is in the record, for every handler that comes behind."""
        record.msg = self.redactor.redact_text(_message_of(record))
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = _traceback_of(record.exc_info)
        # What could be formatted again, with the locals of its frames even.
        record.exc_info = None
        fields = record.__dict__
        left = _Left(_MOST_ITEMS)
        # In the order in which they were given: which of them are cut is the same each time.
        for name in [name for name in fields if name not in _OWN]:
            fields[name] = self._masked(fields[name], left)
        return True

    def _masked(self, value: object, left: _Left, around: tuple[int, ...] = ()) -> object:
        if value is None or isinstance(value, (bool, float)):
            return value
        # What a filter raises, the caller of the log gets. What cannot be looked at does not pass.
        try:
            return self._looked_at(value, left, around)
        except Exception:
            return _UNPRINTABLE

    def _looked_at(self, value: object, left: _Left, around: tuple[int, ...]) -> object:
        if isinstance(value, str):
            return self.redactor.redact_text(value)
        if isinstance(value, dict) or type(value) in (list, tuple, set):
            if id(value) in around or len(around) >= _DEEPEST:
                return _TOO_DEEP
            inside = (*around, id(value))
            if isinstance(value, dict):
                pairs = left.of(value.items(), (_TOO_DEEP, _TOO_DEEP))
                return {self._masked(key, left, inside): self._masked(item, left, inside) for key, item in pairs}
            items = left.of(cast("Iterable[object]", value), _TOO_DEEP)
            return type(value)(self._masked(item, left, inside) for item in items)  # type: ignore[call-arg]
        # Of what else there is, what it would be printed as.
        for printed in (repr(value), str(value)):
            if self.redactor.redact_text(printed) != printed:
                return self.redactor.redact_text(printed)
        return value


class _Left:
    """How many items of a record may still be looked at."""

    def __init__(self, most: int) -> None:
        self._items = most

    def of(self, items: Iterable[_T], rest: _T) -> Iterator[_T]:
        """The items, as far as that goes; then what stands for the rest."""
        for item in items:
            if self._items <= 0:
                yield rest
                return
            self._items -= 1
            yield item


def _traceback_of(error: Any) -> str:
    # A record that a program has made may hold anything.
    try:
        return _FORMATTER.formatException(error)
    except Exception:
        return _UNPRINTABLE


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:
        # Its arguments do not fit. logging reports that where a handler formats; what a filter raises, the caller gets.
        try:
            return f"{record.msg} {record.args}"
        except Exception:
            return _UNPRINTABLE


def redacting_stream(stream: TextIO, secrets: Iterable[Secret]) -> io.TextIOWrapper:
    """A text stream that writes to another, masked. What ``flush`` shows of a partial match is four bytes.

    Threads may share it. It takes text in UTF-8, whatever the other stream makes of it.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    # Values are looked for in UTF-8: where that is not what is written in the end, text is what is passed on.
    is_utf8 = codecs.lookup(encoding).name == "utf-8"
    buffer = getattr(stream, "buffer", None) if is_utf8 else None
    # What it has not passed on yet comes first.
    stream.flush()
    return io.TextIOWrapper(
        _RedactingBuffer(stream, _TextSink(stream) if buffer is None else buffer, Redactor(secrets)),
        encoding="utf-8",
        errors=(getattr(stream, "errors", None) or "strict") if is_utf8 else "surrogateescape",
        newline="",
        write_through=True,
    )


class _RedactingBuffer(io.BufferedIOBase):
    name = "<redacted>"

    def __init__(self, other: TextIO, target: BinaryIO | _TextSink, redactor: Redactor) -> None:
        # Kept for what it holds: a text stream that nobody has any more closes its buffer.
        self._other = other
        self._target = target
        self._stream = redactor.stream()
        self.turns = threading.RLock()
        self._is_taken = False
        _buffers[next(_numbers)] = self

    def writable(self) -> bool:
        return True

    def write(self, chunk: object) -> int:
        content = bytes(memoryview(chunk))  # type: ignore[arg-type]
        self._in_turn(lambda: self._target.write(self._stream.write(content)))
        return len(content)

    def flush(self) -> None:
        if not self.closed:
            self._in_turn(lambda: self._target.write(self._stream.idle()))
            self._other.flush()

    def isatty(self) -> bool:
        return self._other.isatty()

    def close(self) -> None:
        """Write the rest. The other stream stays open: it is not ours."""
        if not self.closed:
            self._in_turn(lambda: self._target.write(self._stream.end()))
            self._other.flush()
            super().close()

    def _in_turn(self, act: Callable[[], object]) -> None:
        """One thread at a time. As of the streams of Python, what interrupts it cannot have a turn of its own."""
        with self.turns:
            if self._is_taken:
                raise RuntimeError("this thread is writing to the stream: what interrupts it cannot write meanwhile")
            try:
                self._is_taken = True
                act()
            finally:
                self._is_taken = False


class _TextSink:
    """Bytes for a text stream that has no buffer of bytes, or is not written in UTF-8."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def write(self, content: bytes) -> None:
        self._stream.write(self._decoder.decode(content))


_numbers = itertools.count()
_buffers: weakref.WeakValueDictionary[int, _RedactingBuffer] = weakref.WeakValueDictionary()
# Held while a process is forked, by the thread that does: what another has half written is no state to go on from.
_held: dict[int, list[threading.RLock]] = {}


def _before_fork() -> None:
    # The last made first: one stream may write to another, which was made before it.
    held = _held[threading.get_ident()] = [buffer.turns for _, buffer in sorted(_buffers.items(), reverse=True)]
    for turns in held:
        turns.acquire()


def _after_fork() -> None:
    for turns in _held.pop(threading.get_ident()):
        turns.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
