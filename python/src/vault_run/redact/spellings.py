"""The spellings of a value that are looked for, each once: the same as the launcher's (docs/REDACTION.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from .encodings import (
    base64_forms,
    base64url_forms,
    byte_string,
    hex_forms,
    json_forms,
    percent_forms,
    plain_json_forms,
    repr_forms,
    shell_forms,
    xml_forms,
    yaml_forms,
)

# Escaped forms have no minimum of their own: of a value of six bytes they are as telling as the value.
_MIN_RAW_BYTES = 6
_MIN_ENCODED_BYTES = 8
_MIN_LINE_BYTES = 16
# The last line of a key is often short, and no words stand in a key.
_MIN_PEM_LINE_BYTES = 8
# Nobody waits seconds for a value of 1 MiB. What programs print of long values are files, dumps and JSON.
_LARGE_BYTES = 4096
_HUGE_BYTES = 65_536

_SPACES = "\t\n\v\f\r "
# Of such bytes no escaper changes any, and of such some encoders of JSON and of URLs alone.
_UNRESERVED = re.compile(r"[A-Za-z0-9_.-]*")
_ESCAPED_IN_JSON = re.compile(r'[^\x20-\x7e]|["\\]')
_LIKE_BASE64 = re.compile(r"[A-Za-z0-9_.+/=-]*")
# Between such a line's dashes there is no CR: a whole key whose lines end in that alone is none.
_PEM_BOUNDARY = re.compile(r"-----(BEGIN|END) [^\r\n]*-----")
_BYTE_ORDER_MARK = "\xef\xbb\xbf"


def spellings_of(value: bytes) -> dict[bytes, str]:
    """What is looked for, and the name of its encoding. Empty where the value is too short."""
    spellings = _Spellings()
    content = value.decode("latin-1").strip(_SPACES)
    if len(content) >= _MIN_RAW_BYTES:
        spellings.add_whole(content, "raw")
        spellings.add_leaves(content)
    return {bytes_.encode("latin-1"): encoding for bytes_, encoding in spellings.found.items()}


class _Spellings:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def add(self, encoding: str, forms: Iterable[str], minimum: int = _MIN_RAW_BYTES) -> None:
        """The minimum is asked of every spelling: six spaces between two letters shrink to one."""
        for form in forms:
            if len(form) >= minimum:
                self.found.setdefault(form, encoding)

    def add_whole(self, content: str, encoding: str) -> None:
        self._add_text(content, encoding)
        self._add_encoded(content)
        if re.search(r"[\t-\r]|  ", content):
            self.add("spaces", [re.sub(r"[\t-\r ]+", " ", content)])
        if "\n" in content:
            self._add_multi_line(content)

    def add_leaves(self, content: str) -> None:
        """A value that is a JSON document is also used, and printed, in parts."""
        for leaf in _leaves_of(content):
            part = byte_string(leaf).strip(_SPACES)
            if len(part) < _MIN_RAW_BYTES or part in self.found:
                continue
            if len(content) > _LARGE_BYTES:
                self._add_part(part, with_python=len(content) <= _HUGE_BYTES)
            else:
                self.add_whole(part, "leaf")
            self.add_leaves(part)

    def _add_part(self, content: str, *, with_python: bool) -> None:
        """Of a large document. It is printed with other spaces between its strings, too, or one of them alone."""
        self.add("leaf", [content])
        text = _text_of(content) if _ESCAPED_IN_JSON.search(content) else None
        if text is not None:
            self.add("json", plain_json_forms(text, with_python=with_python))
        if "\n" in content:
            self._add_lines(re.split(r"\r?\n", content), is_large=True)

    def _add_multi_line(self, content: str) -> None:
        lines = re.split(r"\r?\n", content)
        self._add_layout("lf", "\n".join(lines))
        self._add_layout("crlf", "\r\n".join(lines))
        self.add("spaces", [" ".join(lines)])
        self._add_lines(lines, is_large=len(content) > _LARGE_BYTES)

    def _add_lines(self, lines: list[str], *, is_large: bool) -> None:
        is_pem = any(_PEM_BOUNDARY.fullmatch(line) for line in lines)
        minimum = _MIN_PEM_LINE_BYTES if is_pem else _MIN_LINE_BYTES
        for line in dict.fromkeys(line.strip(_SPACES) for line in lines):
            if len(line) < minimum or _PEM_BOUNDARY.fullmatch(line):
                continue
            if is_large:
                self.add("line", [line])
            else:
                self._add_text(line, "line")

    def _add_layout(self, encoding: str, content: str) -> None:
        """Of other line ends than the value's own, what files of it are usually made into."""
        if content in self.found:
            return
        self.add(encoding, [content])
        if len(content) > _LARGE_BYTES:
            return
        text = _text_of(content)
        if text is not None:
            self.add("json", plain_json_forms(text, with_python=True))
        self._add_encoded(content)

    def _add_text(self, content: str, encoding: str) -> None:
        """The bytes and their escaped forms."""
        self.add(encoding, [content])
        if _UNRESERVED.fullmatch(content):
            return
        text = _text_of(content)
        if len(content) > _LARGE_BYTES:
            if text is not None:
                self.add("json", plain_json_forms(text, with_python=len(content) <= _HUGE_BYTES))
            return
        if text is not None:
            self.add("json", json_forms(text))
        self.add("percent", percent_forms(content))
        if _LIKE_BASE64.fullmatch(content):
            return
        self.add("repr", repr_forms(content, text))
        self.add("repr", yaml_forms(content, text))
        self.add("shell", shell_forms(content))
        self.add("xml", xml_forms(content, text))

    def _add_encoded(self, content: str) -> None:
        value = content.encode("latin-1")
        forms = base64_forms(value)
        is_huge = len(content) > _HUGE_BYTES
        self.add("base64", forms, _MIN_ENCODED_BYTES)
        if not is_huge:
            self.add("base64url", base64url_forms(forms), _MIN_ENCODED_BYTES)
        self.add("hex", hex_forms(value)[: 1 if is_huge else 2], _MIN_ENCODED_BYTES)


def _text_of(content: str) -> str | None:
    try:
        return content.encode("latin-1").decode()
    except UnicodeDecodeError:
        return None


def _leaves_of(content: str) -> list[str]:
    """The strings of a JSON document that are no keys, also those that another one of the same key hides."""
    text = _text_of(content.removeprefix(_BYTE_ORDER_MARK))
    if text is None or not text.startswith(("{", "[", '"')):
        return []
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        # It only looked like it.
        return []
    found = re.findall(r'("(?:[^"\\]|\\.)*")(\s*:)?', text)
    return [json.loads(literal) for literal, colon in found if not colon]
