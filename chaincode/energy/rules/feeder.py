"""The limits of a radial feeder, checked in integers so that the ledger can refuse by them.

Every section carries what lies behind it: without losses its power is the sum of the
users' net power there, in either direction.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Section(NamedTuple):
    """A line or transformer: behind: the bus it feeds; before: the bus it hangs on, -1 for
    the grid; limit: W, > 0, in either direction."""

    name: str
    before: int
    behind: int
    limit: int


class Violation(NamedTuple):
    """What is exceeded where: value and limit in unit."""

    element: str
    quantity: str
    value: float
    limit: float
    unit: str

    def __str__(self) -> str:
        return f"{self.element}: {self.quantity} {self.value:g} {self.unit}, limit {self.limit:g}"


def overloads(sections: Sequence[Section], power: Mapping[int, int]) -> tuple[Violation, ...]:
    """The sections that carry more than their limit; power: net W fed in by bus.

    Sections form a tree; ValueError names a bus that no section feeds or two do.
    """
    feeding: dict[int, Section] = {}
    for section in sections:
        if section.behind in feeding:
            raise ValueError(f"bus {section.behind} is fed twice")
        feeding[section.behind] = section
    carried = dict.fromkeys(feeding, 0)
    for bus, fed_in in power.items():
        at, steps = bus, 0
        while at != -1:
            if at not in feeding or steps > len(feeding):
                raise ValueError(f"bus {bus} is not connected to the grid")
            carried[at] += fed_in
            at, steps = feeding[at].before, steps + 1
    return tuple(
        Violation(section.name, "power", abs(carried[bus]), section.limit, "W")
        for bus, section in feeding.items()
        if abs(carried[bus]) > section.limit
    )
