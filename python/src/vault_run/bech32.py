"""Bech32 (BIP 173), reading only, without the limit of 90 characters, which age lifts."""

from __future__ import annotations

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BITS = {character: bits for bits, character in enumerate(_ALPHABET)}
_CHECKSUM_CHARACTERS = 6
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def bech32_length(prefix: str, byte_count: int) -> int:
    """How many characters a Bech32 text of so many bytes has."""
    return len(prefix) + 1 + -(-byte_count * 8 // 5) + _CHECKSUM_CHARACTERS


def decode_bech32(text: str, prefix: str, byte_count: int) -> bytes | None:
    """The bytes of the one lower-case text that has this prefix and encodes so many; None for any other text."""
    if len(text) != bech32_length(prefix, byte_count) or not text.startswith(f"{prefix}1"):
        return None
    data = [_BITS.get(character, -1) for character in text[len(prefix) + 1 :]]
    if -1 in data:
        return None
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    if _checksum(expanded + data) != 1:
        return None
    number = 0
    for bits in data[:-_CHECKSUM_CHARACTERS]:
        number = number << 5 | bits
    left_over = (len(data) - _CHECKSUM_CHARACTERS) * 5 - byte_count * 8
    # What is left over must be zeros: every sequence of bytes has one spelling.
    if number & ((1 << left_over) - 1):
        return None
    return (number >> left_over).to_bytes(byte_count, "big")


def _checksum(values: list[int]) -> int:
    checksum = 1
    for bits in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ bits
        for index, polynomial in enumerate(_GENERATOR):
            if top >> index & 1:
                checksum ^= polynomial
    return checksum
