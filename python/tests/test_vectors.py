"""The vectors: what the launcher answers, this answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from vectors import VectorMachine, read_primitives, read_vaults

from vault_run.identity import is_recipient, parse_identity
from vault_run.key_file import parse_key_file
from vault_run.moment import is_timestamp
from vault_run.names import parse_secret_ref
from vault_run.paths import is_record_path
from vault_run.schema import is_description
from vault_run.signing_key import SigningKey, fingerprint
from vault_run.unsafe_names import is_unsafe_variable
from vault_run.vault_error import VaultError

VAULTS = read_vaults()
PRIMITIVES = read_primitives()
CASES = [
    pytest.param(vectors, case, id=f"{vectors['version']}-{vectors['suite']}-{case['name']}")
    for vectors in VAULTS
    for case in vectors["cases"]
]
EACH_VAULT = pytest.mark.parametrize("vectors", VAULTS, ids=lambda vectors: f"{vectors['version']}-{vectors['suite']}")


@pytest.mark.parametrize(("vectors", "case"), CASES)
def test_a_case_comes_out_as_written_down(
    vectors: dict[str, Any], case: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = VectorMachine(home, vectors, monkeypatch)
    machine.write_pins(case.get("pins", {}))
    for step in case["steps"]:
        assert machine.read(step) == {name: step[name] for name in ("value", "variables", "code") if name in step}


@EACH_VAULT
def test_leaves_pins_as_written_down(vectors: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = VectorMachine(home, vectors, monkeypatch)
    machine.open().get("stripe/API_KEY")
    pinned: dict[str, Any] = {}
    for path in (machine.state / "pins").rglob("*.json"):
        assert path.stat().st_mode & 0o777 == 0o600
        pinned.update(json.loads(path.read_text())["records"])
    assert pinned == vectors["pinned"]
    assert not (machine.state / "pins/lock").exists()


@EACH_VAULT
def test_lists_what_was_granted(vectors: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = VectorMachine(home, vectors, monkeypatch)
    listed = [
        {
            "group": info.group,
            "name": info.name,
            "variable": info.variable,
            "deliver": info.deliver,
            "valueId": info.value_id,
            "setAt": info.set_at,
            "expiresAt": info.expires_at,
            "description": info.description,
        }
        for info in machine.open().list()
    ]
    assert listed == vectors["granted"]
    assert machine.open().groups() == ("files", "mail", "stripe")


def test_identities_are_told_from_others_and_derive_their_keys() -> None:
    for found in PRIMITIVES["identities"]:
        identity = parse_identity(found["text"])
        key = None if identity is None else SigningKey(identity).verify_key
        assert key == found["verifyKey"], found["text"]
        assert (None if key is None else fingerprint(key)) == found["fingerprint"]


@pytest.mark.parametrize(
    ("kind", "accepts"),
    [
        ("recipients", is_recipient),
        ("times", is_timestamp),
        ("descriptions", is_description),
        ("recordPaths", is_record_path),
        ("unsafeVariables", is_unsafe_variable),
    ],
)
def test_texts_are_told_from_others(kind: str, accepts: Any) -> None:
    for found in PRIMITIVES[kind]:
        assert bool(accepts(found["text"])) == found["valid"], found["text"]


def test_places_of_secrets_are_told_from_others() -> None:
    for found in PRIMITIVES["refs"]:
        if found["valid"]:
            assert str(parse_secret_ref(found["text"])) == found["text"]
        else:
            with pytest.raises(VaultError) as caught:
                parse_secret_ref(found["text"])
            assert caught.value.code == "bad-name"


def test_key_files_are_read_to_their_pins_or_refused() -> None:
    for found in PRIMITIVES["keyFiles"]:
        assert pins_in(found["text"]) == found["pins"], found["text"]


def pins_in(text: str) -> dict[str, Any] | None:
    try:
        found = parse_key_file(text, "a key file")
    except VaultError as error:
        assert error.code == "key-file"
        return None
    return {
        "agent": found.agent,
        "vault": found.vault,
        "owners": sorted(found.owners),
        "formerOwners": sorted(found.former_owners),
    }
