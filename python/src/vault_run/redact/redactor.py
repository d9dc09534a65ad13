"""Looks for a list of secrets in any number of streams."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ..secret import Secret
from .automaton import Automaton
from .spellings import spellings_of
from .stream import Needle, RedactedStream


class Count(NamedTuple):
    """How often a secret was masked in one encoding."""

    name: str
    encoding: str
    times: int


class Redactor:
    """Masks secrets in what passes: ``[REDACTED:GROUP/NAME]``, in every spelling that docs/REDACTION.md lists.

    It is a net, not a boundary: a value that is compressed, encrypted, split up or spelled in another way is not seen.
    """

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._masks: list[bytes] = []
        self._names: list[str] = []
        self._needles: list[Needle] = []
        self._counts: dict[tuple[str, str], int] = {}
        too_short: list[str] = []
        seen: set[bytes] = set()
        for secret in secrets:
            spellings = spellings_of(secret.bytes())
            if not spellings:
                too_short.append(secret.ref)
            for content, encoding in spellings.items():
                # Two secrets of the same value are looked for once.
                if content not in seen:
                    seen.add(content)
                    self._needles.append(Needle(content, len(self._names), encoding))
            self._names.append(secret.ref)
            self._masks.append(_mask_of(secret.ref))
        self._too_short = tuple(too_short)
        self._automaton = Automaton([needle.content for needle in self._needles])

    @property
    def too_short(self) -> tuple[str, ...]:
        """Names of the secrets that are not looked for, because their values are shorter than 6 bytes."""
        return self._too_short

    def stream(self) -> RedactedStream:
        """A new stream with a state of its own."""
        return RedactedStream(self._automaton, self._needles, self._masks, self._count)

    def redact(self, content: bytes) -> bytes:
        """The bytes, which are everything, with every secret in them masked."""
        stream = self.stream()
        return stream.write(content) + stream.end()

    def redact_text(self, text: str) -> str:
        """The text, which is everything, with every secret in it masked.

        A surrogate that stands for a byte (``surrogateescape``: names of files) is looked at as that byte.
        """
        try:
            content = text.encode(errors="surrogateescape")
        except UnicodeEncodeError:
            content = text.encode(errors="surrogatepass")
        redacted = self.redact(content)
        return text if redacted == content else redacted.decode(errors="surrogateescape")

    def counts(self) -> tuple[Count, ...]:
        """How often each secret was masked, by encoding, in all streams together."""
        return tuple(Count(name, encoding, count) for (name, encoding), count in self._counts.items())

    def __repr__(self) -> str:
        return f"<Redactor of {', '.join(self._names)}>"

    def _count(self, secret: int, encoding: str) -> None:
        key = self._names[secret], encoding
        self._counts[key] = self._counts.get(key, 0) + 1


def _mask_of(name: str) -> bytes:
    # A mask may land inside a JSON string, or on a terminal.
    return re.sub(r'[^\x20-\x7e]|["\\]', "_", f"[REDACTED:{name}]").encode()
