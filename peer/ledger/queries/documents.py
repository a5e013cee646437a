"""Which values are JSON documents, and the bytes in which CouchDB gives them back.

A document is a JSON object as Go reads one.  Fabric decodes and encodes it again on its way
through CouchDB, so that a reader gets sorted names, no blanks, numbers as 64-bit floats
print, and <, >, & escaped.  Every other value is kept as it is, beside an empty document.
(Fabric: statecouchdb/couchdoc_conv.go; Go: encoding/json.)
"""

from __future__ import annotations

import codecs
import json
import math
import re
from decimal import Decimal
from json.encoder import encode_basestring
from typing import TypeAlias

from ..errors import InvalidDocument

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Document: TypeAlias = dict[str, Json]

MAX_DEPTH = 100
"""Nesting beyond which an object counts as a plain value; Go's own limit is 10,000."""

_VERSION_FIELD = "~version"
_LARGEST_PLAIN = 1e21
_SMALLEST_PLAIN = 1e-6
_EXACT = 2**53
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_HTML = re.compile("[<>&\u2028\u2029]")
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)


def parse_document(value: bytes) -> Document | None:
    """The object a value holds, None if it holds none; whole numbers below 1e21 are ints."""
    if value.lstrip(b" \t\r\n")[:1] != b"{" or too_deep(value):
        return None
    text = go_text(value)
    try:
        found = _DECODER.decode(text)
    except ValueError:
        return None
    if _SURROGATE_ESCAPE.search(text):
        found = without_surrogates(found)
    return found if isinstance(found, dict) else None


def queryable(value: bytes) -> Document:
    """A value as queries see it: {} unless it is a document, and without U+0000.

    That character does not count in CouchDB's order of strings, and no SQL text holds it.
    """
    document = parse_document(value)
    if document is None:
        return {}
    return without_nul(document) if b"\\u0000" in value else document


def without_nul(document: Document) -> Document:
    """The document without U+0000 in names and strings."""

    def cleaned(value: Json) -> Json:
        if isinstance(value, str):
            return value.replace("\0", "")
        if isinstance(value, list):
            return [cleaned(item) for item in value]
        return without_nul(value) if isinstance(value, dict) else value

    return {name.replace("\0", ""): cleaned(value) for name, value in document.items()}


def parse_json(text: str) -> Json:
    """Any JSON value of a document's own text."""
    if text[0] == '"' and "\\" not in text:
        return text[1:-1]
    found: Json = _DECODER.decode(text)
    return found


def sql_text(document: Document) -> str:
    """A document as databases get it: what queries see, escaped only where JSON must be."""
    return _encoded(without_nul(document))


def canonical(document: Document) -> bytes:
    """The document as Go encodes it."""
    return go_json(document).encode()


def check_key(key: bytes) -> None:
    """InvalidDocument if CouchDB cannot have a document of this name."""
    try:
        text = key.decode()
    except UnicodeDecodeError:
        raise InvalidDocument(f"invalid key [{key.hex()}], must be a UTF-8 string") from None
    if text.startswith("_"):
        raise InvalidDocument(f'invalid key [{text}], cannot begin with "_"')
    if not text:
        raise InvalidDocument("invalid key. Empty string is not supported as a key by couchdb")


def check_value(value: bytes) -> None:
    """InvalidDocument if a document has fields that are CouchDB's own."""
    for name in parse_document(value) or ():
        if name == _VERSION_FIELD or name.startswith("_"):
            raise InvalidDocument(f"field [{name}] is not valid for the CouchDB state database")


def go_text(data: bytes) -> str:
    """Bytes as text, each byte that is not UTF-8 replaced by U+FFFD, as Go decodes strings."""
    return data.decode("utf-8", "gridloom-go")


def go_json(value: Json) -> str:
    """JSON as Go's encoder writes it: sorted, compact, HTML escaped."""
    return _HTML.sub(lambda found: f"\\u{ord(found[0]):04x}", _encoded(value))


def too_deep(data: bytes) -> bool:
    """Whether a JSON text nests arrays and objects deeper than MAX_DEPTH."""
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return False
    depth = 0
    for part in _BRACKETS.findall(data):
        depth += (part in b"[{") - (part in b"]}")
        if depth > MAX_DEPTH:
            return True
    return False


def without_surrogates(value: Json) -> Json:
    """The value with U+FFFD for each lone half of a surrogate pair, as Go decodes it."""
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        pairs = value.items()
        return {_LONE_SURROGATE.sub("\ufffd", name): without_surrogates(v) for name, v in pairs}
    return value


def refuse_constant(text: str) -> Json:
    """For a decoder's parse_constant: ValueError, for NaN and Infinity are no JSON."""
    raise ValueError(f"{text} is not JSON")


def _replace_each(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error("gridloom-go", _replace_each)


def _number(text: str) -> int | float:
    """A number as a 64-bit float holds it; an int where its digits are those of one."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is out of range")
    if not number.is_integer() or abs(number) >= _LARGEST_PLAIN:
        return number
    return int(number) if abs(number) < _EXACT else int(Decimal(repr(number)))


_DECODER = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=refuse_constant)


def _encoded(value: Json) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        members = (f"{encode_basestring(n)}:{_encoded(value[n])}" for n in sorted(value))
        return f"{{{','.join(members)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_encoded, value))}]"
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    return str(value) if isinstance(value, int) else _printed(value)


_CONSTANTS = {None: "null", True: "true", False: "false"}


def _printed(number: float) -> str:
    """A float in the shortest digits that name it, with an exponent where Go uses one."""
    text = repr(number)
    if "e" not in text:
        return text
    if _SMALLEST_PLAIN <= abs(number) < _LARGEST_PLAIN:
        return f"{Decimal(text):f}"
    digits, exponent = text.split("e")
    return f"{digits}e{exponent[0]}{exponent[1:].lstrip('0')}"
