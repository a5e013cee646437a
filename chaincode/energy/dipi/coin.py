"""Credit as a coloured coin: paper 001, section 4.1.

The first assessment of a unit makes its coin (genesis), each later one moves it
(transfer); the coin's value is the credit in millionths of a point over a padding that
lifts it above the smallest amount the coin's chain accepts, 546 satoshi in Bitcoin.  The
sequence number's free bits count the assessments.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from ..faults import BadTerms
from .records import CreditProof, CreditRecord
from .sequence_number import (
    HIGHEST_SERIAL,
    SEQUENCE_BITS,
    Colouring,
    colouring_of,
    padding,
    padding_code,
    sequence_number,
    smallest_code,
)

LEAST_VALUE = 546
FULL_CREDIT = 100 * 10**6


def coin_of(record: CreditRecord) -> CreditProof:
    """The coin of an assessed unit."""
    colouring = Colouring.GENESIS if record.assessments == 1 else Colouring.TRANSFER
    code = smallest_code(LEAST_VALUE)
    serial = min(record.assessments, HIGHEST_SERIAL)
    sequence = sequence_number(colouring, code, serial)
    return CreditProof(record.unit, sequence, padding(code) + record.credit)


def credit_of(proof: CreditProof) -> int:
    """Eq. (4): the credit in a coin, millionths of a point; BadTerms if it is no such coin."""
    place = f"proof of {proof.unit}"
    if not 0 <= proof.sequence < 2**SEQUENCE_BITS or colouring_of(proof.sequence) is None:
        raise BadTerms(place, f"sequence number {proof.sequence} is not of a coloured coin")
    credit = proof.value - padding(padding_code(proof.sequence))
    if not 0 <= credit <= FULL_CREDIT:
        raise BadTerms(place, f"a credit of {credit} millionths is not in [0, 100] points")
    return credit
