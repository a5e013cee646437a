"""Against what an operating point has been checked: the field `checked_against`.

Every point is solved a second time by another method (two_stage).  That is all for feeders
with voltage droop, loads that follow voltage or frequency, or powers at a limit: the field
gives the bound of the mismatch that the point leaves there.  The rest, constant loads
between fixed voltages with a balance node or frequency droop, pandapower can state too
(droop as `distributed_slack` with weights 1/m_p).  For that class PANDAPOWER holds: its
answers for a few dozen networks are on record (tests/market/data, written by
tools/record_pandapower.py) and ours differ by less than 1e-9 in every voltage and angle.
The field names it for a point of this class, if the second solution of this very point is
as close.  pandapower itself is not run for it.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import math

from .feeder import Feeder, Node, NodeType
from .solution import OperatingPoint
from .two_stage import SecondOpinion, second_opinion

PANDAPOWER = "pandapower 3.5.6, |dV|,|dangle| < 1e-9"
"""What tests/market/power_flow/test_reference.py shows of the recorded networks."""

_SMALLEST = 1e-11
_SAME = 1e-9


def checked_against(feeder: Feeder, point: OperatingPoint) -> str:
    """The check that holds for the point, with its bound."""
    opinion = second_opinion(feeder, point)
    if pandapower_states(feeder, point) and max(opinion.residual, opinion.deviation) < _SAME:
        return PANDAPOWER
    return _two_stage(opinion)


def pandapower_states(feeder: Feeder, point: OperatingPoint) -> bool:
    """Whether the class is one on record: constant loads, fixed voltages, no limit met."""
    if point.clamped:
        return False
    droop = [node for node in feeder.nodes if node.type is NodeType.PD]
    shares = all(node.active_droop for node in droop) or not feeder.islanded
    return (
        shares
        and all(node.reactive_droop == 0 for node in droop)
        and all(_is_constant(node, islanded=feeder.islanded) for node in feeder.nodes)
    )


def _is_constant(node: Node, *, islanded: bool) -> bool:
    """Whether neither voltage nor frequency changes the load."""
    load = node.load
    by_active = load.active_exponent or (islanded and load.active_slope)
    by_reactive = load.reactive_exponent or (islanded and load.reactive_slope)
    return not (load.active and by_active) and not (load.reactive and by_reactive)


def _two_stage(opinion: SecondOpinion) -> str:
    said = f"two-stage root+Newton residual < {_bound(opinion.residual):.0e}"
    if opinion.deviation >= _SAME:
        said += f", but |dV|,|dangle|,|df| < {_bound(opinion.deviation):.0e}"
    return said


def _bound(value: float) -> float:
    """The smallest power of ten above the value, 1e-11 or more."""
    if value < _SMALLEST or not math.isfinite(value):
        return max(value, _SMALLEST)
    return 10.0 ** (math.floor(math.log10(value)) + 1)
