"""A record's file, which has exactly one spelling, and its signatures (docs/FORMAT.md, sections 3 and 4).

Reading writes the parsed record again and compares bytes, so the bytes that were parsed are the bytes that were
verified, and a key that stands twice, an unknown field or a changed space is an error here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from .canonical import canonical_bytes, parse_json
from .paths import ALLOW_PATH, VAULT_PATH, agent_path, grant_path, group_path, secret_path
from .schema import FORMAT, MAX_COUNT, SignedRecord, find_mismatch
from .signing_key import holds
from .vault_error import VaultError

MAX_RECORD_BYTES = 16 * 1024 * 1024
_MAX_DEPTH = 6
_MAX_COMMAS = 200_000
_SIGNED_PREFIX = b"vault-run/record/v1\0"


def signed_bytes(record: Mapping[str, Any]) -> bytes:
    """The bytes that an owner signs."""
    return _SIGNED_PREFIX + canonical_bytes({name: record[name] for name in record if name != "signatures"})


def is_signed(
    record: Mapping[str, Any], message: bytes, trusted: Collection[str], others: Collection[str] = ()
) -> bool:
    """Whether a trusted key signed, every signature by one holds, and there is no signature besides.

    ``others`` names keys that may have signed too without being trusted.
    """
    signatures = record["signatures"]
    keys = [signature["key"] for signature in signatures]
    if len(set(keys)) != len(keys) or not all(key in trusted or key in others for key in keys):
        return False
    by_trusted = [signature for signature in signatures if signature["key"] in trusted]
    return bool(by_trusted) and all(holds(it["key"], message, it["sig"]) for it in by_trusted)


def decode_record(path: str, content: bytes) -> SignedRecord:
    """Parse and check a record's file: size, depth, encoding, schema, spelling, and that it stands where it says.

    Does not verify signatures. Raises ``record-invalid`` naming the file, or ``format-newer``.
    """
    if len(content) > MAX_RECORD_BYTES:
        raise invalid(path, "larger than any record can be")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise invalid(path, "not UTF-8 text") from None
    excess = find_excess(content)
    if excess is not None:
        raise invalid(path, excess)
    try:
        value = parse_json(text)
    except ValueError:
        raise (
            _unmerged(path) if b"<<<<<<< " in content and b">>>>>>> " in content else invalid(path, "not JSON")
        ) from None
    _refuse_newer_format(path, value)
    mismatch = find_mismatch(value)
    if mismatch is not None or not isinstance(value, dict):
        raise invalid(path, mismatch or "not an object")
    if not _is_spelled(value, content):
        raise invalid(path, "not in the one spelling that records have (reformatted, or a key stands twice)")
    if _path_of(value) != path:
        raise invalid(path, "it says it belongs elsewhere")
    return value


def invalid(path: str, why: str) -> VaultError:
    """The refusal of a file that is no record of this format."""
    return VaultError(
        "record-invalid",
        f"not a valid record, {why}: .vault/{path}",
        f"restore it from a commit that was good: git log -- .vault/{path}",
    )


def _unmerged(path: str) -> VaultError:
    return VaultError(
        "record-invalid",
        f"a merge that git could not finish: .vault/{path}",
        "have an owner finish it: vault-run resolve",
    )


def _is_spelled(value: SignedRecord, content: bytes) -> bool:
    try:
        return f"{json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)}\n".encode() == content
    except UnicodeEncodeError:
        # Half a surrogate pair.
        return False


def _refuse_newer_format(path: str, value: object) -> None:
    number = value.get("format") if path == VAULT_PATH and isinstance(value, dict) else None
    # A whole number, however it is spelled. True is 1, and so not above it.
    if not isinstance(number, int | float) or number != number // 1 or not FORMAT < number <= MAX_COUNT:
        return
    raise VaultError(
        "format-newer",
        f"this vault has format {number:.0f}, and this program reads up to format {FORMAT}: .vault/{path}",
        f"install a vault-run that reads format {number:.0f}: pip install --upgrade vault-run",
    )


def _path_of(record: SignedRecord) -> str:
    kind = record["of"] if record["type"] == "tombstone" else record["type"]
    if kind == "agent":
        return agent_path(record["name"])
    if kind == "grant":
        return grant_path(record["agent"], record["group"])
    if kind == "group":
        return group_path(record["name"])
    if kind == "secret":
        return secret_path(record["group"], record["name"])
    return ALLOW_PATH if kind == "allow" else VAULT_PATH


def find_excess(content: bytes, max_depth: int = _MAX_DEPTH, max_commas: int = _MAX_COMMAS) -> str | None:
    """Bounds nesting and the number of values before the parser builds anything. Strings are passed over."""
    # Without the escapes, pairs of backslashes first, every quote begins or ends a string. Where a backslash stands
    # outside of one the parser stops, and all before it is counted as it is.
    plain = content.replace(b"\\\\", b"").replace(b'\\"', b"")
    # So many commas leave room for no more strings than this, with two quotes each.
    if plain.count(b'"') > 4 * (max_commas + 64):
        return "too many values"
    structure = b"".join(plain.split(b'"')[::2])
    if structure.count(b",") > max_commas:
        return "too many values"
    brackets = structure.translate(None, delete=bytes(set(range(256)) - set(b"{}[]")))
    for _ in range(max_depth):
        # All of one depth at once: a pair leaves a space, so that the pair around it is not one yet.
        brackets = brackets.replace(b"{}", b" ").replace(b"[]", b" ").translate(None, delete=b" ")
    return "nested too deeply" if brackets else None
