"""What the dispatch system leaves on the ledger; energy in Wh, power in W.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instruction:
    """What one unit does during the delivery hour.

    set_point: mean power fed in (+) or taken (-); inside, grid: the energy it exchanges
    with other units and with the grid, of the same sign, together the set point's.
    """

    unit: str
    address: str
    set_point: int
    inside: int
    grid: int


@dataclass(frozen=True, slots=True)
class DispatchPlan:
    """The hour's instructions in order of names; grid_set_point: what the grid feeds in (+)
    or takes (-), so that all set points sum to zero."""

    delivery_time: int
    grid_set_point: int
    instructions: list[Instruction]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A unit's own word that it has its instruction."""

    delivery_time: int
    unit: str
    set_point: int
