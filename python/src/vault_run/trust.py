"""Who may sign a vault, which is never taken from the vault alone (docs/FORMAT.md, section 6).

Each source of trust names keys, and every source at hand must lead to a signer of vault.json: directly, or along
``succession``, each link signed by the key before it. Links are followed forward only, and none to a former owner.
"""

from __future__ import annotations

from typing import NamedTuple

from .canonical import canonical_bytes
from .record import is_signed, signed_bytes
from .schema import VaultRecord
from .signing_key import holds
from .vault_error import VaultError

_LINK_PREFIX = b"vault-run/succession/v1\0"


class TrustSource(NamedTuple):
    """Verify keys that something at hand vouches for."""

    # For messages: a key file's path, "VAULT_RUN_OWNER", "this machine".
    origin: str
    keys: frozenset[str]
    # Keys that no way from here may lead to or past, and that may be no owner's.
    former: frozenset[str] = frozenset()


def verify_vault_record(record: VaultRecord, sources: list[TrustSource]) -> frozenset[str]:
    """Check that each source leads to an owner who signed vault.json; the keys that may sign the other records."""
    if not sources:
        raise VaultError(
            "untrusted",
            "nothing here says whose vault this is: neither the key file nor VAULT_RUN_OWNER names the owner's verify"
            " key",
            "use the key file as `vault-run add-agent` wrote it, or set VAULT_RUN_OWNER to the owner's verify key",
        )
    for field in ("name", "verifyKey", "recipient"):
        _require_distinct([str(dict(owner)[field]) for owner in record["owners"]])
    owners = frozenset(owner["verifyKey"] for owner in record["owners"])
    if any(source.former & owners for source in sources):
        raise former_owner()
    linked = {link[end] for link in record["succession"] for end in ("from", "to")}
    message = signed_bytes(record)
    for source in sources:
        trusted = _reachable(source, record) & owners
        if not trusted:
            raise VaultError(
                "untrusted",
                f"the vault's owners are not those that {source.origin} pins: .vault/vault.json",
                "someone replaced the owner key, or the key belongs to another vault; ask the owner which verify key"
                " is right",
            )
        if not is_signed(record, message, trusted, owners | linked):
            raise VaultError(
                "record-signature",
                "no trusted owner signed this record: .vault/vault.json",
                "restore it from a commit that was good: git log -- .vault/vault.json",
            )
    return owners


def former_owner() -> VaultError:
    """The refusal of a vault that lists someone who is known to be no owner any more."""
    return VaultError(
        "untrusted",
        "it lists an owner whose key is known here to have been removed or replaced: .vault/vault.json",
        "someone put an owner back who is none; pull the latest vault, and see who did: git log -- .vault/vault.json",
    )


def _require_distinct(texts: list[str]) -> None:
    if len(set(texts)) != len(texts):
        raise VaultError(
            "record-invalid",
            "not a valid record, an owner stands twice: .vault/vault.json",
            "restore it from a commit that was good: git log -- .vault/vault.json",
        )


def _reachable(source: TrustSource, record: VaultRecord) -> set[str]:
    found = set(source.keys)
    waiting = list(source.keys)
    while waiting:
        key = waiting.pop()
        for link in record["succession"]:
            to = link["to"]
            if link["from"] != key or to in found or to in source.former:
                continue
            unsigned = {name: link[name] for name in ("at", "from", "to")} | {"vault": record["vault"]}
            if holds(key, _LINK_PREFIX + canonical_bytes(unsigned), link["sig"]):
                found.add(to)
                waiting.append(to)
    return found
