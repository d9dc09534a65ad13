"""A second reading of a stream, without carriage returns and what terminals take for no text: these are "skipped".

That is CSI sequences (colours) and, with which they end in many terminals, what chooses a character set (nF sequences
of ECMA-35, SO and SI).

It is active only while it may see what the stream as it stands does not show: behind a skipped byte that interrupts
the beginning of a needle, until both readings agree again.
"""

from __future__ import annotations

from .automaton import ROOT, Automaton

_ESC, _CR, _SO, _SI, _BRACKET = 0x1B, 0x0D, 0x0E, 0x0F, 0x5B
SKIPPED = frozenset((_ESC, _CR, _SO, _SI))
# A few colour changes fit between two bytes. A run of them without end is let go: memory is bounded.
_MAX_SKIPPED_BYTES = 4096
_MIN_TRIMMED = 4096
_MAX_SEQUENCES = 4096


class Lane:
    """The reading's state, and where in the stream the bytes are that it has read."""

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton
        self.state = ROOT
        # The sequences that were skipped: a terminal has to be told that red ends.
        self.sequences: list[tuple[int, int]] = []
        # Positions of the bytes read since the lane was opened; the bytes before the origin are contiguous.
        self._positions: list[int] = []
        self._origin = 0
        self._read_since_skip = 0
        self._skipped = 0
        self._inside = ""
        self._sequence_start = 0

    def skips(self, byte: int, position: int, main_state: int) -> bool:
        """Whether the byte is a CR, SO or SI, or part of a CSI or an nF sequence.

        CSI: ESC [, bytes 20 to 3F, and one of 40 to 7E. nF: ESC, bytes 20 to 2F, and one of 30 to 7E.
        """
        if self._inside == "escape" and byte == _BRACKET:
            self._inside = "csi"
            return self._skip()
        if self._inside == "escape" and 0x20 <= byte <= 0x2F:
            self._inside = "nf"
            return self._skip()
        if self._inside in ("csi", "nf") and 0x20 <= byte <= 0x7E:
            if byte >= (0x40 if self._inside == "csi" else 0x30):
                self._end_sequence(position + 1)
            return self._skip()
        if self._inside:
            self.close()
        if byte not in SKIPPED:
            return False
        if self.state == ROOT:
            self._open(main_state, position)
        if byte != _CR:
            self._inside = "escape"
            self._sequence_start = position
            if byte != _ESC:
                self._end_sequence(position + 1)
        return self._skip()

    def read(self, byte: int, position: int) -> int:
        """Read a byte that is not skipped; the number of the needle that ends in it."""
        self._positions.append(position)
        self._read_since_skip += 1
        self._skipped = 0
        state = self._automaton.step(self.state, byte)
        number = self._automaton.match(state)
        self.state = state
        return number

    def settle(self) -> None:
        """Go to what may still become a match, and close where the stream as it stands shows that one too."""
        state = self._automaton.pending(self.state)
        depth = self._automaton.depth[state]
        self.state = state
        if depth <= self._read_since_skip:
            self.close()
        elif len(self._positions) > _MIN_TRIMMED and len(self._positions) > 2 * depth:
            self._positions = self._positions[-depth:]

    def take_sequences(self, start: int, end: int) -> list[tuple[int, int]]:
        """Those inside a match. Each is given once: if a later match covers it too, the two are one union."""
        taken = [sequence for sequence in self.sequences if start <= sequence[0] and sequence[1] <= end]
        self.sequences = [sequence for sequence in self.sequences if sequence[0] < start or sequence[1] > end]
        return taken

    def close(self) -> None:
        """Forget the partial match."""
        self.state = ROOT
        self._inside = ""
        self.sequences = []

    def start(self) -> int:
        """Where the partial match starts in the stream."""
        return self.position_of(self._automaton.depth[self.state])

    def end(self) -> int:
        """Behind the last byte that was read and not skipped."""
        return (self._positions[-1] if self._positions else self._origin - 1) + 1

    def position_of(self, length: int) -> int:
        """Where in the stream the last ``length`` bytes that were read begin."""
        index = len(self._positions) - length
        return self._origin + index if index < 0 else self._positions[index]

    def limit_of(self, count: int, masked_to: int) -> int | None:
        """Where the bytes of the partial match end that may be shown: ``count``, those that are masked not counted."""
        left = self._automaton.depth[self.state]
        while left > 0 and self.position_of(left) < masked_to:
            left -= 1
        return self.position_of(left - count) if left > count else None

    def _open(self, state: int, position: int) -> None:
        self.state = state
        self._positions = []
        self._origin = position
        self._read_since_skip = 0
        self._skipped = 0

    def _end_sequence(self, end: int) -> None:
        self._inside = ""
        self.sequences.append((self._sequence_start, end))
        if len(self.sequences) > _MAX_SEQUENCES:
            start = self.start()
            self.sequences = [sequence for sequence in self.sequences if sequence[0] >= start]

    def _skip(self) -> bool:
        self._read_since_skip = 0
        self._skipped += 1
        if self._skipped > _MAX_SKIPPED_BYTES:
            self.close()
        return True
