"""The microgrid of paper 000, Figure 4: a wind unit and four consumers on six lines.

The paper prints the picture and no data; impedances and loads are the test system's of the
restated model.  Islanded: the wind unit and a storage unit at node 3 share the load by
droop.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

from gridloom.chaincode.energy.baas.grid_records import (
    Feeder,
    FeederLine,
    FeederNode,
    NodeKind,
    NodePower,
    Terms,
    UnitPlace,
)
from gridloom.chaincode.energy.roles import Role

BASE_POWER = 1_000_000
"""VA."""

LOADS = ((0, 0), (150, 50), (200, 80), (250, 100), (180, 60))
"""kW and kvar of each node."""

_LINES = (
    (0, 1, 20, 40),
    (0, 2, 30, 50),
    (1, 3, 25, 45),
    (2, 4, 30, 50),
    (3, 4, 35, 60),
    (1, 2, 20, 35),
)
WIND, STORAGE = 0, 3
BUYERS = (1, 2, 4)
"""Nodes; BU<node> stands at each of the last."""

SELLERS = {1: WIND, 2: STORAGE, 3: 4}
"""SU1 is the wind unit, SU2 the storage, SU3 sheds load."""


def feeder(terms: Terms, line_limit: int) -> Feeder:
    """The islanded feeder; line_limit: VA of every line."""
    wind = FeederNode(NodeKind.PD, 1_020_000, active_droop=20_000, reactive_droop=50_000)
    storage = FeederNode(NodeKind.PD, 1_010_000, active_droop=30_000, reactive_droop=80_000)
    passive = FeederNode(NodeKind.PQ)
    nodes = [wind, passive, passive, storage, passive]
    lines = [FeederLine(start, end, r * 1000, x * 1000, line_limit) for start, end, r, x in _LINES]
    places = [UnitPlace(Role.SU, number, node, 50_000) for number, node in SELLERS.items()]
    places += [UnitPlace(Role.BU, node, node, 50_000) for node in BUYERS]
    return Feeder(BASE_POWER, nodes, lines, places, terms)


def plan(wind: int, shares: Sequence[float]) -> list[NodePower]:
    """A period's plan: W of wind, and each node's share of its full load."""
    powers = []
    for node, ((active, reactive), share) in enumerate(zip(LOADS, shares, strict=True)):
        load = round(1000 * active * share), round(1000 * reactive * share)
        generated = {WIND: wind, STORAGE: 150_000}.get(node, 0)
        support = {WIND: 100_000, STORAGE: 50_000}.get(node, 0)
        powers.append(NodePower(generated, support, *load))
    return powers
