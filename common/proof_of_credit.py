"""Proof of credit assessment (POCA): paper 001, eqs. (10) and (11), normalised.

As printed, F(W_j, S_j) <= N_diff e^C_j has e^100 in it, which fits no 256-bit hash and
lets the highest credit win nearly always.  Normalised, the target of a node with credit C
is floor(2^(256-k) exp((C - C_ref) / tau)): k bits of difficulty at the reference credit
C_ref, and a credit temperature tau (tau = 1 is the paper's weighting).  The exponential is
computed in decimal and correctly rounded to enough digits that the floor is exact, so
every node computes the same target.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal
from functools import lru_cache
from math import exp

HASH_BITS = 256
REFERENCE = Decimal(100)
TEMPERATURE = Decimal(10)
NONCE_BYTES = 8
LAST_NONCE = 2 ** (8 * NONCE_BYTES) - 1

_PRECISION = 200


@dataclass(frozen=True, slots=True)
class Difficulty:
    """bits: k; reference: C_ref; temperature: tau > 0, in credit points."""

    bits: int
    reference: Decimal = REFERENCE
    temperature: Decimal = TEMPERATURE


@lru_cache(maxsize=1024)
def target(credit: Decimal, difficulty: Difficulty) -> int:
    """The largest hash that wins with this credit; exact as long as it is below 10^150."""
    context = Context(prec=_PRECISION, rounding=ROUND_FLOOR)
    exponent = context.divide(credit - difficulty.reference, difficulty.temperature)
    scaled = context.multiply(Decimal(2 ** (HASH_BITS - difficulty.bits)), exponent.exp(context))
    return int(scaled)


def proof_hash(work: bytes, nonce: int) -> int:
    """F(W, S): SHA-256 of W and the nonce in eight bytes, big-endian, as a number."""
    digest = hashlib.sha256(work + nonce.to_bytes(NONCE_BYTES, "big")).digest()
    return int.from_bytes(digest, "big")


def search(work: bytes, target: int, first: int, tries: int) -> int | None:
    """The first nonce from first on that meets the target, None if tries do not find it."""
    started = hashlib.sha256(work)
    for nonce in range(first, min(first + tries, LAST_NONCE + 1)):
        attempt = started.copy()
        attempt.update(nonce.to_bytes(NONCE_BYTES, "big"))
        if int.from_bytes(attempt.digest(), "big") <= target:
            return nonce
    return None


def win_probabilities(credits: Sequence[float], temperature: float = 10.0) -> list[float]:
    """Eq. (11) with the temperature: each node's chance to win the next block."""
    highest = max(credits)
    weights = [exp((credit - highest) / temperature) for credit in credits]
    total = sum(weights)
    return [weight / total for weight in weights]
