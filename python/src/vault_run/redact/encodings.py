"""How programs spell a value inside something else: JSON, base64, hex, percent-encoding, shells, XML, repr, YAML.

Byte strings are texts of one character a byte (latin-1), whatever the bytes mean. That keeps the escapers plain
replacements. ``text`` is what the bytes are in UTF-8; None where they are none.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import NamedTuple


def byte_string(text: str) -> str:
    """A text's bytes in UTF-8."""
    return text if text.isascii() else text.encode(errors="surrogatepass").decode("latin-1")


class _Dialect(NamedTuple):
    escaped: re.Pattern[str]
    is_upper: bool = False
    # Characters that have no short escape here, though JSON knows one.
    long: str = ""


# Which characters are escaped, and how, differs from one JSON writer to the next. Each of these is somebody's default.
_STRINGIFY = _Dialect(re.compile(r'[\x00-\x1f"\\]'))  # JSON.stringify, Rust
_PYTHON = _Dialect(re.compile(r'[^\x20-\x7e]|["\\]'))
_PHP = _Dialect(re.compile(r'[^\x20-\x7f]|["\\/]'))
_DIALECTS = (
    _STRINGIFY,
    _Dialect(re.compile(r'[\x00-\x1f\x7f"\\]')),  # jq
    _PYTHON,
    _Dialect(re.compile(r'[^\x20-\x7f]|["\\]')),  # Ruby, Perl
    _Dialect(re.compile(r'[^\x20-\x7f]|["\\]'), is_upper=True),  # Java
    _Dialect(re.compile(r'[\x00-\x1f"\\/]')),  # PHP with JSON_UNESCAPED_UNICODE
    _PHP,
    _Dialect(re.compile(r'[\x00-\x1f"\\<>&\u2028\u2029]')),  # Go
    _Dialect(re.compile(r'[\x00-\x1f"\\<>&=\'\u2028\u2029]')),  # Gson
    _Dialect(re.compile(r'[^\x20-\x7e]|["\\<>&\'+`]'), is_upper=True, long='"'),  # .NET
)
# Of a string in a string in all dialects there would be a hundred forms, and most programs write one of these.
_OUTER = (_STRINGIFY, _PYTHON, _PHP)
_JSON_SPECIAL = re.compile(r'[^\x20-\x7e]|["\\/<>&\'+`=]')
_JSON_SHORT = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def json_forms(text: str) -> list[str]:
    """The value inside a JSON string, and inside a JSON string that is in a JSON string."""
    if _JSON_SPECIAL.search(text) is None:
        return []
    once = dict.fromkeys(_json_escaped(text, dialect) for dialect in _DIALECTS)
    twice = [_json_escaped(form, outer) for form in once for outer in _OUTER]
    return [byte_string(form) for form in (*once, *twice)]


def plain_json_forms(text: str, *, with_python: bool) -> list[str]:
    """The value inside a JSON string as JSON.stringify writes it, and as Python does."""
    dialects = (_STRINGIFY, _PYTHON) if with_python else (_STRINGIFY,)
    return [byte_string(_json_escaped(text, dialect)) for dialect in dialects]


def _json_escaped(text: str, dialect: _Dialect) -> str:
    def escape(found: re.Match[str]) -> str:
        short = None if found[0] in dialect.long else _JSON_SHORT.get(found[0])
        return short or "".join(
            f"\\u{unit:04X}" if dialect.is_upper else f"\\u{unit:04x}" for unit in _utf16_units(found[0])
        )

    return dialect.escaped.sub(escape, text)


def _utf16_units(character: str) -> list[int]:
    content = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(content[at : at + 2], "big") for at in range(0, len(content), 2)]


