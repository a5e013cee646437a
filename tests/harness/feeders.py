"""Feeders for tests of the power flow: the paper's five units, and two nodes."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from gridloom.market.power_flow.feeder import Feeder, Line, Load, Node, NodeType

_IMPEDANCES = [
    (0, 1, 0.02, 0.04), (0, 2, 0.03, 0.05), (1, 3, 0.025, 0.045),
    (2, 4, 0.03, 0.05), (3, 4, 0.035, 0.06), (1, 2, 0.02, 0.035),
]  # fmt: skip
LINES = tuple(Line(start, end, r, x) for start, end, r, x in _IMPEDANCES)


@st.composite
def feeders(draw: st.DrawFn) -> Feeder:
    """The paper's five units, with droop at two or more of them, or a balance node."""
    power = st.floats(0.0, 0.25).map(lambda value: round(value, 3))
    droop = st.floats(0.005, 0.05)

    def load() -> Load:
        shape = draw(st.sampled_from([(0.0, 0.0, 0.0, 0.0), (1.5, 2.5, 1.0, -1.0), (1, 2, 2, 0)]))
        return Load(draw(power), draw(power) / 3, *shape)

    kinds = [NodeType.PD, NodeType.PQ, NodeType.PQ, NodeType.PD, draw(st.sampled_from(NodeType))]
    nodes: list[Node] = []
    for kind in kinds:
        p_max = draw(st.sampled_from([math.inf, 0.3])) if kind is NodeType.PD and nodes else 9.0
        nodes.append(
            Node(
                kind,
                load(),
                draw(power),
                draw(power) / 3,
                draw(st.floats(0.99, 1.03)) if kind is not NodeType.PQ else 1.0,
                draw(droop) if kind is NodeType.PD else 0.0,
                draw(st.sampled_from([0.0, 0.05])) if kind is NodeType.PD else 0.0,
                active_limits=(-1.0, p_max),
            )
        )
    return Feeder(tuple(nodes), LINES)


def two_nodes(**changes: Any) -> Feeder:
    """A droop unit, changed as asked, and a load."""
    unit = {"active_droop": 0.01, "active": 0.2, **changes}
    load = Load(0.4, 0.1, reactive_exponent=2.0)
    return Feeder((Node(NodeType.PD, **unit), Node(NodeType.PQ, load)), (Line(0, 1, 0.02, 0.04),))
