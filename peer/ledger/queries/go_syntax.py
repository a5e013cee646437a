"""Go's words for what is wrong with a JSON text (Go: encoding/json/scanner.go)."""

from __future__ import annotations

import json
from collections.abc import Mapping

_OBJECT_KEY = "looking for beginning of object key string"
_WHERE: Mapping[str, str] = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": _OBJECT_KEY,
    "Illegal trailing comma before end of object": _OBJECT_KEY,
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX escape": "in \\u hexadecimal character escape",
}
_QUOTED = {"'": r"'\''", '"': "'\"'", "\\": r"'\\'", "\n": r"'\n'", "\r": r"'\r'", "\t": r"'\t'"}


def syntax_error(text: str, error: json.JSONDecodeError) -> str:
    """What Go would say of the text in which Python found this error."""
    if not text.strip():
        return "EOF"
    message = next((known for known in _WHERE if error.msg.startswith(known)), "")
    place = error.pos + (1 if message == "Invalid \\escape" else 0)
    place += len(text[place:]) - len(text[place:].lstrip()) if "control" not in message else 0
    if place >= len(text) or error.msg.startswith("Unterminated string"):
        return "unexpected EOF"
    where = _WHERE.get(message) or _after_part(text[: error.pos])
    return f"invalid character {_quote(text[place])} {where}"


def _after_part(text: str) -> str:
    """What stands before a missing comma: a member of an object, or an element."""
    open_parts: list[str] = []
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "{[":
            open_parts.append(character)
        elif character in "}]" and open_parts:
            open_parts.pop()
    inside = open_parts[-1] if open_parts else ""
    return "after array element" if inside == "[" else "after object key:value pair"


def _quote(character: str) -> str:
    return _QUOTED.get(character, f"'{character}'")
