"""Which units energy can be routed to: paper 000, section 2.2.2, eqs. (1)-(3).

Energy routers steer power along any path, so the lines are edges of a transport network:
a line that carries P0 can take up to pmax - P0 more one way and pmax + P0 the other.  A
unit is a potential unit if the traded power fits through; the cheapest routing, a linear
programme, is found as a flow of least cost, in integers, so that every peer finds the
same.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from .least_cost_flow import Network


@dataclass(frozen=True, slots=True)
class Line:
    """start, end: node numbers; limit: pmax; flow: P0 from start to end; risk: beta >= 0."""

    start: int
    end: int
    limit: Fraction
    flow: Fraction
    risk: Fraction


@dataclass(frozen=True, slots=True)
class Routing:
    """What can be brought to a node.

    transmission: least sum of beta |df| for the wanted power, None if it does not fit;
    capacity: the most that fits, None for a node itself, where there is no bound; lines:
    which lines that routing uses.
    """

    transmission: Fraction | None
    capacity: Fraction | None
    lines: tuple[int, ...] = ()


def route(nodes: int, lines: Sequence[Line], source: int, target: int, power: Fraction) -> Routing:
    """Route power >= 0 from source to target at least cost.

    On a line already beyond its limit, |P0| > pmax, the trade must bring relief (3).
    """
    if source == target:
        return Routing(Fraction(0), None)
    scale = lcm(*(part.denominator for line in lines for part in (line.limit, line.flow)))
    scale = lcm(scale, power.denominator)
    prices = lcm(*(line.risk.denominator for line in lines))
    wanted = int(power * scale)
    network = _transport(nodes, lines, scale, prices)
    fits = network.satisfy({source: wanted, target: -wanted})
    transmission = Fraction(network.cost(), prices * scale) if fits else None
    most = _most(_transport(nodes, lines, scale, prices), lines, scale, source, target)
    return Routing(transmission, Fraction(most, scale), network.used() if fits else ())


def _transport(nodes: int, lines: Sequence[Line], scale: int, prices: int) -> Network:
    network = Network(nodes)
    for line in lines:
        ahead, back = int((line.limit - line.flow) * scale), int((line.limit + line.flow) * scale)
        network.connect(line.start, line.end, ahead, back, int(line.risk * prices))
    return network


def _most(network: Network, lines: Sequence[Line], scale: int, source: int, target: int) -> int:
    """The most that can be sent: some feasible flow, closed by a line back, then all more."""
    bound = 2 * sum(int((line.limit + abs(line.flow)) * scale) for line in lines)
    back = network.connect(target, source, bound, 0, 0)
    if not network.satisfy({}):
        return 0
    returned = network.cut(back)
    return returned + network.push(source, target, None)


def trade_cost(
    power: Fraction, transmission: Fraction, generation_risk: Fraction, load_risk: Fraction
) -> Fraction:
    """Eq. (1): alpha dP + sum of beta |df| + gamma dP."""
    return (generation_risk + load_risk) * power + transmission
