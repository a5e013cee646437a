"""A YAML document read strictly: every fault names the path at which it stands.

`Section` is one mapping of the document.  Its getters check type, range and form, and
`Section.close` refuses keys that nobody asked for, naming the nearest key that exists.
(Fabric: viper, which ignores what it does not know; here a misspelt key is a fault.)
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import yaml

from gridloom.common.documents import load_yaml
from gridloom.common.errors import GridloomError

T = TypeVar("T")
_MISSING = object()
_SIZE = re.compile(r"^(\d+)\s*(B|KB|MB|GB)?$", re.IGNORECASE)
_UNITS = {"": 1, "B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}


class DocumentError(GridloomError):
    """A fault in a document; path: where, e.g. ``organizations[0].peers[1].port``."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


class _StrictLoader(yaml.SafeLoader):
    """YAML's safe subset, in which a key may stand only once in a mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = (key_node.tag, key_node.value if isinstance(key_node.value, str) else None)
            if key[1] is not None and key in seen and key[1] != "<<":
                line = key_node.start_mark.line + 1
                raise DocumentError(f"line {line}", f"the key {key[1]!r} stands here twice")
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_document(text: str | bytes) -> Section:
    """Parse YAML text into its top section; an empty text is an empty section."""
    try:
        value = load_yaml(text, _StrictLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DocumentError("", f"not valid YAML: {error}") from error
    return section_of({} if value is None else value, "")


def section_of(value: object, path: str) -> Section:
    """Wrap a mapping with text keys; DocumentError for anything else."""
    if not isinstance(value, dict):
        raise DocumentError(path, f"expected a mapping, found {_shown(value)}")
    for key in value:
        if not isinstance(key, str):
            raise DocumentError(path, f"expected text as key, found {_shown(key)}")
    return Section(path, value)


class Section:
    """One mapping of a document, with getters that record which keys were asked for."""

    def __init__(self, path: str, values: dict[str, object]) -> None:
        self.path = path
        self._values = values
        self._asked: list[str] = []

    def at(self, key: str) -> str:
        """Return the path of a key of this section."""
        return f"{self.path}.{key}" if self.path else key

    def with_value(self, key: str, value: object) -> Section:
        """Return the same section with another value at a key."""
        return Section(self.path, self._values | {key: value})

    def keys(self) -> Sequence[str]:
        """Return the keys as written, in order."""
        return tuple(self._values)

    def _take(self, key: str) -> object:
        self._asked.append(key)
        value = self._values.get(key)
        return _MISSING if value is None else value

    def raw(self, key: str) -> object | None:
        """Return the value unchecked, None when absent or null."""
        value = self._take(key)
        return None if value is _MISSING else value

    def text(self, key: str, default: str | None, form: re.Pattern[str] | None = None) -> str:
        """Return a text; default None makes the key required; form must match it whole."""
        value = self._take(key)
        if value is _MISSING:
            if default is None:
                raise DocumentError(self.at(key), "is required")
            return default
        return checked_text(value, self.at(key), form)

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        """Return a whole number of low..high."""
        value = self._take(key)
        if value is _MISSING:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise DocumentError(self.at(key), f"expected a whole number, found {_shown(value)}")
        if not low <= value <= high:
            raise DocumentError(self.at(key), f"{value} is not in {low}..{high}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self._take(key)
        if value is _MISSING:
            return default
        if not isinstance(value, bool):
            raise DocumentError(self.at(key), f"expected true or false, found {_shown(value)}")
        return value

    def choice(self, key: str, default: str, choices: Sequence[str]) -> str:
        """Return one of the choices."""
        value = self.text(key, default)
        if value not in choices:
            hint = nearest(value, choices)
            raise DocumentError(self.at(key), f"{value!r} is not one of {_joined(choices)}{hint}")
        return value

    def size(self, key: str, default: int) -> int:
        """Return bytes, written as a number or as text such as ``512 KB`` (1 KB = 1024)."""
        value = self._take(key)
        if value is _MISSING:
            return default
        return parse_size(value, self.at(key))

    def section(self, key: str) -> Section:
        """Return the mapping at key, an empty one when absent."""
        value = self._take(key)
        return section_of({} if value is _MISSING else value, self.at(key))

    def items(self, key: str) -> list[tuple[str, object]] | None:
        """Return the list at key as (path, value) pairs, None when absent."""
        value = self._take(key)
        if value is _MISSING:
            return None
        if not isinstance(value, list):
            raise DocumentError(self.at(key), f"expected a list, found {_shown(value)}")
        return [(f"{self.at(key)}[{index}]", item) for index, item in enumerate(value)]

    def parsed(self, key: str, default: T, parse: Callable[[str], T]) -> T:
        """Return parse(text at key); its GridloomError is told with the path."""
        value = self._take(key)
        if value is _MISSING:
            return default
        text = checked_text(value, self.at(key))
        try:
            return parse(text)
        except GridloomError as error:
            raise DocumentError(self.at(key), str(error)) from error

    def close(self) -> None:
        """Refuse keys that no getter asked for."""
        for key in self._values:
            if key not in self._asked:
                hint = nearest(key, self._asked)
                valid = "" if hint else f" (valid: {_joined(self._asked)})"
                raise DocumentError(self.at(key), f"unknown key{hint}{valid}")


def checked_text(value: object, path: str, form: re.Pattern[str] | None = None) -> str:
    """Return value if it is a text that the form matches whole, else raise DocumentError."""
    if not isinstance(value, str):
        raise DocumentError(path, f"expected text, found {_shown(value)}")
    if form is not None and form.fullmatch(value) is None:
        raise DocumentError(path, f"{value!r} does not have the form {form.pattern}")
    return value


def parse_size(value: object, path: str = "") -> int:
    """Return bytes, below 4 GiB, from a number or text such as ``512 KB``; DocumentError."""
    found = None if isinstance(value, bool) else _SIZE.match(str(value))
    if found is None:
        raise DocumentError(path, f"expected a size such as 512 KB, found {_shown(value)}")
    size = int(found[1]) * _UNITS[(found[2] or "").upper()]
    if not 0 < size < 2**32:
        raise DocumentError(path, f"{size} bytes is not in 1..{2**32 - 1}")
    return size


def nearest(word: str, valid: Sequence[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest valid word, else nothing."""
    plain = {_plain(item): item for item in valid}
    found = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=0.5)
    return f"; did you mean {plain[found[0]]!r}?" if found else ""


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


def _joined(words: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def _shown(value: object) -> str:
    kinds = {dict: "a mapping", list: "a list", str: "the text", type(None): "nothing"}
    kind = kinds.get(type(value), "")
    shown = "" if isinstance(value, dict | list | type(None)) else repr(value)[:60]
    return " ".join(part for part in (kind, shown) if part)
