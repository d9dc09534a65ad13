"""The ranges of a stream that overlapping or touching matches cover: one mask replaces each."""

from __future__ import annotations

Range = tuple[int, int]


class Union:
    """One such range, and which secrets are in it: the encoding of each, by its number."""

    __slots__ = ("encodings", "end", "first", "sequences", "start")

    def __init__(self, start: int, end: int, secret: int) -> None:
        self.start = start
        self.end = end
        # The secret of the match that starts first: it names the mask.
        self.first = secret
        self.encodings: dict[int, str] = {}
        # Escape sequences in the range. They follow the mask.
        self.sequences: list[Range] = []


class Unions:
    """Those that have not been written yet, in order. Matches come in the order in which they end."""

    def __init__(self) -> None:
        self._pending: list[Union] = []

    def add(self, start: int, end: int, secret: int, encoding: str, sequences: list[Range]) -> None:
        """Add a match."""
        union: Union | None = None
        while self._pending and self._pending[-1].end >= start:
            last = self._pending.pop()
            if union is not None:
                last.encodings = {**union.encodings, **last.encodings}
                last.sequences += union.sequences
            union = last
        if union is None:
            union = Union(start, end, secret)
        elif start < union.start:
            # Of two that start at the same place the one that was complete first: its mask may have been printed.
            union.start, union.first = start, secret
        union.end = max(union.end, end)
        union.encodings.setdefault(secret, encoding)
        union.sequences += sequences
        self._pending.append(union)

    def take_to(self, position: int) -> list[Union]:
        """Remove and return the unions that start at or before this position."""
        count = 0
        while count < len(self._pending) and self._pending[count].start <= position:
            count += 1
        taken, self._pending = self._pending[:count], self._pending[count:]
        return taken
