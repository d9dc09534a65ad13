"""What is taken from the process."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from vault_run.machine import this_machine
from vault_run.vault_error import VaultError


def test_home_is_where_the_launcher_has_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert this_machine().home == str(home)
    known = pwd.getpwuid(os.getuid()).pw_dir
    for not_absolute in ("", "here", None):
        if not_absolute is None:
            monkeypatch.delenv("HOME")
        else:
            monkeypatch.setenv("HOME", not_absolute)
        assert this_machine().home == known
        assert this_machine().state_folder("0" * 32) == f"{known}/.local/state/vault-run/{'0' * 32}"


def test_a_current_folder_that_is_gone_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "gone").mkdir()
    monkeypatch.chdir(home / "gone")
    (home / "gone").rmdir()
    with pytest.raises(VaultError, match="the current folder no longer exists") as caught:
        this_machine()
    assert caught.value.code == "usage"
