"""From the ledger's feeder to an operating point that its check accepts.

The operator's part of the security check: solve in floats, claim in whole 10^-12 of the
per-unit values.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from gridloom.chaincode.energy.baas import grid_records as ledger
from gridloom.chaincode.energy.baas.operating_point import SCALE

from .feeder import Feeder, Line, Load, Node, NodeType
from .solution import operating_point


def solve_for_ledger(
    feeder: ledger.Feeder, powers: Sequence[ledger.NodePower]
) -> ledger.OperatingPoint:
    """The operating point of a plan; InfeasibleFlow."""
    solved = operating_point(per_unit(feeder, powers))
    phasors = solved.state.phasors
    return ledger.OperatingPoint(
        round(solved.state.frequency * SCALE),
        [round(float(v.real) * SCALE) for v in phasors],
        [round(float(v.imag) * SCALE) for v in phasors],
    )


def per_unit(feeder: ledger.Feeder, powers: Sequence[ledger.NodePower]) -> Feeder:
    """The ledger's feeder with a plan's powers, in floats."""
    base = feeder.base_power
    lines = tuple(
        Line(
            line.start,
            line.end,
            line.resistance / ledger.MICRO,
            line.reactance / ledger.MICRO,
            line.limit / base,
        )
        for line in feeder.lines
    )
    nodes = [_node(node, power, base) for node, power in zip(feeder.nodes, powers, strict=True)]
    return Feeder(tuple(nodes), lines)


def _node(node: ledger.FeederNode, power: ledger.NodePower, base: int) -> Node:
    return Node(
        NodeType(node.kind.value),
        Load(
            power.load_active / base,
            power.load_reactive / base,
            node.active_exponent,
            node.reactive_exponent,
            node.active_slope / ledger.MICRO,
            node.reactive_slope / ledger.MICRO,
        ),
        power.active / base,
        power.reactive / base,
        node.voltage / ledger.MICRO,
        node.active_droop / ledger.MICRO,
        node.reactive_droop / ledger.MICRO,
        active_limits=_limits(node.active_low, node.active_high, base),
        reactive_limits=_limits(node.reactive_low, node.reactive_high, base),
    )


def _limits(low: int | None, high: int | None, base: int) -> tuple[float, float]:
    return (
        -math.inf if low is None else low / base,
        math.inf if high is None else high / base,
    )
