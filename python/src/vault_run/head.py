"""The commit a work tree stands at, read from ``.git`` as files: no git process runs."""

from __future__ import annotations

import os
import re

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REF = re.compile(r"ref: (refs/\S+)")
_MAX_SYMREF_DEPTH = 5


def find_head_commit(folder: str) -> str | None:
    """The commit that HEAD names; None for no repository, an unborn branch, or refs in a form not read here."""
    git_folder = _find_git_folder(folder)
    if git_folder is None:
        return None
    common = _read_text(f"{git_folder}/commondir")
    common_folder = git_folder if common is None else os.path.normpath(os.path.join(git_folder, common))
    content = _read_text(f"{git_folder}/HEAD")
    for _ in range(_MAX_SYMREF_DEPTH):
        if content is None or _COMMIT.fullmatch(content):
            return content
        found = _REF.fullmatch(content)
        if found is None or ".." in found[1].split("/"):
            return None
        content = (
            _read_text(f"{git_folder}/{found[1]}")
            or _read_text(f"{common_folder}/{found[1]}")
            or _find_packed(common_folder, found[1])
        )
    return None


def has_change_under_way(folder: str) -> bool:
    """Whether a change to the vault in this folder is half made: its journal is there (FORMAT.md, 10.4)."""
    git_folder = _find_git_folder(folder)
    return git_folder is not None and os.path.lexists(f"{git_folder}/vault-run/journal.json")


def _find_git_folder(folder: str) -> str | None:
    at = folder
    while True:
        git = os.path.join(at, ".git")
        if os.path.isdir(git) and not os.path.islink(git):
            return git
        if os.path.isfile(git) and not os.path.islink(git):
            found = re.search(r"^gitdir: (.+)$", _read_text(git) or "", re.MULTILINE)
            return None if found is None else os.path.normpath(os.path.join(at, found[1]))
        if os.path.dirname(at) == at:
            return None
        at = os.path.dirname(at)


def _find_packed(common_folder: str, ref: str) -> str | None:
    text = f"{_read_text(f'{common_folder}/packed-refs') or ''}\n"
    end = text.find(f" {ref}\n")
    return None if end == -1 else text[text.rfind("\n", 0, end) + 1 : end].split(" ", maxsplit=1)[0]


def _read_text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return None
