"""age identities and recipients, native ones alone."""

from __future__ import annotations

import re
from typing import Literal

from .bech32 import bech32_length, decode_bech32
from .masked import Masked

# `pq` is age's mlkem768x25519 hybrid, `classic` is X25519. A vault uses one of them throughout.
Suite = Literal["pq", "classic"]

_SECRET_BYTES = 32
_IDENTITY_PREFIX: dict[Suite, str] = {"pq": "age-secret-key-pq-", "classic": "age-secret-key-"}
_RECIPIENT: dict[Suite, tuple[str, int]] = {"pq": ("age1pq", 1216), "classic": ("age", 32)}
# Bech32 has two cases, of which age writes identities in this one.
_IDENTITY = re.compile(r"[A-Z0-9-]*")
_DATA = re.compile(r"[02-9ac-hj-np-z]*")


class Identity(Masked):
    """An age identity."""

    __slots__ = ("suite",)
    suite: Suite

    def __init__(self, suite: Suite, secret: bytes) -> None:
        super().__init__(secret)
        self.suite = suite

    def secret_bytes(self) -> bytes:
        """The 32 secret bytes that the identity's text holds."""
        return bytes(self._open())

    def _mask(self) -> str:
        return "[age identity]"


def parse_identity(text: str) -> Identity | None:
    """Parse one ``AGE-SECRET-KEY-…`` line; None for anything but a valid native identity."""
    suite: Suite = "pq" if text.startswith("AGE-SECRET-KEY-PQ-1") else "classic"
    if _IDENTITY.fullmatch(text) is None:
        return None
    secret = decode_bech32(text.lower(), _IDENTITY_PREFIX[suite], _SECRET_BYTES)
    return None if secret is None else Identity(suite, secret)


def is_recipient(text: str) -> bool:
    """Whether a text has a native recipient's prefix, characters and length. Its checksum is for who seals to it."""
    prefix, byte_count = _RECIPIENT[suite_of(text)]
    if len(text) != bech32_length(prefix, byte_count) or not text.startswith(f"{prefix}1"):
        return False
    return _DATA.fullmatch(text, len(prefix) + 1) is not None


def suite_of(recipient: str) -> Suite:
    """The suite that a recipient is of."""
    return "pq" if recipient.startswith("age1pq1") else "classic"
