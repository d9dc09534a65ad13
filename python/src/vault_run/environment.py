"""What a program is to be given as environment variables."""

from __future__ import annotations

from collections.abc import KeysView
from typing import NoReturn, SupportsIndex

from .schema import SecretRecord
from .secret import Secret
from .unsafe_names import is_unsafe_variable
from .vault_error import VaultError


class Environment:
    """Variables and their values: ``subprocess.run(command, env={**os.environ, **vault.env()})``.

    Not a Mapping, and printed with masks: whatever looks at objects sees no value in it.
    """

    __slots__ = ("_secrets",)

    def __init__(self, secrets: dict[str, Secret]) -> None:
        self._secrets = secrets

    def keys(self) -> KeysView[str]:
        """The variables' names."""
        return self._secrets.keys()

    def __getitem__(self, variable: str) -> str:
        return self._secrets[variable].reveal()

    def __contains__(self, variable: object) -> bool:
        return variable in self._secrets

    def __len__(self) -> int:
        return len(self._secrets)

    def __repr__(self) -> str:
        return f"Environment({self._secrets})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("Environment objects are not pickled: the values would be in the pickle")


def variable_of(record: SecretRecord) -> str:
    """The variable that a secret is injected as."""
    return record.get("env", record["name"])


def variables_of(records: list[SecretRecord]) -> dict[str, SecretRecord]:
    """Which secret stands in which variable; refuses two for one, and a variable that steers what runs."""
    chosen: dict[str, SecretRecord] = {}
    for record in records:
        variable, ref = variable_of(record), _ref(record)
        if variable in chosen:
            raise VaultError(
                "collision",
                f"{_ref(chosen[variable])} and {ref} both want the variable {variable}",
                "name those that you want with only=, or have the owner set one of them with --env OTHER_NAME",
            )
        chosen[variable] = record
    for variable, record in chosen.items():
        if is_unsafe_variable(variable) and "unsafeName" not in record:
            raise VaultError(
                "unsafe-name",
                f"{_ref(record)} may not be injected as {variable}: that variable makes programs load code or"
                " change what they run",
                "leave it out with only=, or have the owner set it with --unsafe-name",
            )
    return chosen


def make_environment(variables: list[str], secrets: list[Secret]) -> Environment:
    """The opened values under their variables. One that is not UTF-8 without U+0000 is ``bad-value``."""
    for secret in secrets:
        if not secret.is_text():
            raise VaultError(
                "bad-value",
                f"{secret.ref} is binary and cannot stand in a variable",
                f'read it with get("{secret.ref}").bytes()',
            )
    return Environment(dict(zip(variables, secrets, strict=True)))


def require_for_variable(record: SecretRecord) -> None:
    """Refuse a secret that its owner wants delivered as a file."""
    if record["deliver"] != "env":
        raise VaultError(
            "bad-value",
            f"{_ref(record)} is delivered as a file, not in a variable",
            f'read it with get("{_ref(record)}").bytes()',
        )


def _ref(record: SecretRecord) -> str:
    return f"{record['group']}/{record['name']}"
