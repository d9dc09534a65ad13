"""What the package may know of the process and host it runs in."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from .vault_error import VaultError


def _now() -> int:
    return time.time_ns() // 1_000_000


class Machine(NamedTuple):
    """Made once, at the edge."""

    env: Mapping[str, str]
    cwd: str
    home: str
    host: str
    uid: int
    # Milliseconds since 1970, UTC.
    now: Callable[[], int]

    def __repr__(self) -> str:
        # A variable may hold a key file's text.
        return "<machine>"

    def find_variable(self, name: str) -> str | None:
        """A variable's value. Set but empty is an error: a blank from a template must not mean "look elsewhere"."""
        value = self.env.get(name)
        if value == "":
            raise VaultError("usage", f"{name} is set but empty", f"give it a value, or unset {name}")
        return value

    def find_named(self, named: str | None, variable: str) -> str | None:
        """What an option names, or else a variable. An empty option would be the current folder."""
        if named == "":
            raise VaultError("usage", f"what is named in place of {variable} is empty", "name it, or leave it out")
        return named if named is not None else self.find_variable(variable)

    def state_folder(self, vault: str) -> str:
        """Pins and the audit log."""
        return f"{self._xdg('XDG_STATE_HOME', '.local/state')}/vault-run/{vault}"

    def config_folder(self, vault: str) -> str:
        """The key files that have no other place."""
        return f"{self._xdg('XDG_CONFIG_HOME', '.config')}/vault-run/{vault}"

    def _xdg(self, variable: str, fallback: str) -> str:
        folder = self.env.get(variable, "")
        if not folder.startswith("/") and not self.home.startswith("/"):
            raise VaultError("usage", "there is no home folder: HOME is not set", f"set HOME, or {variable}")
        # The specification says that a relative path there is invalid and is to be ignored.
        return folder if folder.startswith("/") else f"{self.home}/{fallback}"


def this_machine() -> Machine:
    """The process as it is now."""
    return Machine(os.environ, _current_folder(), _home_folder(), os.uname().nodename, os.getuid(), _now)


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        raise VaultError("usage", "the current folder no longer exists", "change to a folder that does") from None


def _home_folder() -> str:
    """HOME where it is an absolute path, otherwise what the system knows, as for the launcher: the pins are there."""
    home = os.environ.get("HOME", "")
    if home.startswith("/"):
        return home
    import pwd  # noqa: PLC0415 - seldom asked

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""
