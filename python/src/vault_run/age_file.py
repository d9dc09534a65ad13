"""Opens binary age v1 files (C2SP, age.md) for native X25519 and mlkem768x25519 identities.

1. the header: version, stanzas and MAC, each in its one accepted spelling
2. the file key, out of the first stanza that is for this identity
3. the header's MAC, by a key that the file key derives
4. the payload: chunks in STREAM, the last one marked

No passphrases, no armor, no plugins, no writing. What is not for the identity is an answer, None; what breaks a rule
of the format is an error; plaintext that did not authenticate is never returned.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite

from .encoding import decode_base64, hkdf, hmac_holds, shake256
from .identity import Identity

_VERSION_LINE = b"age-encryption.org/v1"
# Twice what the most owners take. Each stanza takes memory and a key agreement before anything has authenticated.
_MAX_HEADER_BYTES = 256 * 1024
_MAC_BYTES = 32
_TAG_BYTES = 16
_NONCE_BYTES = 16
_CHUNK_BYTES = 64 * 1024
_BODY_COLUMNS = 64
_SHARE_BYTES = 32
_WRAPPED_BYTES = 16 + _TAG_BYTES
_MLKEM_SEED_BYTES = 64
_MLKEM_CIPHERTEXT_BYTES = 1088
_X25519_INFO = b"age-encryption.org/v1/X25519"
_HYBRID_INFO = b"age-encryption.org/mlkem768x25519"
_WORD = re.compile(r"[!-~]+")


class DamagedAgeFile(Exception):
    """The file is malformed, or fails authentication."""


class OpeningKeys(Protocol):
    """What an identity's stanzas are opened with."""

    def unwrap(self, stanza: _Stanza) -> bytes | None:
        """The file key, or None where the stanza is not for this identity."""


class _Stanza(NamedTuple):
    kind: str
    args: list[str]
    body: bytes


class _Header(NamedTuple):
    stanzas: list[_Stanza]
    # What the MAC is over: everything up to and including its `---`.
    authenticated: bytes
    mac: bytes
    # Where the header's last line ends.
    end: int


def keys_of(identity: Identity) -> OpeningKeys:
    """The keys of an identity: make them once for many files."""
    return _ClassicKeys(identity) if identity.suite == "classic" else _HybridKeys(identity)


def open_age_file(file: bytes, keys: OpeningKeys) -> bytes | None:
    """Decrypt a binary age file; None where no stanza is for these keys."""
    header = _parse_header(file)
    if len(header.stanzas) > 1 and any(stanza.kind == "scrypt" for stanza in header.stanzas):
        raise DamagedAgeFile("a passphrase is not its only recipient")
    file_key = next((key for key in map(keys.unwrap, header.stanzas) if key is not None), None)
    if file_key is None:
        return None
    if not hmac_holds(hkdf(file_key, b"", b"header"), header.authenticated, header.mac):
        raise DamagedAgeFile("its header was altered")
    start = header.end + _NONCE_BYTES
    if len(file) < start:
        raise DamagedAgeFile("it ends within its nonce")
    return _open_payload(hkdf(file_key, file[header.end : start], b"payload"), file, start)


def _parse_header(file: bytes) -> _Header:
    line, end = _next_line(file, 0)
    if line.encode("latin-1") != _VERSION_LINE:
        raise DamagedAgeFile("it is not of version 1")
    stanzas: list[_Stanza] = []
    while True:
        start = end
        line, end = _next_line(file, end)
        mark, *words = line.split(" ")
        if mark == "---":
            macs = [_decode_unpadded(word) for word in words]
            if len(macs) != 1 or len(macs[0]) != _MAC_BYTES:
                raise DamagedAgeFile("its MAC is malformed")
            return _Header(stanzas, file[: start + len(mark)], macs[0], end)
        if mark != "->" or not words or not all(_WORD.fullmatch(word) for word in words):
            raise DamagedAgeFile("a stanza is malformed")
        body, end = _read_body(file, end)
        stanzas.append(_Stanza(words[0], words[1:], body))


def _next_line(file: bytes, start: int) -> tuple[str, int]:
    end = file.find(b"\n", start)
    if end >= _MAX_HEADER_BYTES:
        raise DamagedAgeFile("its header is too long")
    if end == -1:
        raise DamagedAgeFile("it ends within its header")
    return file[start:end].decode("latin-1"), end + 1


