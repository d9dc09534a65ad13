"""The records of format 1 (docs/FORMAT.md, section 3). Every object is strict: an unknown field is an error."""

from __future__ import annotations

import re
from typing import Any, Literal, TypedDict

from .encoding import decode_base64
from .identity import is_recipient
from .moment import is_timestamp
from .names import GROUP_NAME, SECRET_NAME, VAULT_ID, has_controls
from .shape import Optional, Shape, array, either, fields, one_of, text, whole
from .signing_key import is_signature, is_verify_key

FORMAT = 1
MAX_COUNT = 2**53 - 1
_MAX_DESCRIPTION_BYTES = 1024
# Both bound the signatures that are checked before anything in vault.json is trusted.
_MAX_OWNERS = 64
_MAX_SUCCESSION_LINKS = 256

_HEX_32 = re.compile(r"[0-9a-f]{32}")
_HEX_64 = re.compile(r"[0-9a-f]{64}")
_ORIGIN = re.compile(r"https?://[a-z0-9.:\[\]-]{1,255}")


class Signature(TypedDict):
    """One owner's."""

    key: str
    alg: Literal["ed25519"]
    sig: str


class Owner(TypedDict):
    """One of a vault's owners."""

    name: str
    recipient: str
    verifyKey: str


class _Signed(TypedDict):
    vault: str
    serial: int
    signatures: list[Signature]


class VaultRecord(_Signed):
    """``vault.json``."""

    suite: Literal["pq", "classic"]
    owners: list[Owner]
    policy: dict[str, str]
    succession: list[dict[str, str]]


class AgentRecord(_Signed):
    """``agents/AGENT/agent.json``."""

    type: Literal["agent"]
    name: str
    recipient: str
    verifyKey: str


class _GrantExpiry(TypedDict, total=False):
    expiresAt: str


class GrantRecord(_Signed, _GrantExpiry):
    """``agents/AGENT/grants/GROUP.json``."""

    type: Literal["grant"]
    agent: str
    group: str
    epoch: int
    sealed: str


class GroupRecord(_Signed):
    """``groups/GROUP/group.json``."""

    type: Literal["group"]
    name: str
    recipient: str
    epoch: int
    sealed: str


class _SecretOptions(TypedDict, total=False):
    description: str
    env: str
    expiresAt: str
    unsafeName: Literal[True]


class SecretRecord(_Signed, _SecretOptions):
    """``groups/GROUP/secrets/NAME.json``."""

    type: Literal["secret"]
    group: str
    name: str
    epoch: int
    valueId: str
    setAt: str
    deliver: Literal["env", "file"]
    sealed: str


class Tombstone(_Signed):
    """At the path of what was removed."""

    type: Literal["tombstone"]
    removedAt: str


# What a checked record is where its type does not matter.
SignedRecord = dict[str, Any]


def is_description(value: str) -> bool:
    """One line of at most 1,024 bytes of well-formed text without control characters."""
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return False
    return 1 <= size <= _MAX_DESCRIPTION_BYTES and not has_controls(value)


_vault_id = text(VAULT_ID.fullmatch)
_lower_name = text(GROUP_NAME.fullmatch)
_secret_name = text(SECRET_NAME.fullmatch)
_id = text(_HEX_32.fullmatch)
_recipient = text(is_recipient)
_verify_key = text(is_verify_key)
_signature_text = text(is_signature)
_time = text(is_timestamp)
_base64 = text(lambda value: value and decode_base64(value) is not None)
_description = text(is_description)
_count = whole(1, MAX_COUNT)

_common: dict[str, Shape | Optional] = {
    "vault": _vault_id,
    "serial": _count,
    "signatures": array(fields({"key": _verify_key, "alg": one_of("ed25519"), "sig": _signature_text}), 1, _MAX_OWNERS),
}
_owner_exposure = fields({"owner": _lower_name, "key": _id, "since": _time})
_agent_exposure = fields({"agent": _lower_name, "key": _id, "since": _time})

_RECORDS: dict[str, Shape] = {
    "vault": fields(
        {
            **_common,
            "type": one_of("vault"),
            "format": one_of(FORMAT),
            "suite": one_of("pq", "classic"),
            "owners": array(
                fields({"name": _lower_name, "recipient": _recipient, "verifyKey": _verify_key}),
                1,
                _MAX_OWNERS,
            ),
            "policy": fields({"audit": one_of("required", "best-effort")}),
            "succession": array(
                fields({"from": _verify_key, "to": _verify_key, "at": _time, "sig": _signature_text}),
                0,
                _MAX_SUCCESSION_LINKS,
            ),
            "createdAt": _time,
        }
    ),
    "agent": fields(
        {
            **_common,
            "type": one_of("agent"),
            "name": _lower_name,
            "recipient": _recipient,
            "verifyKey": _verify_key,
            "createdAt": _time,
            "description": Optional(_description),
            "exposedTo": Optional(array(_owner_exposure, 1)),
            "escrow": _base64,
        }
    ),
    "grant": fields(
        {
            **_common,
            "type": one_of("grant"),
            "agent": _lower_name,
            "group": _lower_name,
            "epoch": _count,
            "grantedAt": _time,
            "expiresAt": Optional(_time),
            "sealed": _base64,
        }
    ),
    "group": fields(
        {
            **_common,
            "type": one_of("group"),
            "name": _lower_name,
            "recipient": _recipient,
            "epoch": _count,
            "createdAt": _time,
            "description": Optional(_description),
            "policy": fields(
                {
                    "reveal": Optional(one_of(True, False)),
                    "commands": Optional(array(array(_description, 1), 0)),
                    "origins": Optional(array(text(_ORIGIN.fullmatch), 0)),
                }
            ),
            "sealed": _base64,
        }
    ),
    "secret": fields(
        {
            **_common,
            "type": one_of("secret"),
            "group": _lower_name,
            "name": _secret_name,
            "epoch": _count,
            "valueId": _id,
            "setAt": _time,
            "expiresAt": Optional(_time),
            "description": Optional(_description),
            "env": Optional(_secret_name),
            "deliver": one_of("env", "file"),
            "unsafeName": Optional(one_of(True)),
            "exposedTo": array(either(_agent_exposure, _owner_exposure), 0),
            "sealed": _base64,
        }
    ),
    "allow": fields(
        {
            **_common,
            "type": one_of("allow"),
            "entries": array(fields({"fingerprint": text(_HEX_64.fullmatch), "reason": _description, "at": _time}), 0),
        }
    ),
}
_tombstone: dict[str, Shape | Optional] = {**_common, "type": one_of("tombstone"), "removedAt": _time}
_TOMBSTONES: dict[str, Shape] = {
    "agent": fields({**_tombstone, "of": one_of("agent"), "name": _lower_name}),
    "grant": fields({**_tombstone, "of": one_of("grant"), "agent": _lower_name, "group": _lower_name}),
    "secret": fields({**_tombstone, "of": one_of("secret"), "group": _lower_name, "name": _secret_name}),
}


def find_mismatch(value: object) -> str | None:
    """What keeps a parsed JSON value from being a record, in words; None where it is one. Never the value."""
    if not isinstance(value, dict):
        return "not an object"
    is_tombstone = value.get("type") == "tombstone"
    kind = value.get("of") if is_tombstone else value.get("type")
    shape = (_TOMBSTONES if is_tombstone else _RECORDS).get(kind) if isinstance(kind, str) else None
    if shape is None:
        return "not a type of record"
    found = shape(value)
    if found is None:
        return None
    return f"field {found or '(record)'} is missing, unknown or not as expected"
