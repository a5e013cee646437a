"""Whether the grid can carry what an interval's trades and meters ask of it.

A check is `GridCheck`.  Before an interval it admits trades: one with which a limit is
violated is refused and the violation named (chaincode/energy/rules/grid_admission).  After
it, it judges the flows that the meters show, which nobody can undo.  `FlowCheck` solves
the power flow of a community's network and has the ledger's own verification judge it;
`FeederCheck` holds the sections of a radial feeder to their limits afterwards and refuses
nothing.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gridloom.chaincode.energy.auction_grid import UNSOLVED, SessionGrid, ShownPoint
from gridloom.chaincode.energy.baas.grid_records import MICRO, NodePower
from gridloom.chaincode.energy.rules.feeder import Violation, overloads
from gridloom.chaincode.energy.rules.grid_admission import Refused, admit
from gridloom.chaincode.energy.rules.orders import Cleared, Order

from .community import Community
from .power_flow.feeder import InfeasibleFlow
from .power_flow.ledger_point import per_unit, solve_for_ledger
from .power_flow.solution import OperatingPoint, operating_point

__all__ = ["FeederCheck", "FlowCheck", "GridCheck", "NoLimits", "Screened", "Violation", "check_of"]


class Screened(NamedTuple):
    """What the grid admits of cleared trades; shown: the operating points that prove it."""

    cleared: Cleared
    refused: tuple[Refused, ...] = ()
    shown: tuple[ShownPoint, ...] = ()


class GridCheck(Protocol):
    """Judges one interval."""

    def screen(self, orders: Sequence[Order], cleared: Cleared, /) -> Screened:
        """The trades that the grid admits."""

    def violations(self, net: Sequence[int], minutes: int, /) -> tuple[Violation, ...]:
        """What is violated; net: Wh fed in (+) or taken (-) by each user in order."""


class NoLimits:
    """A grid that carries everything."""

    def screen(self, orders: Sequence[Order], cleared: Cleared, /) -> Screened:
        """All trades."""
        return Screened(cleared)

    def violations(self, net: Sequence[int], minutes: int, /) -> tuple[Violation, ...]:
        """Nothing is violated."""
        return ()


@dataclass(frozen=True, slots=True)
class FeederCheck(NoLimits):
    """The community's feeder: every section's mean power over the interval."""

    community: Community

    def violations(self, net: Sequence[int], minutes: int, /) -> tuple[Violation, ...]:
        """The overloaded sections; none where the feeder has no sections."""
        if not self.community.feeder.sections:
            return ()
        power: dict[int, int] = {}
        for user, energy in zip(self.community.users, net, strict=True):
            power[user.bus] = power.get(user.bus, 0) + energy * 60 // minutes
        return overloads(self.community.feeder.sections, power)


@dataclass(frozen=True, slots=True)
class FlowCheck:
    """The power flow of a network: voltages, lines, and the frequency of an island."""

    names: tuple[str, ...]
    network: SessionGrid

    def screen(self, orders: Sequence[Order], cleared: Cleared, /) -> Screened:
        """Refuse from the last trade on until the rest is secure, as the ledger does."""
        trades, shown = cleared.trades, []

        def violations_with(count: int) -> list[str]:
            powers = self.network.powers(orders, trades[:count])
            try:
                point = solve_for_ledger(self.network.feeder, powers)
            except InfeasibleFlow:
                return [UNSOLVED]
            shown.append(ShownPoint(count, point))
            return self.network.violations(powers, point)

        admitted = admit(trades, violations_with)
        price = cleared.price if admitted.trades else None
        return Screened(Cleared(admitted.trades, price), admitted.refused, tuple(shown))

    def violations(self, net: Sequence[int], minutes: int, /) -> tuple[Violation, ...]:
        """What the metered flows violate, with their values."""
        powers = self.network.planned(self.names, net)
        try:
            claimed = solve_for_ledger(self.network.feeder, powers)
        except InfeasibleFlow as fault:
            return (Violation("network", fault.reason, 0.0, 0.0, ""),)
        found = self.network.violations(powers, claimed)
        return tuple(self._named(name, powers) for name in found)

    def _named(self, name: str, powers: Sequence[NodePower]) -> Violation:
        point: OperatingPoint = operating_point(per_unit(self.network.feeder, powers))
        feeder, terms = self.network.feeder, self.network.feeder.terms
        kind, _, place = name.partition(":")
        if kind == "line":
            apparent = float(point.line_loading[int(place)]) * feeder.base_power
            limit = feeder.lines[int(place)].limit
            return Violation(name, "apparent power", round(apparent), limit, "VA")
        if kind == "voltage":
            value, low, high = (
                float(point.state.voltage[int(place)]),
                terms.voltage_low,
                terms.voltage_high,
            )
        else:
            value, low, high = point.state.frequency, terms.frequency_low, terms.frequency_high
        bound = (low if value < low / MICRO else high) / MICRO
        return Violation(name, kind, round(value, 6), bound, "p.u.")


def check_of(community: Community) -> GridCheck:
    """The check that the community's feeder allows."""
    network = community.feeder.network
    return FeederCheck(community) if network is None else FlowCheck(community.names, network)
