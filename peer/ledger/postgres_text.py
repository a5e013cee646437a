"""Text for PostgreSQL, which knows every character but U+0000.

Names that come from outside may hold one.  It is written as two characters then, of which
the first is one that nobody uses, and which is doubled in the same way if somebody does.
"""

from __future__ import annotations

import psycopg
from psycopg.abc import Buffer
from psycopg.types.string import StrDumper, TextLoader

_MARK = "\uf8ff"
_NUL, _MARK_ITSELF = f"{_MARK}0", f"{_MARK}1"


class _Dumper(StrDumper):
    def dump(self, obj: str) -> Buffer | None:
        if "\0" in obj or _MARK in obj:
            obj = obj.replace(_MARK, _MARK_ITSELF).replace("\0", _NUL)
        return super().dump(obj)


class _Loader(TextLoader):
    def load(self, data: Buffer) -> bytes | str:
        text = super().load(data)
        if isinstance(text, str) and _MARK in text:
            return text.replace(_NUL, "\0").replace(_MARK_ITSELF, _MARK)
        return text


def accept_any_text(connection: psycopg.Connection) -> None:
    """Have a connection take and give any text."""
    connection.adapters.register_dumper(str, _Dumper)
    connection.adapters.register_loader("text", _Loader)
    connection.adapters.register_loader("varchar", _Loader)
