"""Which of an interval's trades the grid admits.

Trades are accepted in the order in which the clearing rule made them.  If the grid is not
secure with all of them, the last is refused, and so on until it is.  A grid that is not
secure without any trade admits none, those that would relieve it neither: which of two
violations is whose fault could only be told from operating points that the operator
chooses to show.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .orders import Trade


class Refused(NamedTuple):
    """A trade, and what is violated with it and those before it."""

    trade: Trade
    violations: tuple[str, ...]


class Admission(NamedTuple):
    """trades: those the grid carries; refused: the others, the last one first."""

    trades: tuple[Trade, ...]
    refused: tuple[Refused, ...]


def admit(trades: Sequence[Trade], violations_with: Callable[[int], Sequence[str]]) -> Admission:
    """Refuse from the end until the rest is secure.

    violations_with: what is violated with the first so many trades, at least one; asked for
    all of them first.
    """
    left, refused = len(trades), []
    while left and (found := violations_with(left)):
        left -= 1
        refused.append(Refused(trades[left], tuple(found)))
    return Admission(tuple(trades[:left]), tuple(refused))
