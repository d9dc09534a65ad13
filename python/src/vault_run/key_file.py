"""A key file: an age identity whose comment lines pin what the repo may not say (docs/FORMAT.md, section 6.1)."""

from __future__ import annotations

import os
import re
import stat
from typing import NamedTuple

from .identity import Identity, parse_identity
from .names import GROUP_NAME, VAULT_ID
from .signing_key import is_verify_key
from .vault_error import VaultError, system_code

_MAX_BYTES = 64 * 1024
# What is white space here becomes a space, so that the patterns stay small: every start compiles them.
_SPACES = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
_AS_SPACE = dict.fromkeys(map(ord, _SPACES), " ")
_PIN = re.compile(r"# *(agent|vault|owner|former-owner) *: *([^ ]+)")
_PINS = ("agent", "vault", "owner", "former-owner")
_OURS = re.compile(r"# *vault-run", re.IGNORECASE | re.ASCII)
_HEADING = re.compile(r"# vault-run (agent|owner) key:")
_LABELLED = re.compile(r"# *([!-9;<>-~]+) *[:=]")
_ENDS_IN_KEY = re.compile(r".*(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=", re.DOTALL)
_ARMOR = "-----BEGIN AGE ENCRYPTED FILE-----"
_HINT = "name the agent's key file with key_file=, or ask the owner for one"


class KeyFile(NamedTuple):
    """A key file's identity and pins; the pins are absent where it holds a bare key."""

    identity: Identity
    agent: str | None
    vault: str | None
    owners: frozenset[str]
    # Who was an owner when the file was written, and is one no more.
    former_owners: frozenset[str]


def parse_key_file(text: str, where: str) -> KeyFile:
    """Parse a key file's text. ``where`` stands for it in messages; nothing of the text does."""
    as_written = [line.strip(_SPACES) for line in re.split(r"\r?\n", text)]
    lines = [line.translate(_AS_SPACE) for line in as_written]
    if text.lstrip(_SPACES).startswith(_ARMOR):
        raise VaultError(
            "key-file",
            f"an agent's key file cannot have a passphrase, since nobody is there to type it: {where}",
            "take it off with age -d, or ask the owner for the key file",
        )
    identities = [line for line in lines if line and not line.startswith("#")]
    identity = parse_identity(identities[0]) if len(identities) == 1 else None
    if identity is None:
        raise _not_a_key(where, "it must hold exactly one age identity line (AGE-SECRET-KEY-…)")
    pins: dict[str, list[str]] = {"agent": [], "vault": [], "owner": [], "former-owner": []}
    for number, line in enumerate(lines, 1):
        found = _PIN.fullmatch(line)
        if found is not None:
            pins[found[1]].append(found[2])
        elif line.startswith("#") and _is_like_a_pin(line, as_written[number - 1]):
            # A pin that is misspelled must not pass for a comment: the key would be trusted with less than it says.
            raise _not_a_key(where, f"its line {number} is nearly a pin, and none")
    agents, vaults = pins["agent"], pins["vault"]
    if len(agents) > 1 or not all(GROUP_NAME.fullmatch(agent) for agent in agents):
        raise _not_a_key(where, "its `# agent` line is not one agent's name")
    if len(vaults) > 1 or not all(VAULT_ID.fullmatch(vault) for vault in vaults):
        raise _not_a_key(where, "its `# vault` line is not one vault's id")
    if not all(is_verify_key(key) for key in pins["owner"] + pins["former-owner"]):
        raise _not_a_key(where, "an owner's line in it is not a verify key")
    return KeyFile(
        identity,
        agents[0] if agents else None,
        vaults[0] if vaults else None,
        frozenset(pins["owner"]),
        frozenset(pins["former-owner"]),
    )


def read_key_file(path: str, *, is_credential: bool = False) -> KeyFile:
    """Read a key file, or systemd's credential; refuses one that others could read."""
    try:
        text = _read_private_file(path, is_credential).decode()
    except UnicodeDecodeError:
        raise _not_a_key(path, "it is not UTF-8 text") from None
    except OSError as error:
        raise VaultError("key-file", f"cannot read the key file ({system_code(error)}): {path}", _HINT) from None
    return parse_key_file(text, path)


def key_file_exists(path: str) -> bool:
    """Whether anything stands at the path, a link to nowhere too: what is wrong with it is for the reader to say."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _read_private_file(path: str, is_credential: bool) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        mode = status.st_mode
        if stat.S_ISDIR(mode):
            raise VaultError("key-file", f"not a key file, it is a folder: {path}", _HINT)
        if _is_open_to_others(status, is_credential):
            raise VaultError(
                "key-file",
                f"others can read this key file (mode {stat.S_IMODE(mode) & 0o777:o}): {path}",
                f"make it yours alone: chmod 600 {path}",
            )
        with os.fdopen(fd, "rb", closefd=False) as opened:
            content = opened.read(_MAX_BYTES + 1)
    finally:
        os.close(fd)
    if len(content) > _MAX_BYTES:
        raise VaultError("key-file", f"not a key file, it is no such file: {path}", _HINT)
    return content


def _is_like_a_pin(line: str, as_written: str) -> bool:
    """Whether a comment may be meant for a pin: says that it is ours, has nearly a pin's word, or ends in a key."""
    if (_OURS.match(line) and not _HEADING.match(as_written)) or _ENDS_IN_KEY.fullmatch(line):
        return True
    found = _LABELLED.match(line)
    return found is not None and any(_is_one_edit_away(found[1].lower(), pin) for pin in _PINS)


def _is_one_edit_away(one: str, other: str) -> bool:
    """Whether the words are the same but for one character, or for the order of two that stand together."""
    for _ in range(2):
        # What they share at the start goes, then, turned round, what they share at the end.
        pairs = enumerate(zip(one, other, strict=False))
        start = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
        one, other = one[start:][::-1], other[start:][::-1]
    return (len(one) <= 1 and len(other) <= 1) or (len(one) == 2 and one == other[::-1])


def _is_open_to_others(status: os.stat_result, is_credential: bool) -> bool:
    # The file of a credential stays root's, with an access list for the service's user; what looks like the group's
    # right to read (0440) is then that list's mask.
    others = status.st_mode & 0o077
    is_mask = is_credential and others == 0o040 and status.st_uid == 0 and status.st_gid == 0
    return others != 0 and not is_mask


def _not_a_key(where: str, why: str) -> VaultError:
    return VaultError(
        "key-file",
        f"not a key file, {why}: {where}",
        "use the file that vault-run init or vault-run add-agent wrote",
    )
