"""Reads vaults for another reader that compares: a line of JSON in, a line out, until there is no more."""

from __future__ import annotations

import base64
import json
import os
import sys
from typing import Any

from vault_run import Vault, VaultError, machine

_clock = 0
machine._now = lambda: _clock


def read(step: dict[str, Any]) -> dict[str, Any]:
    """What comes of a reading."""
    global _clock
    _clock = step["now"]
    os.environ["HOME"] = step["home"]
    os.environ.pop("VAULT_RUN_OWNER", None)
    if "owner" in step:
        os.environ["VAULT_RUN_OWNER"] = step["owner"]
    try:
        with Vault(agent=step["agent"], path=step["root"], key_file=step["keyFile"]) as vault:
            if "get" not in step:
                environment = vault.env()
                return {"variables": {name: environment[name] for name in environment.keys()}}  # noqa: SIM118 - it is no dict
            return {"value": base64.b64encode(vault.get(step["get"]).bytes()).decode()}
    except VaultError as error:
        return {"code": error.code}
    except Exception as error:  # noqa: BLE001 - what it is counts as a difference
        return {"crash": repr(error)}


for line in sys.stdin:
    print(json.dumps([read(step) for step in json.loads(line)]), flush=True)
