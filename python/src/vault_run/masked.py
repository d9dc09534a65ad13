"""What nothing shows that looks at objects: the base of secrets and identities.

The bytes are held by a function, not by an attribute, so that whatever walks over attributes and slots (reports of
crashes, pretty printers, serialisers) finds none. This is against accidents: code in the same process can always
get at them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, SupportsIndex

if TYPE_CHECKING:
    from collections.abc import Callable


class Masked:
    """Holds bytes; prints, formats and logs as its mask, and is neither pickled nor copied."""

    __slots__ = ("__weakref__", "_open")

    def __init__(self, content: bytes | bytearray) -> None:
        held = bytearray(content)

        def held_bytes() -> bytearray:
            return held

        self._open: Callable[[], bytearray] = held_bytes

    def _mask(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        return self._mask()

    def __str__(self) -> str:
        return self._mask()

    def __format__(self, spec: str) -> str:
        return format(self._mask(), spec)

    def __copy__(self) -> Masked:
        return self

    def __deepcopy__(self, memo: object) -> Masked:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"{type(self).__name__} objects are not pickled: what they hold would be in the pickle")
