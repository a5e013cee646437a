"""Forms with files in them, as ``multipart/form-data`` carries them over HTTP.

(Go: mime/multipart.Reader.ReadForm; RFC 2046, RFC 7578.)
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

from .errors import GridloomError

MAX_PARTS = 1000
"""More parts than anybody means; as Go's reader has it."""


class MalformedForm(GridloomError):
    """A body that is no form; reason in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form; filename: None for a plain value, not a file."""

    name: str
    filename: str | None
    content: bytes


def read_form(content_type: str, body: bytes) -> Sequence[Part]:
    """Return the parts that have a name; content_type: the header with the boundary.

    MalformedForm.
    """
    boundary = _header(b"Content-Type: " + content_type.encode()).get_boundary()
    if not boundary:
        raise MalformedForm("boundary is empty")
    delimiter = b"\r\n--" + boundary.encode()
    # What comes before the first delimiter and behind the last one is nobody's.
    sections = (b"\r\n" + body).split(delimiter, MAX_PARTS + 1)[1:]
    found: list[Part] = []
    for section in sections:
        if section.startswith(b"--"):
            return found
        found.append(_part(section))
    raise MalformedForm("too many parts" if len(found) > MAX_PARTS else "NextPart: EOF")


def write_form(parts: Sequence[Part]) -> tuple[str, bytes]:
    """Return the Content-Type header and the body of a form."""
    boundary = secrets.token_hex(16)
    lines = []
    for part in parts:
        disposition = f'form-data; name="{part.name}"'
        if part.filename is not None:
            disposition += f'; filename="{part.filename}"'
        header = f"--{boundary}\r\nContent-Disposition: {disposition}\r\n"
        if part.filename is not None:
            header += "Content-Type: application/octet-stream\r\n"
        lines.append(f"{header}\r\n".encode() + part.content + b"\r\n")
    body = b"".join((*lines, f"--{boundary}--\r\n".encode()))
    return f"multipart/form-data; boundary={boundary}", body


def _part(section: bytes) -> Part:
    rest, line, body = section.partition(b"\r\n")
    if not line or rest.strip(b" \t"):
        raise MalformedForm("a boundary with something behind it")
    if body.startswith(b"\r\n"):
        return Part("", None, body[2:])
    head, end, content = body.partition(b"\r\n\r\n")
    if not end:
        raise MalformedForm("a part whose header has no end")
    header = _header(head)
    name = header.get_param("name", header="Content-Disposition")
    return Part(name if isinstance(name, str) else "", header.get_filename(), content)


def _header(text: bytes) -> Message:
    return BytesHeaderParser().parsebytes(text)
