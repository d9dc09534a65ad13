"""Base64 in its one spelling, hashes and HKDF, with what the package `cryptography` has loaded anyway."""

from __future__ import annotations

import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256, SHAKE256, Hash
from cryptography.hazmat.primitives.hmac import HMAC


def decode_base64(text: str) -> bytes | None:
    """The bytes, where the text is their one spelling: standard alphabet, padding, unused bits zero."""
    try:
        content = binascii.a2b_base64(text)
    except ValueError:
        return None
    return content if encode_base64(content) == text else None


def encode_base64(content: bytes) -> str:
    """Base64 with padding."""
    return binascii.b2a_base64(content, newline=False).decode()


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    state = Hash(SHA256())
    state.update(content)
    return state.finalize().hex()


def shake256(content: bytes, length: int) -> bytes:
    """SHAKE256."""
    state = Hash(SHAKE256(length))
    state.update(content)
    return state.finalize()


def hmac_sha256(key: bytes, content: bytes) -> bytes:
    """HMAC-SHA256."""
    state = HMAC(key, SHA256())
    state.update(content)
    return state.finalize()


def hmac_holds(key: bytes, content: bytes, mac: bytes) -> bool:
    """Whether it is the HMAC-SHA256, found out in the same time whatever it is."""
    state = HMAC(key, SHA256())
    state.update(content)
    try:
        state.verify(mac)
    except InvalidSignature:
        return False
    return True


def hkdf(material: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869) of 32 bytes, which are one block."""
    return hmac_sha256(hmac_sha256(salt, material), info + b"\x01")