def _read_body(file: bytes, start: int) -> tuple[bytes, int]:
    """Lines of 64 columns and a shorter one, possibly empty, that ends them."""
    parts: list[bytes] = []
    end = start
    while True:
        line, end = _next_line(file, end)
        if len(line) > _BODY_COLUMNS:
            raise DamagedAgeFile("a stanza's line is too long")
        parts.append(_decode_unpadded(line))
        if len(line) < _BODY_COLUMNS:
            return b"".join(parts), end


def _decode_unpadded(text: str) -> bytes:
    content = None if text.endswith("=") else decode_base64(text + "=" * (-len(text) % 4))
    if content is None:
        raise DamagedAgeFile("its base64 is malformed")
    return content


class _ClassicKeys:
    def __init__(self, identity: Identity) -> None:
        self._private = X25519PrivateKey.from_private_bytes(identity.secret_bytes())
        self._public = self._private.public_key().public_bytes_raw()

    def unwrap(self, stanza: _Stanza) -> bytes | None:
        if stanza.kind != "X25519":
            return None
        share = _require_shape(stanza, _SHARE_BYTES)
        key = hkdf(_exchange(self._private, share), share + self._public, _X25519_INFO)
        return _decrypt(key, bytes(12), stanza.body)


class _HybridKeys:
    """HPKE in mode base with the hybrid KEM of draft-connolly-cfrg-xwing-kem, whose seed SHAKE256 expands."""

    def __init__(self, identity: Identity) -> None:
        seeds = shake256(identity.secret_bytes(), _MLKEM_SEED_BYTES + _SHARE_BYTES)
        self._x25519 = X25519PrivateKey.from_private_bytes(seeds[_MLKEM_SEED_BYTES:])
        self._private = MLKEM768X25519PrivateKey(
            MLKEM768PrivateKey.from_seed_bytes(seeds[:_MLKEM_SEED_BYTES]), self._x25519
        )
        self._suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)

    def unwrap(self, stanza: _Stanza) -> bytes | None:
        if stanza.kind != "mlkem768x25519":
            return None
        encapsulated = _require_shape(stanza, _MLKEM_CIPHERTEXT_BYTES + _SHARE_BYTES)
        try:
            return self._suite.decrypt(encapsulated + stanza.body, self._private, info=_HYBRID_INFO)
        except InvalidTag:
            # A share that is refused, or another recipient's.
            _exchange(self._x25519, encapsulated[_MLKEM_CIPHERTEXT_BYTES:])
            return None


def _require_shape(stanza: _Stanza, arg_bytes: int) -> bytes:
    """One argument of so many bytes, and the body of an encrypted file key: checked before anything is decrypted."""
    args = [_decode_unpadded(arg) for arg in stanza.args]
    if len(args) != 1 or len(args[0]) != arg_bytes or len(stanza.body) != _WRAPPED_BYTES:
        raise DamagedAgeFile("a recipient's stanza is malformed")
    return args[0]


def _exchange(private: X25519PrivateKey, share: bytes) -> bytes:
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError:
        # An all-zero secret, which a point of low order leads to (RFC 7748, section 6.1).
        raise DamagedAgeFile("a recipient's share is of low order") from None


def _open_payload(key: bytes, file: bytes, start: int) -> bytes:
    chunks: list[bytes] = []
    at = start
    while True:
        sealed = file[at : at + _CHUNK_BYTES + _TAG_BYTES]
        at += len(sealed)
        is_last = at == len(file)
        # An 11-byte counter, then the mark of the last chunk.
        chunk = _decrypt(key, len(chunks).to_bytes(11, "big") + bytes([is_last]), sealed)
        # The last one may be empty only where it is the only one.
        if chunk is None or (not chunk and chunks):
            raise DamagedAgeFile("its payload was altered or cut")
        chunks.append(chunk)
        if is_last:
            return b"".join(chunks)


def _decrypt(key: bytes, nonce: bytes, sealed: bytes) -> bytes | None:
    """ChaCha20-Poly1305. None where the bytes do not authenticate."""
    if len(sealed) < _TAG_BYTES:
        return None
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, None)
    except InvalidTag:
        return None
