"""Composite keys, and what a simple key may not be (Fabric: shim/stub.go).

``"\\0" + object type + "\\0" + attribute + "\\0" ...``: the parts sort by their own order, and
all keys that share the first parts form one range.  U+0000 separates, U+10FFFF ends a range,
so no part may hold them; and no simple key may begin with U+0000.
"""

from __future__ import annotations

from collections.abc import Sequence

from .errors import InvalidKey

SEPARATOR = "\0"
LAST = "\U0010ffff"
FIRST_SIMPLE_KEY = "\x01"
"""Where an open range begins: after all composite keys."""


def create_composite_key(object_type: str, attributes: Sequence[str]) -> str:
    """Return the composite key of the parts; InvalidKey if one is not allowed."""
    if isinstance(attributes, str):
        raise InvalidKey("the attributes of a composite key must be a list of str, not one str")
    _check_part(object_type)
    for attribute in attributes:
        _check_part(attribute)
    return SEPARATOR + SEPARATOR.join((object_type, *attributes)) + SEPARATOR


def split_composite_key(key: str) -> tuple[str, list[str]]:
    """Return the object type and the attributes of a composite key; InvalidKey if it is none."""
    if len(key) < 2 or key[0] != SEPARATOR or key[-1] != SEPARATOR:
        raise InvalidKey(f"not a composite key: {key!r}", key)
    object_type, *attributes = key[1:-1].split(SEPARATOR)
    return object_type, attributes


def partial_key_range(object_type: str, attributes: Sequence[str]) -> tuple[str, str]:
    """Return the range [start, end) of the keys that begin with these parts."""
    prefix = create_composite_key(object_type, attributes)
    return prefix, prefix + LAST


def simple_key_range(start_key: str, end_key: str) -> tuple[str, str]:
    """Return the range of simple keys, its open start closed; InvalidKey for composite ones."""
    for key in (start_key, end_key):
        if key.startswith(SEPARATOR):
            raise InvalidKey(
                f"first character of the key [{key}] contains a null character "
                "which is not allowed",
                key,
            )
    return start_key or FIRST_SIMPLE_KEY, end_key


def _check_part(part: str) -> None:
    if not isinstance(part, str):
        raise InvalidKey(f"a part of a composite key must be str, got {part!r}")
    try:
        part.encode()
    except UnicodeEncodeError:
        raise InvalidKey(f"not a valid utf8 string: {part!r}", part) from None
    for position, character in enumerate(part):
        if character in (SEPARATOR, LAST):
            raise InvalidKey(
                f"input contains unicode U+{ord(character):04X} starting at position "
                f"[{position}]. U+0000 and U+10FFFF are not allowed in the input attribute "
                "of a composite key",
                part,
            )
