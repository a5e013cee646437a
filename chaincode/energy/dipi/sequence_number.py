"""Coloured coins in a transaction's sequence number: paper 001, eqs. (3)-(6).

The 32-bit number says in its six lowest bits whether coins are made (genesis) or moved
(transfer), in the next six how much padding lifts the value over the chain's minimum, and
leaves the twenty highest free.  The scheme is EPOBC's; as in its implementations code 0
means no padding, where (6) literally gives 1.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from enum import StrEnum

SEQUENCE_BITS = 32
HIGHEST_CODE = 0x3F
HIGHEST_SERIAL = 0xFFFFF

_TAG_MASK = 0x3F
_CODE_MASK = 0x0FC0
_CODE_SHIFT = 6
_SERIAL_SHIFT = 12


class Colouring(StrEnum):
    """What a coloured transaction does."""

    GENESIS = "genesis"
    TRANSFER = "transfer"


_TAGS = {0x25: Colouring.GENESIS, 0x33: Colouring.TRANSFER}


def tag_of(sequence: int) -> int:
    """Eq. (3): the transaction type label."""
    return sequence & _TAG_MASK


def colouring_of(sequence: int) -> Colouring | None:
    """What the transaction does; None: it is not coloured."""
    return _TAGS.get(tag_of(sequence))


def padding_code(sequence: int) -> int:
    """Eq. (5), with the shift that it lacks."""
    return (sequence & _CODE_MASK) >> _CODE_SHIFT


def padding(code: int) -> int:
    """Eq. (6) with code 0 for no padding."""
    return 1 << code if code else 0


def smallest_code(least: int) -> int:
    """The code of the smallest padding >= least; ValueError if there is none."""
    code = (least - 1).bit_length() if least > 1 else least
    if not 0 <= code <= HIGHEST_CODE:
        raise ValueError(f"no padding is as large as {least}")
    return code


def serial_of(sequence: int) -> int:
    """The twenty free bits."""
    return sequence >> _SERIAL_SHIFT


def sequence_number(colouring: Colouring, code: int, serial: int = 0) -> int:
    """The number that says all that; ValueError when code or serial do not fit."""
    if not 0 <= code <= HIGHEST_CODE or not 0 <= serial <= HIGHEST_SERIAL:
        raise ValueError(f"code {code} or serial {serial} does not fit into a sequence number")
    tag = next(tag for tag, meaning in _TAGS.items() if meaning is colouring)
    return serial << _SERIAL_SHIFT | code << _CODE_SHIFT | tag
