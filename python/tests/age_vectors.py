"""The format's published test kit (C2SP, CCTV/age), out of its npm package."""

from __future__ import annotations

import base64
import re
import zlib
from typing import NamedTuple

from repository import ROOT

from vault_run.identity import Identity, parse_identity

_FILE = re.compile(r'^// \.\./testdata/(\w+)\nvar \w+ = __toBinary\("([^"]*)"\)', re.MULTILINE)


class Vector(NamedTuple):
    """One file, and what must come of it."""

    name: str
    expect: str
    identities: list[Identity]
    is_armored: bool
    # SHA-256 of the plaintext, of as much as may be released.
    payload: str | None
    file: bytes


def _parse(name: str, content: bytes) -> Vector:
    head, _, body = content.partition(b"\n\n")
    fields = [line.partition(": ")[::2] for line in head.decode().split("\n")]
    found = dict(fields)
    identities = [identity for key, text in fields if key == "identity" and (identity := parse_identity(text))]
    file = zlib.decompress(body) if found.get("compressed") == "zlib" else body
    return Vector(name, found["expect"], identities, found.get("armored") == "yes", found.get("payload"), file)


def read_vectors() -> list[Vector]:
    """All of them."""
    script = (ROOT / "node_modules" / "cctv-age" / "index.js").read_text()
    return [_parse(name, base64.b64decode(content)) for name, content in _FILE.findall(script)]
