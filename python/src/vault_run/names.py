"""The grammars of docs/FORMAT.md, section 2: whatever passes is one path segment and safe to print."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from .vault_error import VaultError

GROUP_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
SECRET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
VAULT_ID = re.compile(r"[0-9a-f]{32}")
# Control characters, line separators, and what changes the direction of text.
_CONTROLS = frozenset(
    map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)])
)
_SHOWN_CHARACTERS = 80

_LOWER_NAME_HINT = "use 1 to 64 of a-z 0-9 . _ - beginning with a letter or digit"
_VARIABLE_HINT = "use a name an environment variable can have: letters, digits and _, at most 128, no digit first"


class SecretRef(NamedTuple):
    """A secret's place, written ``GROUP/NAME``."""

    group: str
    name: str

    def __str__(self) -> str:
        return f"{self.group}/{self.name}"


def parse_agent_name(text: str) -> str:
    """An agent's name, or ``bad-name``."""
    return _parse(GROUP_NAME, text, "an agent's", _LOWER_NAME_HINT)


def parse_group_name(text: str) -> str:
    """A group's name, or ``bad-name``."""
    return _parse(GROUP_NAME, text, "a group's", _LOWER_NAME_HINT)


def parse_secret_ref(text: str) -> SecretRef:
    """Parse ``GROUP/NAME``."""
    if not isinstance(text, str):
        raise TypeError("a secret's place is a text, GROUP/NAME")
    group, slash, name = text.partition("/")
    if not slash:
        raise VaultError("bad-name", "no group before the secret's name", "write it as GROUP/NAME")
    return SecretRef(parse_group_name(group), _parse(SECRET_NAME, name, "a secret's", _VARIABLE_HINT))


def printable(text: str) -> str:
    """Untrusted text made fit for one line of a terminal: quoted, escaped, cut at 80 characters."""
    cut = f"{text[:_SHOWN_CHARACTERS]}…" if len(text) > _SHOWN_CHARACTERS else text
    return json.dumps(cut)


def has_controls(text: str) -> bool:
    """Whether a text holds control characters, line separators, or what changes the direction of text."""
    return not _CONTROLS.isdisjoint(text)


def _parse(grammar: re.Pattern[str], text: str, whose: str, hint: str) -> str:
    if grammar.fullmatch(text) is not None:
        return text
    # What stands behind an `=` may be a value someone put there: it is never repeated.
    shown, equals, _ = text.partition("=")
    rest = " and something behind an =, which is not shown" if equals else ""
    raise VaultError("bad-name", f"not {whose} name: {printable(shown)}{rest}", hint)
