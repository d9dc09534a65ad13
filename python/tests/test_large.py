"""10 MB of hostile input cost no reader more than a second and 200 MB."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from large import READERS

MAX_SECONDS = 1.0
MAX_GROWTH_MB = 200


@pytest.mark.parametrize("reader", READERS)
def test_10_mb(reader: str) -> None:
    script = Path(__file__).with_name("large.py")
    printed = subprocess.run([sys.executable, script, reader], check=True, capture_output=True, text=True, timeout=300)
    for line in printed.stdout.splitlines():
        found = json.loads(line)
        # Twice: other tests run beside it.
        assert found["seconds"] < 2 * MAX_SECONDS, found
        assert found["mb"] < MAX_GROWTH_MB, found
