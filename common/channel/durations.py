"""Durations in the text form of the configuration, such as ``2s`` or ``1m30.5s``.

BatchTimeout stands in the channel configuration as text in Go's form.
(Fabric: time.ParseDuration and Duration.String of Go's standard library.)
"""

from __future__ import annotations

import re
from datetime import timedelta

from ..errors import GridloomError

_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)")
_LIMIT = 2**63
_MAX_LENGTH = 100  # characters; far beyond any duration that fits 64 bits


class InvalidDuration(GridloomError):
    """A text that is no duration; text: as found."""

    def __init__(self, text: str) -> None:
        shown = text[:_MAX_LENGTH]
        super().__init__(f"invalid duration {shown!r} (expected such as 2s, 500ms, 1m30s)")
        self.text = text


def duration_nanoseconds(text: str) -> int:
    """Parse a duration into whole nanoseconds, as Go does; InvalidDuration."""
    negative = text.startswith("-")
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    if not 0 < len(rest) <= _MAX_LENGTH:
        raise InvalidDuration(text)
    total = 0
    position = 0
    while position < len(rest):
        part = _PART.match(rest, position)
        if part is None or not (part[1] or part[2]):
            raise InvalidDuration(text)
        fraction = part[2] or ""
        unit = _NANOSECONDS[part[3]]
        total += int(part[1] or "0") * unit + int(fraction or "0") * unit // 10 ** len(fraction)
        position = part.end()
    if total >= _LIMIT + negative:
        raise InvalidDuration(text)
    return -total if negative else total


def parse_duration(text: str) -> timedelta:
    """Parse a duration; what is below a microsecond is rounded up."""
    return timedelta(microseconds=-(-duration_nanoseconds(text) // 1000))


def render_duration(duration: timedelta) -> str:
    """Return the canonical text: ``2s``, ``1m30s``, ``1h0m0s``, ``500ms``, ``1.5s``."""
    microseconds = duration // timedelta(microseconds=1)
    if microseconds == 0:
        return "0s"
    sign = "-" if microseconds < 0 else ""
    microseconds = abs(microseconds)
    if microseconds < 10**3:
        return f"{sign}{microseconds}µs"
    if microseconds < 10**6:
        return f"{sign}{_decimal(microseconds, 3)}ms"
    minutes, rest = divmod(microseconds, 60 * 10**6)
    text = f"{_decimal(rest, 6)}s"
    if minutes:
        hours, minutes = divmod(minutes, 60)
        text = f"{minutes}m{text}"
        if hours:
            text = f"{hours}h{text}"
    return sign + text


def _decimal(value: int, places: int) -> str:
    whole, fraction = divmod(value, 10**places)
    digits = f"{fraction:0{places}d}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
