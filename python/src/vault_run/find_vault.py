"""Where the vault is (docs/FORMAT.md, section 2)."""

from __future__ import annotations

import errno
import os
import stat

from .machine import Machine
from .vault_error import VaultError, disk_error

_FOLDER = ".vault"
# Where there is nothing, or nothing can be: the path is too long, goes in circles or leads through a file.
_NO_PLACE = (errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR)


def find_vault_root(machine: Machine, named: str | None) -> str:
    """The absolute path of the ``.vault`` folder: the named one, otherwise the nearest one upwards."""
    named = machine.find_named(named, "VAULT_RUN_VAULT")
    if named is not None:
        folder = os.path.normpath(os.path.join(machine.cwd, named))
        holder = os.path.dirname(folder) if os.path.basename(folder) == _FOLDER else folder
        root = os.path.join(os.path.realpath(holder), _FOLDER)
        if _is_folder(root):
            return root
        raise VaultError(
            "no-vault",
            f"no vault here: {root}",
            "name the folder that holds .vault, or make one there: vault-run init",
        )
    folder = machine.cwd
    while True:
        root = os.path.join(folder, _FOLDER)
        if _is_folder(root):
            return os.path.realpath(root)
        if os.path.dirname(folder) == folder:
            raise VaultError(
                "no-vault",
                f"no {_FOLDER} in {machine.cwd} or above it",
                "go to the repo that has one, name it with path=, or make one: vault-run init",
            )
        folder = os.path.dirname(folder)


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError as error:
        if error.errno in _NO_PLACE:
            return False
        raise disk_error(error, "look for a vault", path) from None
