"""Which of an interval's trades the grid admits.

Trades are accepted in the order in which the clearing rule made them.  If the grid cannot
carry all of them, the last is refused, and so on until what is left violates nothing that
is not violated without any trade: a trade that relieves a feeder which is overloaded
anyway is not refused.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .orders import Trade


class Refused(NamedTuple):
    """A trade, and what it and those before it would violate."""

    trade: Trade
    violations: tuple[str, ...]


class Admission(NamedTuple):
    """trades: those the grid carries; refused: the others, the last one first."""

    trades: tuple[Trade, ...]
    refused: tuple[Refused, ...]


def admit(trades: Sequence[Trade], violations_with: Callable[[int], Sequence[str]]) -> Admission:
    """Refuse from the end until the rest is secure.

    violations_with: what is violated with the first so many trades; asked for all of them
    first, and for none only if that finds something.
    """
    left, refused = len(trades), []
    found = violations_with(left) if left else ()
    present = frozenset(violations_with(0)) if found else frozenset()
    while new := tuple(each for each in found if each not in present):
        left -= 1
        refused.append(Refused(trades[left], new))
        found = violations_with(left) if left else ()
    return Admission(tuple(trades[:left]), tuple(refused))
