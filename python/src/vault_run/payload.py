"""What stands inside a ciphertext, and opening it (docs/FORMAT.md, section 5).

age binds no context, so every payload repeats its record's type and names, the vault, the epoch and the value's id. A
ciphertext that was moved into another record, even by someone who can sign, does not open there.
"""

from __future__ import annotations

from .age_file import DamagedAgeFile, OpeningKeys, open_age_file
from .canonical import JsonObject, canonical_bytes, parse_json
from .encoding import decode_base64
from .identity import Identity, parse_identity
from .paths import grant_path, secret_path
from .record import find_excess
from .schema import GrantRecord, SecretRecord
from .secret import Secret
from .vault_error import VaultError


def open_grant(grant: GrantRecord, agent: OpeningKeys) -> Identity:
    """The group's identity, opened from an agent's grant with that agent's keys."""
    path = grant_path(grant["agent"], grant["group"])
    names = ("type", "vault", "agent", "group", "epoch")
    content = _open(path, grant["sealed"], agent, {name: dict(grant)[name] for name in names}, ("identity",))
    identity = parse_identity(content["identity"])
    if identity is None:
        raise _context_error(path)
    return identity


def open_secret(secret: SecretRecord, group: OpeningKeys) -> Secret:
    """A secret's value, opened with its group's keys."""
    path = secret_path(secret["group"], secret["name"])
    names = ("type", "vault", "group", "name", "epoch", "valueId")
    context = {name: dict(secret)[name] for name in names}
    content = _open(path, secret["sealed"], group, context, ("encoding", "value"))
    value = _decode_value(content["encoding"], content["value"])
    if value is None:
        raise _context_error(path)
    return Secret(f"{secret['group']}/{secret['name']}", value)


def _open(path: str, sealed: str, keys: OpeningKeys, context: JsonObject, fields: tuple[str, ...]) -> dict[str, str]:
    try:
        plaintext = open_age_file(decode_base64(sealed) or b"", keys)
    except DamagedAgeFile:
        raise VaultError(
            "sealed-damaged",
            f"the age file in this record is damaged: .vault/{path}",
            f"restore it from a commit that was good: git log -- .vault/{path}",
        ) from None
    if plaintext is None:
        raise VaultError(
            "not-for-identity",
            f"sealed to another identity: .vault/{path}",
            "the record and the key belong to different times; pull the latest vault, or ask the owner for the"
            " current key",
        )
    content = _decode(plaintext, context, fields)
    if content is None:
        raise _context_error(path)
    return content


def _decode(plaintext: bytes, context: JsonObject, fields: tuple[str, ...]) -> dict[str, str] | None:
    """The string fields; None unless everything else is exactly the context, in the one spelling."""
    json_bytes = plaintext.rstrip(b" ")
    # More fields than there are to be, or nested ones, would only be built to be refused.
    if find_excess(json_bytes, 1, len(context) + len(fields) - 1) is not None:
        return None
    try:
        value = parse_json(json_bytes.decode())
        if not isinstance(value, dict):
            return None
        content = {field: value.get(field) for field in fields}
        if not all(isinstance(text, str) for text in content.values()):
            return None
        # One comparison checks the context, the spelling, and that nothing is missing, doubled or added.
        return content if canonical_bytes({**context, **content}) == json_bytes else None  # type: ignore[return-value]
    except ValueError:
        return None


def _decode_value(encoding: str, value: str) -> bytes | None:
    if encoding == "utf8":
        return value.encode()
    return decode_base64(value) if encoding == "base64" else None


def _context_error(path: str) -> VaultError:
    return VaultError(
        "sealed-context",
        f"what is sealed here was made for another place: .vault/{path}",
        f"restore it from a commit that was good: git log -- .vault/{path}",
    )
