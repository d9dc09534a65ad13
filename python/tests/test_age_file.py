"""The opener of age files, held to the format's published test kit."""

from __future__ import annotations

import hashlib

import pytest
from age_vectors import Vector, read_vectors

from vault_run.age_file import DamagedAgeFile, keys_of, open_age_file
from vault_run.identity import Identity

VECTORS = read_vectors()
EACH = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
STRANGER = Identity("pq", bytes(32))
CHUNK_BYTES = 64 * 1024 + 16
LARGE_BYTES = 16 * 1024
Outcome = bytes | str


def outcome_of(file: bytes, identities: list[Identity]) -> Outcome:
    """Every identity in turn, as age tries them; a file for nobody is tried with a stranger."""
    for identity in identities or [STRANGER]:
        try:
            plaintext = open_age_file(file, keys_of(identity))
        except DamagedAgeFile:
            return "damaged"
        if plaintext is not None:
            return plaintext
    return "no match"


def test_the_kit_is_there_whole() -> None:
    assert len(VECTORS) >= 143
    assert {vector.expect for vector in VECTORS} == {
        "success",
        "no match",
        "HMAC failure",
        "header failure",
        "payload failure",
        "armor failure",
    }


@EACH
def test_comes_out_as_the_kit_says(vector: Vector) -> None:
    outcome = outcome_of(vector.file, vector.identities)
    # A vault holds binary files sealed to identities: armor and passphrases are refused whatever is in them.
    is_for_identities = bool(vector.identities) and not vector.is_armored
    if vector.expect == "success" and is_for_identities:
        assert isinstance(outcome, bytes)
        assert hashlib.sha256(outcome).hexdigest() == vector.payload
    elif vector.expect == "no match" and not vector.is_armored:
        assert outcome == "no match"
    elif is_for_identities or vector.is_armored:
        assert outcome == "damaged"
    else:
        assert isinstance(outcome, str)


@EACH
def test_cut_anywhere_is_not_what_it_was(vector: Vector) -> None:
    whole = outcome_of(vector.file, vector.identities)
    keys = [keys_of(identity) for identity in vector.identities or [STRANGER]]
    for cut in cuts_of(vector.file):
        for key in keys:
            try:
                opened = open_age_file(vector.file[:cut], key)
            except DamagedAgeFile:
                continue
            # What opens was whole, and what was cut off is garbage behind it.
            assert opened is None or vector.expect == "payload failure", cut
            assert opened is None or whole == "damaged", cut


def cuts_of(file: bytes) -> list[int]:
    """Everywhere in a small file. In a large one through the header, near the ends of some chunks, and at the end."""
    header_end = file.find(b"\n--- ")
    if len(file) <= LARGE_BYTES or header_end == -1:
        return list(range(min(len(file), LARGE_BYTES)))
    start = file.index(b"\n", header_end + 1) + 1 + 16
    ends = [start + CHUNK_BYTES, start + 2 * CHUNK_BYTES, len(file)]
    near = [cut for end in ends for cut in range(end - 20, end + 20) if cut < len(file)]
    return sorted({*range(start + 100), *near})
