"""The files of an audit log, while other processes make and remove some."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from vault_run.log_files import last_line_moved_away

if TYPE_CHECKING:
    from pathlib import Path

# Makes the empty file and removes it, until killed.
TAKE_AND_GIVE_BACK = """
import os, sys
while True:
    os.close(os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY))
    os.unlink(sys.argv[1])
"""


def test_a_number_that_is_given_back_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "audit.1.jsonl").write_bytes(b'{"last":1}\n')
    with subprocess.Popen([sys.executable, "-c", TAKE_AND_GIVE_BACK, str(tmp_path / "audit.7.jsonl")]) as others:
        try:
            while not (tmp_path / "audit.7.jsonl").exists():
                pass
            for _ in range(5000):
                assert last_line_moved_away(str(tmp_path)) == b'{"last":1}'
        finally:
            others.kill()
