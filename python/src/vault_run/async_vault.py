"""The same for asyncio: every call works in a thread of its own, so no loop waits for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .environment import Environment
from .secret import Secret
from .vault import SecretInfo, Vault

if TYPE_CHECKING:
    from types import TracebackType


class AsyncVault:
    """``async with AsyncVault(agent="crawler") as vault: key = await vault.get("stripe/API_KEY")``."""

    def __init__(self, *, agent: str | None = None, path: str | None = None, key_file: str | None = None) -> None:
        self._named = {"agent": agent, "path": path, "key_file": key_file}
        self._opened: Vault | None = None

    async def __aenter__(self) -> AsyncVault:
        self._opened = await asyncio.to_thread(Vault, **self._named)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            self._opened.close()

    async def get(self, ref: str, *, allow_expired: bool = False) -> Secret:
        """As ``Vault.get``."""
        return await asyncio.to_thread(self._vault.get, ref, allow_expired=allow_expired)

    async def env(self, *, only: Iterable[str] | None = None, allow_expired: bool = False) -> Environment:
        """As ``Vault.env``."""
        return await asyncio.to_thread(self._vault.env, only=only, allow_expired=allow_expired)

    async def list(self) -> tuple[SecretInfo, ...]:
        """As ``Vault.list``."""
        return await asyncio.to_thread(self._vault.list)

    async def groups(self) -> tuple[str, ...]:
        """As ``Vault.groups``."""
        return await asyncio.to_thread(self._vault.groups)

    @property
    def _vault(self) -> Vault:
        if self._opened is None:
            raise ValueError("the vault is opened by `async with`")
        return self._opened
