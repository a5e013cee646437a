"""PEM as Go's encoding/pem reads and writes it.

Reading finds the first well-formed block of any type: text before it, headers inside it
and anything behind it are tolerated, as they are by Fabric.  Writing gives lines of 64
characters and a newline at the end.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

CERTIFICATE = "CERTIFICATE"

_BLOCK = re.compile(
    rb"(?:\A|(?<=\n))-----BEGIN ([^\n]*?)-----[ \t\r]*\n"
    rb"((?:(?!-----END )[^\n:]+:[^\n]*\n)*)"
    rb"([A-Za-z0-9+/=\s]*?)"
    rb"-----END \1-----[ \t\r]*(?:\n|\Z)"
)


@dataclass(frozen=True, slots=True)
class Block:
    """One PEM block. kind: the word between BEGIN and the dashes; trailing: bytes behind it."""

    kind: str
    contents: bytes
    trailing: bytes


def decode(data: bytes) -> Block | None:
    """Return the first block, or None when there is none."""
    start = 0
    while match := _BLOCK.search(data, start):
        kind, _headers, body = match.groups()
        try:
            contents = base64.b64decode(b"".join(body.split()), validate=True)
            return Block(kind.decode("latin-1"), contents, data[match.end() :])
        except binascii.Error:
            start = match.start() + 1
    return None


def encode(kind: str, contents: bytes) -> bytes:
    """Wrap contents in one block."""
    text = base64.b64encode(contents)
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    label = kind.encode()
    return b"\n".join(
        (b"-----BEGIN " + label + b"-----", *lines, b"-----END " + label + b"-----", b"")
    )
