"""One secret value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .masked import Masked

if TYPE_CHECKING:
    from types import TracebackType


_Bytes = bytes


class Secret(Masked):
    """One secret value. Printing, formatting, logging and ``repr`` give its mask.

    ``reveal()`` and ``bytes()`` are the only ways out, so that a search for them finds every place a value can go.
    """

    __slots__ = ("_is_disposed", "_ref")

    def __init__(self, ref: str, value: _Bytes | bytearray) -> None:
        super().__init__(value)
        self._ref = ref
        self._is_disposed = False

    @property
    def ref(self) -> str:
        """``GROUP/NAME``."""
        return self._ref

    def reveal(self) -> str:
        """The value as text. Raises TypeError where it is not UTF-8 (use ``bytes()``), ValueError once disposed."""
        text = _decoded(self.bytes())
        if text is None:
            raise TypeError(f"the value of {self._ref} is not UTF-8 text")
        return text

    def bytes(self) -> _Bytes:
        """The value, byte for byte. Raises ValueError once it was disposed."""
        content = bytes(self._open())
        # Looked at behind the copy: another thread may overwrite what is copied.
        if self._is_disposed:
            raise ValueError(f"the value of {self._ref} was disposed")
        return content

    def is_text(self) -> bool:
        """Whether the value can stand in an environment variable: UTF-8 without U+0000."""
        content = self.bytes()
        return 0 not in content and _decoded(content) is not None

    def dispose(self) -> None:
        """Overwrite the value. What ``reveal()`` and ``bytes()`` gave are copies, which stay until collected."""
        self._is_disposed = True
        held = self._open()
        held[:] = b"\0" * len(held)
        held.clear()

    def __enter__(self) -> Secret:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dispose()

    def _mask(self) -> str:
        return f"[REDACTED:{self._ref}]"


def _decoded(value: _Bytes) -> str | None:
    # The error would hold the value.
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
