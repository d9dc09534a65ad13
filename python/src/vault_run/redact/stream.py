"""Writes one stream with its matches masked.

Every match that is still to come starts where the earliest partial match starts, or behind it. So all before that place
is decided and is written, and a union of matches that starts at or before it prints its mask at once: what is still to
come can only make that union longer at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .automaton import ROOT, Automaton
from .lane import SKIPPED, Lane
from .unions import Range, Union, Unions

_MAX_DISCLOSED_BYTES = 4
_MIN_MASKED_PARTIAL_BYTES = 8


class Needle(NamedTuple):
    """What is looked for, of which secret, and in which encoding."""

    content: bytes
    secret: int
    encoding: str


class RedactedStream:
    """Bytes in, redacted bytes out."""

    def __init__(
        self,
        automaton: Automaton,
        needles: Sequence[Needle],
        masks: Sequence[bytes],
        report: Callable[[int, str], None],
    ) -> None:
        self._automaton = automaton
        self._needles = needles
        self._masks = masks
        self._report = report
        self._begin()

    def _begin(self) -> None:
        self._lane = Lane(self._automaton)
        self._unions = Unions()
        self._state = ROOT
        # Positions in the stream: behind the last byte read, and of the first one that is neither written nor masked.
        self._position = 0
        self._written = 0
        self._held = bytearray()
        # The union whose mask was printed last, and from where on none of its bytes were written.
        self._masked: Union | None = None
        self._masked_from = 0
        self._is_whole = True

    def write(self, chunk: bytes | bytearray | memoryview) -> bytes:
        """Read a chunk; what is decided."""
        content = bytes(memoryview(chunk))
        return self._undisturbed(lambda: self._write(content))

    def idle(self) -> bytes:
        """What may be shown while nothing comes: up to four bytes of a partial match, which is not forgotten."""
        return self._undisturbed(lambda: self._release(max(self._held_from(), self._limit_of(_MAX_DISCLOSED_BYTES))))

    def end(self) -> bytes:
        """The rest. A stream that ends in a long beginning of a needle has it masked."""
        return self._undisturbed(self._end)

    def _undisturbed(self, act: Callable[[], bytes]) -> bytes:
        """What a signal's handler ends in the middle (KeyboardInterrupt) is lost: going on there would show values."""
        if not self._is_whole:
            self._begin()
        self._is_whole = False
        output = act()
        self._is_whole = True
        return output

    def _write(self, chunk: bytes) -> bytes:
        self._held += chunk
        self._read(chunk)
        return self._release(self._held_from())

    def _end(self) -> bytes:
        partial = self._automaton.large_partial(self._state, _MIN_MASKED_PARTIAL_BYTES)
        if partial is not None:
            self._add(partial[1], self._position - partial[0], self._position, [])
        lane = self._lane
        partial = self._automaton.large_partial(lane.state, _MIN_MASKED_PARTIAL_BYTES)
        if partial is not None:
            start = lane.position_of(partial[0])
            self._add(partial[1], start, lane.end(), lane.take_sequences(start, lane.end()))
        lane.close()
        self._state = ROOT
        return self._release(self._position)

    def _read(self, chunk: bytes) -> None:
        automaton, lane, first = self._automaton, self._lane, self._automaton.first
        state, position = self._state, self._position
        for byte in chunk:
            if state == ROOT and lane.state == ROOT:
                state = first[byte]
                position += 1
                continue
            if lane.state != ROOT or byte in SKIPPED:
                self._read_beside(byte, position, state)
            state = automaton.step(state, byte)
            position += 1
            number = automaton.match(state)
            if number:
                self._add(number, position - len(self._needles[number - 1].content), position, [])
                state = automaton.pending(state)
        self._state, self._position = state, position

    def _read_beside(self, byte: int, position: int, state: int) -> None:
        lane = self._lane
        if lane.skips(byte, position, state) or lane.state == ROOT:
            return
        number = lane.read(byte, position)
        if number:
            start = lane.position_of(len(self._needles[number - 1].content))
            self._add(number, start, position + 1, lane.take_sequences(start, position + 1))
        lane.settle()

    def _add(self, number: int, start: int, end: int, sequences: list[Range]) -> None:
        needle = self._needles[number - 1]
        self._unions.add(start, end, needle.secret, needle.encoding, sequences)

    def _held_from(self) -> int:
        start = self._position - self._automaton.depth[self._state]
        return start if self._lane.state == ROOT else min(start, self._lane.start())

    def _limit_of(self, count: int) -> int:
        """How far output may go that shows so many bytes of each partial match and no more."""
        start = self._position - self._automaton.depth[self._state]
        limit = min(max(start, self._masked_to(start)) + count, self._position)
        lane = self._lane
        if lane.state != ROOT:
            shown = lane.limit_of(count, self._masked_to(lane.start()))
            limit = limit if shown is None else min(limit, shown)
        return limit

    def _masked_to(self, start: int) -> int:
        masked = self._masked
        return masked.end if masked is not None and start >= self._masked_from else 0

    def _release(self, limit: int) -> bytes:
        """Write what lies before ``limit``, keep the rest."""
        base = self._written
        output = bytearray()
        for union in self._unions.take_to(max(limit, base)):
            if union.end <= self._written:
                # Nothing is left to mask: what idle() has shown of it was not hidden; what a mask covers was.
                if self._masked is not None and union.end <= self._masked.end:
                    self._report_new(union, self._masked)
                continue
            # idle() may have written the first bytes of a sequence: a mask before its others would become part of it.
            begun = [end for start, end in union.sequences if start < self._written < end]
            mask_at = max(begun[0] if begun else union.start, self._written)
            output += self._held[self._written - base : mask_at - base]
            if not self._extends_mask(union, mask_at):
                output += self._masks[union.first]
            for start, end in sorted(union.sequences):
                if start >= mask_at:
                    output += self._held[start - base : end - base]
            self._written = max(mask_at, union.end)
        if limit > self._written:
            output += self._held[self._written - base : limit - base]
            self._written = limit
        del self._held[: self._written - base]
        return bytes(output)

    def _extends_mask(self, union: Union, position: int) -> bool:
        """Whether the union goes on where the last mask ends."""
        masked = self._masked
        extended = masked if masked is not None and union.start <= masked.end else None
        self._report_new(union, extended)
        adjoins = extended is not None and extended.end == position
        if not adjoins:
            self._masked_from = position
        if extended is None:
            self._masked = union
        else:
            extended.end = union.end
        return adjoins

    def _report_new(self, union: Union, reported: Union | None) -> None:
        for secret, encoding in union.encodings.items():
            if reported is None or secret not in reported.encodings:
                self._report(secret, encoding)
                if reported is not None:
                    reported.encodings[secret] = encoding
