"""``python -m vault_run list``: what an agent was granted, without opening any of it."""

from __future__ import annotations

import argparse
import json
import sys

from .vault import SecretInfo, Vault
from .vault_error import VaultError

_USAGE_CODES = ("usage", "bad-name")
_HEADINGS = ("SECRET", "VARIABLE", "AS", "SET", "EXPIRES", "DESCRIPTION")


def main(words: list[str] | None = None) -> int:
    """Run the program; its exit status: 0 done, 1 refused, 2 usage."""
    options = _parser().parse_args(words)
    try:
        with Vault(agent=options.agent, path=options.vault, key_file=options.key_file) as vault:
            found = vault.list()
    except VaultError as error:
        sys.stderr.write(f"vault-run: {error}\n  {error.hint}\n")
        return 2 if error.code in _USAGE_CODES else 1
    sys.stdout.write(_json(found) if options.json else _table(found))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vault_run", allow_abbrev=False)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    verb = verbs.add_parser("list", help="what an agent was granted, without opening it", allow_abbrev=False)
    verb.add_argument("--agent", metavar="NAME", help="who asks")
    verb.add_argument("--vault", metavar="DIR", help="the folder that holds .vault")
    verb.add_argument("--key-file", metavar="FILE", help="the agent's key file")
    verb.add_argument("--json", action="store_true", help="as JSON")
    return parser


def _json(found: tuple[SecretInfo, ...]) -> str:
    secrets = [
        {
            "group": info.group,
            "name": info.name,
            "variable": info.variable,
            "deliver": info.deliver,
            "valueId": info.value_id,
            "setAt": info.set_at,
            "expiresAt": info.expires_at,
            "description": info.description,
        }
        for info in found
    ]
    return f"{json.dumps({'secrets': secrets}, indent=2, ensure_ascii=False)}\n"


def _table(found: tuple[SecretInfo, ...]) -> str:
    rows = [_HEADINGS] + [
        (
            info.ref,
            info.variable,
            info.deliver,
            info.set_at[:10],
            (info.expires_at or "-")[:10],
            info.description or "-",
        )
        for info in found
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
