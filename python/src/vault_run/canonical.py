"""RFC 8785 (JCS): the one text that a JSON value has, as far as records, payloads and audit lines go.

They have ASCII keys, whole numbers, and no ``null``, so ``json.dumps`` spells them as JCS does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

JsonObject = dict[str, Any]


def canonical_bytes(value: JsonObject) -> bytes:
    """The canonical form in UTF-8. Raises UnicodeEncodeError for half a surrogate pair, which has none."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def parse_json(text: str, parse_float: Callable[[str], float] = float) -> object:
    """Parse RFC 8259 and nothing more. Raises ValueError for anything else."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=parse_float)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def whole_number(text: str) -> int | float:
    """For ``json.loads``: 1.0 and 1e0 are whole numbers too, where a text has no one spelling."""
    number = float(text)
    return int(number) if number.is_integer() else number


def _refuse(word: str) -> object:
    raise ValueError(f"not JSON: {word}")
