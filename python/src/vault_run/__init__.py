"""Reads the git-native, age-encrypted secret vaults of vault-run.

``Vault`` reads secrets as an agent, ``AsyncVault`` does under asyncio, and ``vault_run.redacting`` masks values in what
a program logs and prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .environment import Environment
from .secret import Secret
from .vault import SecretInfo, Vault
from .vault_error import ErrorCode, VaultError

if TYPE_CHECKING:
    from .async_vault import AsyncVault

__all__ = ["AsyncVault", "Environment", "ErrorCode", "Secret", "SecretInfo", "Vault", "VaultError"]


def __getattr__(name: str) -> object:
    # asyncio is loaded by those who use it.
    if name == "AsyncVault":
        from .async_vault import AsyncVault  # noqa: PLC0415

        return AsyncVault
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
