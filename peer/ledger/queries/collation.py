"""The order of JSON values in CouchDB, as bytes that compare like the values.

    null < false < true < numbers < strings < arrays < objects

Strings compare letter by letter whatever their case and accents, then by accents, then
lowercase first: "a" < "A" < "b" < "é" < "z".  Blanks, punctuation and digits come before
letters in the order of the Unicode root collation; control characters do not count; letters
beyond Latin compare by code point.  The databases compute the same bytes (postgres_dialect).
(CouchDB: couch_ejson_compare, whose strings are ICU's; docs: ddocs/views/collation.)
"""

from __future__ import annotations

import re
import struct
import unicodedata
from hashlib import sha256

from .documents import Json

KEY_BYTES = 256
"""Longest key.  A longer one ends in the SHA-256 of its whole, so that equal values have
equal keys and an index can hold any; values equal until there are in no useful order."""

ASCII_ORDER = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789"
"""What sorts before letters, in order; other control characters are ignored."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"
MARKS = "\u0300-\u036f"
"""Accents, as they stand after their letters in decomposed text."""

ACCENTS = "\u0301\u0300\u0306\u0302\u030c\u030a\u0308\u030b\u0303\u0307"
"""The usual accents, in order; others come before or after them by code point."""

FIRST_WEIGHT = 0x0E
"""Code point that stands for the first of ASCII_ORDER; smaller ones part the levels."""

_END = b"\x00"
_CUT = KEY_BYTES - sha256().digest_size
_SIGN = 1 << 63
_ALL_BITS = (1 << 64) - 1


def _primary() -> dict[int, int | None]:
    weights: dict[int, int | None] = dict.fromkeys([*range(0x20), 0x7F])
    weights.update({ord(c): FIRST_WEIGHT + i for i, c in enumerate(ASCII_ORDER)})
    first_letter = FIRST_WEIGHT + len(ASCII_ORDER)
    for place, letter in enumerate(LETTERS):
        weights[ord(letter)] = weights[ord(letter.upper())] = first_letter + place
    return weights


_PRIMARY = _primary()
_MARK = re.compile(f"[{MARKS}]")
_IGNORED = "".join(chr(code) for code, weight in _PRIMARY.items() if weight is None)
_COUNTED_FROM_IGNORED = str.maketrans("", "", _IGNORED)
_ACCENT_WEIGHTS = str.maketrans(ACCENTS, "".join(sorted(ACCENTS)))
_NOT_MARK = re.compile(f"[^{MARKS}]")
_NOT_UPPER = re.compile("[^A-Z]")
_UPPER = re.compile("[A-Z]")


def order_key(value: Json) -> bytes:
    """Bytes that compare as CouchDB compares the value; equal for what it finds equal."""
    key = _key(value)
    return key if len(key) <= KEY_BYTES else key[:_CUT] + sha256(key).digest()


def string_key(text: str) -> bytes:
    """The three levels of a string's order, each with its end: letters, accents, case."""
    counted = text.translate(_COUNTED_FROM_IGNORED)
    accents = ""
    if not counted.isascii():
        counted = unicodedata.normalize("NFD", counted)
        accents = _NOT_MARK.sub("\x01", counted).rstrip("\x01").translate(_ACCENT_WEIGHTS)
        counted = _MARK.sub("", counted)
    case = _UPPER.sub("\x02", _NOT_UPPER.sub("\x01", counted)).rstrip("\x01")
    letters = counted.translate(_PRIMARY)
    return f"{letters}\0{accents}\0{case}\0".encode()


def _key(value: Json) -> bytes:
    if value is None:
        return b"\x01"
    if isinstance(value, bool):
        return b"\x03" if value else b"\x02"
    if isinstance(value, int | float):
        return b"\x04" + _number_key(value)
    if isinstance(value, str):
        return b"\x05" + string_key(value)
    if isinstance(value, list):
        return b"\x06" + b"".join(map(_key, value)) + _END
    members = (b"\x05" + string_key(name) + _key(value[name]) for name in sorted(value))
    return b"\x07" + b"".join(members) + _END


def _number_key(number: int | float) -> bytes:
    """A 64-bit float as bytes in numeric order: sign flipped, negative ones inverted."""
    try:
        nearest = float(number) + 0.0  # -0.0 becomes 0.0
    except OverflowError:
        nearest = float("inf") if number > 0 else float("-inf")
    bits: int = struct.unpack(">Q", struct.pack(">d", nearest))[0]
    return ((bits ^ _ALL_BITS) if bits & _SIGN else (bits | _SIGN)).to_bytes(8, "big")
