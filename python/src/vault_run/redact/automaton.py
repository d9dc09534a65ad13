"""An Aho-Corasick automaton over bytes.

A state is the longest suffix of the input that is a prefix of a needle; 0 is the root. A needle adds one run of
consecutive states, so the usual edge leads to the next number and only its byte is stored; where a needle branches off,
an edge stands in a table. What has no edge follows the failure link, which leads to a shorter state. Links are made
when states are first reached: text reaches few of the states there are.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

ROOT = 0
_UNLINKED = -1
_NO_BYTE = 256


class Automaton:
    """Needles are numbered from 1, so that 0 can stand for none."""

    def __init__(self, needles: Sequence[bytes]) -> None:
        self._needles = needles
        # The byte that leads from a state to the next number, or none.
        self._edge = array("H", [_NO_BYTE])
        self._branches: dict[int, int] = {}
        # Of the first state of a run: the state it hangs on, and the byte between.
        self._origins: dict[int, tuple[int, int]] = {}
        self._branching: set[int] = set()
        self._fail = array("i", [ROOT])
        self._out = array("i", [0])
        self.depth = array("i", [0])
        for number, needle in enumerate(needles, 1):
            self._add(number, needle)
        # Where each byte leads from the root: most of a text is read there.
        self.first = [self.step(ROOT, byte) for byte in range(256)]

    def step(self, state: int, byte: int) -> int:
        """The state behind one more byte."""
        reached = self._walk(state, byte)
        if self._fail[reached] == _UNLINKED:
            self._link(reached)
        return reached

    def match(self, state: int) -> int:
        """The number of the longest needle that ends in a state."""
        return self._out[state]

    def pending(self, state: int) -> int:
        """The longest suffix of the state that is a proper prefix of a needle: what may still become a match."""
        while state != ROOT and self._edge[state] == _NO_BYTE and state not in self._branching:
            state = self._fail[state]
        return state

    def large_partial(self, state: int, minimum: int) -> tuple[int, int] | None:
        """The longest suffix of a state that is at least so long and half of a needle; its length, and the needle.

        Only the end of a stream asks.
        """
        while self.depth[state] >= minimum:
            length = self.depth[state]
            partial = self._text_of(state)
            size, number = min((len(it), at) for at, it in enumerate(self._needles, 1) if it.startswith(partial))
            if length * 2 >= size:
                return length, number
            state = self._fail[state]
        return None

    def _text_of(self, state: int) -> bytes:
        text = bytearray()
        while state != ROOT:
            state, byte = self._parent_of(state)
            text.append(byte)
        text.reverse()
        return bytes(text)

    def _parent_of(self, state: int) -> tuple[int, int]:
        return self._origins.get(state) or (state - 1, self._edge[state - 1])

    def _child(self, state: int, byte: int) -> int:
        if self._edge[state] == byte:
            return state + 1
        return self._branches.get(state << 8 | byte, ROOT)

    def _walk(self, state: int, byte: int) -> int:
        child = self._child(state, byte)
        while child == ROOT and state != ROOT:
            state = self._fail[state]
            child = self._child(state, byte)
        return child

    def _add(self, number: int, needle: bytes) -> None:
        state = ROOT
        known = 0
        while known < len(needle) and (child := self._child(state, needle[known])) != ROOT:
            state = child
            known += 1
        if known < len(needle):
            head = len(self._edge)
            self._branches[state << 8 | needle[known]] = head
            self._branching.add(state)
            self._origins[head] = state, needle[known]
            count = len(needle) - known
            self._edge.extend(needle[known + 1 :])
            self._edge.append(_NO_BYTE)
            self._fail.extend(array("i", [_UNLINKED]) * count)
            self._out.extend(array("i", [0]) * count)
            self.depth.extend(range(known + 1, len(needle) + 1))
            state = len(self._edge) - 1
        self._out[state] = number

    def _link(self, reached: int) -> None:
        # What a link needs first is on top. Not a recursion: a value may repeat itself a million times.
        waiting = [reached]
        while waiting:
            state = waiting[-1]
            parent, byte = self._parent_of(state)
            if self._fail[parent] == _UNLINKED:
                waiting.append(parent)
                continue
            link = ROOT if parent == ROOT else self._walk(self._fail[parent], byte)
            if self._fail[link] == _UNLINKED:
                waiting.append(link)
                continue
            # Of what ends in a state the longest is enough: shorter ones lie inside it.
            self._out[state] = self._out[state] or self._out[link]
            # Last: another thread takes a state that has its link for one that is whole.
            self._fail[state] = link
            waiting.pop()
