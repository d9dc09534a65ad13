"""Base64 in its one spelling, hashes, and HKDF."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac


def decode_base64(text: str) -> bytes | None:
    """The bytes, where the text is their one spelling: standard alphabet, padding, unused bits zero."""
    try:
        content = base64.b64decode(text)
    except (ValueError, binascii.Error):
        return None
    return content if encode_base64(content) == text else None


def encode_base64(content: bytes) -> str:
    """Base64 with padding."""
    return base64.b64encode(content).decode()


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def hmac_sha256(key: bytes, content: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(key, content, "sha256")


def hkdf(material: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869) of 32 bytes, which are one block."""
    return hmac_sha256(hmac_sha256(salt, material), info + b"\x01")