def base64_forms(content: bytes) -> list[str]:
    """Of the three alignments the characters that the value alone determines."""
    forms: list[str] = []
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + content).decode()
        forms.append(encoded[-(-before * 8 // 6) : (before + len(content)) * 8 // 6])
    return forms


def base64url_forms(forms: list[str]) -> list[str]:
    """The same in the alphabet of base64url, as far as it makes a difference."""
    return [form.replace("+", "-").replace("/", "_") for form in forms if "+" in form or "/" in form]


def hex_forms(content: bytes) -> list[str]:
    """In lower and in upper case."""
    return [content.hex(), content.hex().upper()]


# What each encoder escapes. They also differ in the case of the digits and in the space.
_PERCENT = [
    re.compile(pattern)
    for pattern in (
        r"[^A-Za-z0-9_.!~*'()-]",  # encodeURIComponent
        r"[^A-Za-z0-9_.~-]",  # RFC 3986: Python's quote_plus, Go's queries, curl, PHP's rawurlencode
        r"[^A-Za-z0-9_.~/-]",  # Python's quote
        r"[^A-Za-z0-9_.*-]",  # WHATWG URLSearchParams, Java
        r"[^A-Za-z0-9_.-]",  # PHP's urlencode
        r"[^A-Za-z0-9_.!~*'();,/?:@&=+$#-]",  # encodeURI
        r"[^A-Za-z0-9_.~!$&'()*+,;=-]",  # RFC 3986 with the delimiters that may stay
        r"[^A-Za-z0-9_.~$&+,;=-]",  # Go, user info
        r"[^A-Za-z0-9_.~$&+=:@-]",  # Go, a segment of a path
        r"[^A-Za-z0-9_.~$&+,/:;=@-]",  # Go, a path
        r'[^\x21-\x7e]|["#<>?`{}/:;=@\[\\\]^|]',  # WHATWG URL, user info
        r'[^\x21-\x7e]|["#<>?^`{}]',  # WHATWG URL, path
        r"[^\x21-\x7e]|[\"#<>']",  # WHATWG URL, query
        r'[^\x21-\x7e]|["#<>]',  # the same of another scheme than http
        r"[^A-Za-z0-9_.!~*()-]",  # encodeURIComponent, in that query
        r'[^\x21-\x7e]|["<>`]',  # WHATWG URL, fragment
    )
]


def percent_forms(content: str) -> list[str]:
    """In a URL."""
    upper = dict.fromkeys(escaped.sub(lambda found: f"%{ord(found[0]):02X}", content) for escaped in _PERCENT)
    upper.pop(content, None)
    forms = [spelled for form in upper for spelled in (form, re.sub("%..", lambda code: code[0].lower(), form))]
    if " " not in content:
        return forms
    return [*forms, *(form.replace("%20", "+") for form in forms), content.replace(" ", "+")]


_REPR_NAMES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
_INSPECT_NAMES = {**_REPR_NAMES, "\b": "\\b", "\f": "\\f"}


def repr_forms(content: str, text: str | None) -> list[str]:
    """As Python's repr and ascii, and node's inspect, print a string."""
    forms = [re.sub(r"[^\x20-\x7e]|\\", _python_escape, content)]
    if text is not None:
        forms.append(byte_string("".join(c if c.isprintable() and c != "\\" else _python_name(c) for c in text)))
        forms.append(re.sub(r"[^\x20-\x7e]|\\", _python_escape, text))
        forms.append(byte_string(re.sub(r"[\x00-\x1f\x7f-\x9f\\]", _inspect_escape, text)))
    return [spelled for form in forms for spelled in (form, form.replace("'", "\\'"))]


def _python_name(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return _REPR_NAMES.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _python_escape(found: re.Match[str]) -> str:
    return _python_name(found[0])


def _inspect_escape(found: re.Match[str]) -> str:
    return _INSPECT_NAMES.get(found[0], f"\\x{ord(found[0]):02X}")


_YAML_NAMES = {
    "\0": "\\0",
    "\a": "\\a",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\v": "\\v",
    "\f": "\\f",
    "\r": "\\r",
    "\x1b": "\\e",
    '"': '\\"',
    "\\": "\\\\",
    "\x85": "\\N",
    "\xa0": "\\_",
    "\u2028": "\\L",
    "\u2029": "\\P",
}


def yaml_forms(content: str, text: str | None) -> list[str]:
    """As YAML and CSV writers quote."""
    forms = [content.replace("'", "''"), content.replace('"', '""')]
    if text is None:
        return forms
    ascii_only = "".join(c if " " <= c <= "~" and c not in '"\\' else _yaml_name(c) for c in text)
    printable = "".join(c if c.isprintable() and c not in '"\\' else _yaml_name(c) for c in text)
    return [*forms, byte_string(ascii_only), byte_string(printable)]


def _yaml_name(character: str) -> str:
    code = ord(character)
    long = f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
    return _YAML_NAMES.get(character, f"\\x{code:02X}" if code < 0x100 else long)


_CONTROL_NAMES = {
    "\a": "\\a",
    "\b": "\\b",
    "\x1b": "\\E",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    "'": "\\'",
}


def shell_forms(content: str) -> list[str]:
    """As shells print a word so that it can be read back; the quotes around it are not part of the needle."""
    # A # and a ~ are escaped only where they begin a word or, for ~, an assigned path.
    form = re.sub(r"[\t !\"$&'()*,;<>?\[\\\]^`{|}]", r"\\\g<0>", content)
    begun = re.sub(r"([:=])~", r"\1\\~", re.sub(r"^[#~]", r"\\\g<0>", form))
    ansi = [
        re.sub(pattern, lambda it: _CONTROL_NAMES.get(it[0], f"\\{ord(it[0]):03o}"), content)
        for pattern in (r"[\x00-\x1f\x7f'\\]", r"[^\x20-\x7e]|['\\]")
    ]
    # dash takes quotes that follow one another together, and opens no others behind those at the end.
    dash = re.sub("'+", "'\"\\g<0>\"'", content).removesuffix("'")
    return [
        content.replace("'", "'\\''"),
        content.replace("'", "'\"'\"'"),
        dash,
        re.sub(r'["$`\\]', r"\\\g<0>", content),
        form,
        begun,
        *ansi,
    ]


# Writers agree on & and <; on >, on quotes and on how a quote is written they do not.
_QUOTES = (
    ('"', "'"),
    ("&quot;", "'"),
    ("&quot;", "&apos;"),
    ("&quot;", "&#39;"),
    ("&quot;", "&#039;"),
    ("&quot;", "&#x27;"),
    ("&#34;", "&#39;"),
    ("&#x22;", "&#x27;"),
)
_Reference = Callable[["re.Match[str]"], str]
_REFERENCES: tuple[_Reference, ...] = (
    lambda found: f"&#{ord(found[0])};",
    lambda found: f"&#x{ord(found[0]):X};",
    lambda found: f"&#{ord(found[0]):02};",
)


def xml_forms(content: str, text: str | None) -> list[str]:
    """In XML and HTML."""
    forms = _xml_escaped(content)
    if re.search(r"[\t\n\r]", content):
        forms += [re.sub(r"[\t\n\r]", reference, form) for form in forms for reference in _REFERENCES]
    if text is None or len(text) == len(content):
        return forms
    others = [re.sub(r"[^\0-\x7f]", it, form) for form in _xml_escaped(text) for it in _REFERENCES[:2]]
    others += [re.sub(r"[\t\n\r]", reference, form) for form in others for reference in _REFERENCES[:2]]
    return forms + [byte_string(form) for form in others]


def _xml_escaped(content: str) -> list[str]:
    text = content.replace("&", "&amp;").replace("<", "&lt;")
    whole = text.replace(">", "&gt;")
    quoted = [whole.replace('"', double).replace("'", single) for double, single in _QUOTES]
    return list(dict.fromkeys([*quoted, text, text.replace('"', "&quot;")]))
