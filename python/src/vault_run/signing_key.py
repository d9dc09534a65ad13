"""Ed25519 keys that derive from age identities, and signatures by them (docs/FORMAT.md, section 4)."""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .encoding import decode_base64, digest, encode_base64, hkdf
from .identity import Identity

_INFO = b"vault-run/v1/sign"
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64


class SigningKey:
    """Signs with the key that belongs to an age identity."""

    __slots__ = ("_key", "verify_key")

    def __init__(self, identity: Identity) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(hkdf(identity.secret_bytes(), b"", _INFO))
        self.verify_key = encode_base64(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> str:
        """The signature in base64."""
        return encode_base64(self._key.sign(message))


def is_verify_key(text: str) -> bool:
    """Whether a text is a verify key in its one spelling."""
    return _is_base64_of(text, _KEY_BYTES)


def is_signature(text: str) -> bool:
    """Whether a text is a signature's base64 in its one spelling."""
    return _is_base64_of(text, _SIGNATURE_BYTES)


def holds(verify_key: str, message: bytes, signature: str) -> bool:
    """Whether a signature is this key's over the message."""
    try:
        _imported(verify_key).verify(decode_base64(signature) or b"", message)
    except InvalidSignature:
        return False
    return True


def fingerprint(verify_key: str) -> str:
    """Names a key: the first 128 bits of the digest of its bytes."""
    return digest(decode_base64(verify_key) or b"")[:32]


@lru_cache(maxsize=256)
def _imported(verify_key: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(decode_base64(verify_key) or b"")


def _is_base64_of(text: str, count: int) -> bool:
    content = decode_base64(text)
    return content is not None and len(content) == count
