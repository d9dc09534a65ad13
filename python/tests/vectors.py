"""The vectors that every implementation answers alike: test/vectors/README.md says what they are."""

from __future__ import annotations

import base64
import calendar
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from repository import VECTORS

from vault_run import Vault, VaultError

Json = dict[str, Any]


def read_vaults() -> list[Json]:
    """A vault of each version and suite, with its cases."""
    return [json.loads(path.read_text()) for path in sorted(VECTORS.glob("vault-*.json"))]


def read_primitives() -> Json:
    """Single texts."""
    found: Json = json.loads((VECTORS / "primitives.json").read_text())
    return found


def vault_of(suite: str) -> Json:
    """The newest vault of a suite."""
    return next(vectors for vectors in reversed(read_vaults()) if vectors["suite"] == suite)


class VectorMachine:
    """A machine of its own, on which a case's steps are read one after the other."""

    def __init__(self, home: Path, vectors: Json, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.state = home / ".local/state/vault-run" / vectors["vault"]
        self.root = home / "repo/.vault"
        self.key_file = home / "agent.key"
        self._vectors = vectors
        self._monkeypatch = monkeypatch
        self._now = 0
        self._monkeypatch.setattr("vault_run.machine._now", lambda: self._now)
        self.lay_out({})
        self.use_key("crawler")
        self.set_clock(vectors["now"])

    def write_pins(self, pins: dict[str, str]) -> None:
        """What this machine has pinned before."""
        for name, text in pins.items():
            path = self.state / "pins" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def lay_out(self, changes: Json) -> None:
        """The vault's files, anew, with others in their place."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        for path, entry in {**self._vectors["files"], **changes}.items():
            if entry is None:
                continue
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(entry, dict) and "link" in entry:
                file.symlink_to(entry["link"])
            else:
                file.write_bytes(_content_of(entry))

    def use_key(self, whose: str) -> None:
        """Put somebody's key file in the agent's place."""
        self.key_file.unlink(missing_ok=True)
        self.key_file.touch(0o600)
        self.key_file.write_text(self._vectors["keys"][whose])

    def set_clock(self, now: str) -> None:
        """The one thing that is not real."""
        seconds = calendar.timegm(time.strptime(now[:19], "%Y-%m-%dT%H:%M:%S"))
        self._now = seconds * 1000 + int(now[20:23])

    def open(self, agent: str = "crawler") -> Vault:
        """The vault, with the key file that is there."""
        return Vault(agent=agent, path=str(self.root), key_file=str(self.key_file))

    def read(self, step: Json) -> Json:
        """What comes of a step, in its own words."""
        agent = step.get("agent", "crawler")
        self.lay_out(step.get("files", {}))
        self.use_key(str(step.get("key", agent)))
        self.set_clock(str(step.get("now", self._vectors["now"])))
        if "owner" in step:
            self._monkeypatch.setenv("VAULT_RUN_OWNER", step["owner"])
        try:
            with self.open(agent) as vault:
                if "env" in step:
                    environment = vault.env()
                    return {"variables": {name: environment[name] for name in environment.keys()}}  # noqa: SIM118
                return {"value": base64.b64encode(vault.get(step["get"]).bytes()).decode()}
        except VaultError as error:
            return {"code": error.code}


def _content_of(entry: Json | str) -> bytes:
    if isinstance(entry, str):
        return entry.encode()
    if "base64" in entry:
        return base64.b64decode(entry["base64"])
    text: str = entry["repeated"]
    return text.encode() * int(entry["times"])
