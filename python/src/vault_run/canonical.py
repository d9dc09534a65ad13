"""RFC 8785 (JCS): the one text that a JSON value has, as far as records, payloads and audit lines go.

They have ASCII keys, whole numbers, and no ``null``, so ``json.dumps`` spells them as JCS does.
"""

from __future__ import annotations

import json
from typing import Any

JsonObject = dict[str, Any]


def canonical_bytes(value: JsonObject) -> bytes:
    """The canonical form in UTF-8. Raises UnicodeEncodeError for half a surrogate pair, which has none."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def parse_json(text: str) -> object:
    """Parse RFC 8259 and nothing more. Raises ValueError for anything else."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(word: str) -> object:
    raise ValueError(f"not JSON: {word}")
