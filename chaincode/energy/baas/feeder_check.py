"""Whether a feeder and its plans can be meant: every fault is named by its place.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..faults import BadTerms, Duplicate
from .grid_records import Feeder, FeederLine, FeederNode, NodeKind, NodePower

_MOST_NODES = 200
_EXPONENTS = (0, 1, 2)


def check_feeder(feeder: Feeder) -> None:
    """BadTerms or Duplicate at the first fault."""
    count = len(feeder.nodes)
    if feeder.base_power <= 0:
        raise BadTerms("base_power", f"{feeder.base_power} is not above zero")
    if not 0 < count <= _MOST_NODES:
        raise BadTerms("nodes", f"there are {count}, not 1 to {_MOST_NODES}")
    if not any(node.kind in (NodeKind.SLACK, NodeKind.PD) for node in feeder.nodes):
        raise BadTerms("nodes", "neither a slack nor a PD node holds the balance of power")
    for i, node in enumerate(feeder.nodes):
        _check_node(f"nodes[{i}]", node)
    for i, line in enumerate(feeder.lines):
        _check_line(f"lines[{i}]", line, count)
    _check_places(feeder)
    if feeder.terms.period_minutes <= 0:
        raise BadTerms("period_minutes", f"{feeder.terms.period_minutes} is not above zero")


def _check_places(feeder: Feeder) -> None:
    seen: list[str] = []
    for place in feeder.places:
        where = f"places: {place.unit}"
        if not 0 <= place.node < len(feeder.nodes):
            raise BadTerms(where, f"there is no node {place.node}")
        if place.unit in seen:
            raise Duplicate(f"the place of {place.unit}")
        if place.risk < 0:
            raise BadTerms(where, "its risk must not be negative")
        seen.append(place.unit)


def _check_line(place: str, line: FeederLine, count: int) -> None:
    if not (0 <= line.start < count and 0 <= line.end < count) or line.start == line.end:
        raise BadTerms(place, f"cannot lead from node {line.start} to node {line.end}")
    if line.resistance == line.reactance == 0:
        raise BadTerms(place, "has no impedance")
    if line.limit < 0 or line.risk < 0:
        raise BadTerms(place, "limit and risk must not be negative")


def _check_node(place: str, node: FeederNode) -> None:
    if node.voltage <= 0:
        raise BadTerms(place, f"{node.voltage} is no voltage")
    if node.kind is NodeKind.PD and (node.active_droop <= 0 or node.reactive_droop < 0):
        raise BadTerms(place, "a PD node needs a droop m_p > 0 and n_q >= 0")
    if node.active_exponent not in _EXPONENTS or node.reactive_exponent not in _EXPONENTS:
        raise BadTerms(place, "a load's exponents are 0, 1 or 2")
    for low, high in (
        (node.active_low, node.active_high),
        (node.reactive_low, node.reactive_high),
    ):
        if low is not None and high is not None and low > high:
            raise BadTerms(place, f"its limit {low} is above {high}")


def check_powers(feeder: Feeder, powers: Sequence[NodePower]) -> None:
    """BadTerms unless the plan has one entry for each node."""
    if len(powers) != len(feeder.nodes):
        raise BadTerms("powers", f"{len(powers)} entries for {len(feeder.nodes)} nodes")
