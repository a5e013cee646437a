"""The feeder of an auction's session, and what an interval's trades ask of it.

Every buy order is a load that is served in any case, by the grid if nobody else; what a
seller has for sale is fed in as far as it is sold.  So each trade adds its energy, as mean
power over the interval, at the seller's node, and the balance node or the droop units
take the difference.  What follows is claimed by the operator and verified exactly
(baas.operating_point).  (Fabric counterpart: none; docs/decisions/0011.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .baas.feeder_check import check_feeder, check_powers
from .baas.grid_records import MICRO, Feeder, NodePower, OperatingPoint
from .baas.operating_point import verify
from .faults import BadTerms, Duplicate, NotFound
from .rules.orders import Order, Side, Trade

UNSOLVED = "no operating point"
"""What is named where nobody can show one: the feeder cannot carry such powers at all."""

_MINUTES = 60


@dataclass(frozen=True, slots=True)
class HouseholdPlace:
    """At which node a household is connected."""

    name: str
    node: int


@dataclass(frozen=True, slots=True)
class ShownPoint:
    """A claimed operating point with the first so many trades of an interval."""

    trades: int
    point: OperatingPoint


@dataclass(frozen=True, slots=True)
class SessionGrid:
    """own: what each node generates and uses beside the households (a PD node's P0, Q0);
    minutes: of an interval; reactive: var that a household's load takes for each W of it,
    millionths."""

    session: str
    feeder: Feeder
    own: list[NodePower]
    places: list[HouseholdPlace]
    minutes: int
    reactive: int = 0

    def check(self) -> None:
        """BadTerms or Duplicate at the first fault."""
        check_feeder(self.feeder)
        check_powers(self.feeder, self.own)
        if not 0 < self.minutes <= 24 * _MINUTES:
            raise BadTerms("minutes", f"{self.minutes} is no length of an interval")
        seen: set[str] = set()
        for place in self.places:
            if place.name in seen:
                raise Duplicate(f"the place of {place.name}")
            if not 0 <= place.node < len(self.feeder.nodes):
                raise BadTerms(f"places: {place.name}", f"there is no node {place.node}")
            seen.add(place.name)

    def powers(self, orders: Sequence[Order], trades: Sequence[Trade]) -> list[NodePower]:
        """The plan of an interval with its orders and these trades."""
        taken: dict[str, int] = {}
        for order in orders:
            if order.side is Side.BUY:
                taken[order.party] = taken.get(order.party, 0) - order.energy
        for trade in trades:
            taken[trade.seller] = taken.get(trade.seller, 0) + trade.energy
        return self.planned(list(taken), list(taken.values()))

    def planned(self, names: Sequence[str], energies: Sequence[int]) -> list[NodePower]:
        """The plan when each of names feeds in (+) or takes (-) so many Wh."""
        nodes = {place.name: place.node for place in self.places}
        powers = list(self.own)
        for name, energy in zip(names, energies, strict=True):
            if name not in nodes:
                raise NotFound(f"place of {name} on the feeder")
            power = abs(energy) * _MINUTES // self.minutes
            at = powers[nodes[name]]
            if energy > 0:
                changed = replace(at, active=at.active + power)
            else:
                changed = replace(
                    at,
                    load_active=at.load_active + power,
                    load_reactive=at.load_reactive + power * self.reactive // MICRO,
                )
            powers[nodes[name]] = changed
        return powers

    def violations(self, powers: Sequence[NodePower], point: OperatingPoint | None) -> list[str]:
        """What the plan violates at the point that is claimed for it; NotAnOperatingPoint if
        it is none."""
        if point is None:
            return [UNSOLVED]
        return verify(self.feeder, powers, point).violations
