"""The lock that pins are written under, which the launcher takes, too."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from vault_run.lock import LockSelf, hold_lock
from vault_run.vault_error import VaultError

SELF = LockSelf(os.getpid(), socket.gethostname(), "test")


def take(path: Path, wait_seconds: float = 0.1, stale_seconds: float = 60.0) -> Any:
    return hold_lock(str(path), SELF, wait_seconds, stale_seconds, lambda: False)


def left_by(path: Path, **changes: Any) -> None:
    space = os.readlink("/proc/self/ns/pid")
    holder = {"pid": os.getpid(), "host": SELF.host, "doing": "test", "started": "", "space": space, "token": "0" * 32}
    path.write_text(f"{json.dumps({**holder, **changes})}\n")


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_is_held_by_one_and_then_by_the_next(home: Path) -> None:
    path = home / "lock"
    with take(path) as held:
        assert held
        assert json.loads(path.read_text())["pid"] == os.getpid()
        assert path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(VaultError) as caught, take(path):
            pass
        assert caught.value.code == "locked"
        assert f"process {os.getpid()}" in str(caught.value)
    assert list(home.iterdir()) == []


def test_is_let_go_when_what_is_done_under_it_fails(home: Path) -> None:
    with pytest.raises(ValueError, match="whatever"), take(home / "lock"):
        raise ValueError("whatever")
    assert list(home.iterdir()) == []


def test_is_taken_over_from_the_dead(home: Path) -> None:
    path = home / "lock"
    left_by(path, pid=dead_pid())
    (home / f"lock.{'1' * 32}").touch()
    with take(path) as held:
        assert held
        assert [entry.name for entry in home.iterdir()] == ["lock"]
    left_by(path, started="another process of the same number")
    with take(path) as held:
        assert held


def test_is_taken_over_from_the_dead_where_another_users_process_has_the_number() -> None:
    # Where another user may look for it, other than in the folders that pytest makes.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        path = Path(folder) / "lock"
        left_by(path, started="another process of the same number")
        script = f"""
import os
from vault_run.lock import LockSelf, hold_lock
os.setuid(65534)
with hold_lock({str(path)!r}, LockSelf(os.getpid(), {SELF.host!r}, "t"), 0.1, 60.0, bool) as held:
    assert held
"""
        assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_is_not_taken_over_from_another_namespace_of_processes(home: Path) -> None:
    left_by(home / "lock", space="pid:[1]", pid=dead_pid())
    with pytest.raises(VaultError, match="in another container or PID namespace"), take(home / "lock"):
        pass


def test_whose_holder_stood_still_too_long_lets_it_replace_nothing(home: Path) -> None:
    path = home / "lock"
    with take(path) as first:
        os.utime(path, (time.time() - 61, time.time() - 61))
        with take(path) as second:
            second.replace_file(str(home / "file"), b"newer")
            with pytest.raises(VaultError, match="stood still"):
                first.replace_file(str(home / "file"), b"older")
        with pytest.raises(VaultError, match="stood still"):
            first.replace_file(str(home / "file"), b"older")
    assert (home / "file").read_bytes() == b"newer"
    assert [entry.name for entry in home.iterdir()] == ["file"]


def test_is_taken_over_when_it_is_old_whoever_holds_it(home: Path) -> None:
    path = home / "lock"
    left_by(path, host="another")
    with pytest.raises(VaultError), take(path):
        pass
    os.utime(path, (time.time() - 61, time.time() - 61))
    with take(path) as held:
        assert held


def test_is_not_waited_for_where_it_has_become_moot(home: Path) -> None:
    left_by(home / "lock")
    with hold_lock(str(home / "lock"), SELF, 10.0, 60.0, lambda: True) as held:
        assert held is None
    assert (home / "lock").exists()


HOLDER = {"pid": 1, "host": "other", "doing": "test", "started": "", "space": "", "token": "0" * 32}
NO_LOCKS = ["", "{}", "not json", '{"pid": "1"}', "[" * 100_000]
OUT_OF_BOUNDS = [json.dumps({**HOLDER, "pid": 2**53}), json.dumps(HOLDER) + " " * 65_536]
UNSHOWABLE = [json.dumps({**HOLDER, **change}) for change in ({"doing": "\x1b[2J"}, {"host": "x" * 1025})]


@pytest.mark.parametrize("content", NO_LOCKS + OUT_OF_BOUNDS + UNSHOWABLE)
def test_what_is_no_lock_is_left_alone(home: Path, content: str) -> None:
    (home / "lock").write_text(content)
    with pytest.raises(VaultError, match="not a lock file"), take(home / "lock"):
        pass
    assert (home / "lock").read_text() == content


def test_a_folder_is_no_lock(home: Path) -> None:
    (home / "lock").mkdir()
    with pytest.raises(VaultError, match="not a lock file"), take(home / "lock"):
        pass


@pytest.mark.parametrize(("spelled", "instead"), [(b'"pid": 1,', b'"pid": 1.0,'), (b"other", b"\xff")])
def test_a_lock_need_not_be_spelled_as_it_is_written_here(home: Path, spelled: bytes, instead: bytes) -> None:
    (home / "lock").write_bytes(json.dumps(HOLDER).encode().replace(spelled, instead))
    with pytest.raises(VaultError, match="another vault-run holds the lock"), take(home / "lock"):
        pass


def test_a_link_is_no_lock(home: Path) -> None:
    left_by(home / "elsewhere", pid=dead_pid())
    (home / "lock").symlink_to(home / "elsewhere")
    with pytest.raises(VaultError, match="not a lock file"), take(home / "lock"):
        pass


def test_many_at_once_lose_nothing(home: Path) -> None:
    script = f"""
import os, socket
from vault_run.lock import LockSelf, hold_lock
for _ in range(20):
    with hold_lock({str(home / "lock")!r}, LockSelf(os.getpid(), socket.gethostname(), "t"), 60.0, 60.0, bool):
        count = int(open("count").read())
        open("count", "w").write(str(count + 1))
"""
    (home / "count").write_text("0")
    processes = [subprocess.Popen([sys.executable, "-c", script], cwd=home) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert (home / "count").read_text() == "80"
