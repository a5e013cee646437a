"""JSON values in Erlang's notation, which CouchDB's error messages quote.

(CouchDB: mango_error's ~w and ~p; JSON objects are {[{Name, Value}]}, strings binaries.)
"""

from __future__ import annotations

from collections.abc import Callable

from .documents import Json


def plain(value: Json) -> str:
    """As ~w prints it: strings byte by byte."""
    return _term(value, lambda text: f"<<{','.join(map(str, text.encode()))}>>")


def pretty(value: Json) -> str:
    """As ~p prints it: strings as text where they are printable."""
    return _term(value, _quoted)


def _term(value: Json, string: Callable[[str], str]) -> str:
    if isinstance(value, str):
        return string(value)
    if isinstance(value, list):
        return f"[{','.join(_term(item, string) for item in value)}]"
    if isinstance(value, dict):
        pairs = (f"{{{string(name)},{_term(item, string)}}}" for name, item in value.items())
        return f"{{[{','.join(pairs)}]}}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _number(value)


def _quoted(text: str) -> str:
    if text.isascii() and text.isprintable():
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'<<"{escaped}">>'
    return plain(text)


def _number(value: int | float) -> str:
    text = repr(value)
    if isinstance(value, int) or "e" not in text:
        return text
    digits, exponent = text.split("e")
    return f"{digits if '.' in digits else digits + '.0'}e{int(exponent)}"
