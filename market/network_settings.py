"""The `network` of a scenario's community: nodes and lines, limits, and who is where.

    community:
      households: 6
      network:
        kilovolts: 0.4                 # between phases; r and x are ohms
        kva: 100                       # base power, and the limit of lines that name none
        lines:
          - {from: 0, to: 1, r: 0.05, x: 0.02, kva: 60}
          - {from: 1, to: 2, r: 0.08, x: 0.03}
        nodes: {0: {type: slack}}      # all others are PQ; the default is this
        users: [1, 1, 2, 2, 2, 2]      # the node of each user, or "bus": users.csv's column
        voltage: [0.94, 1.06]          # per unit; so is the frequency
        frequency: [0.994, 1.006]
        power_factor: 0.95             # of the users' loads; they feed in none

An island has no slack but units under droop: `{type: PD, kw: 20, mp: 0.02}` gives
kw + (1 - f)/mp in per unit of kva, holds `voltage` unless nq says otherwise, and no more
than max_kw.  Everything becomes whole millionths, W and VA, as on the ledger.
(Fabric counterpart: none.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.auction_grid import HouseholdPlace, SessionGrid
from gridloom.chaincode.energy.baas.grid_records import (
    MICRO,
    Feeder,
    FeederLine,
    FeederNode,
    NodeKind,
    NodePower,
    Terms,
)

from .community import User
from .settings import Settings

SESSION = "day"
"""The session of the auction in which a community's day is traded."""

_ALLOWED = frozenset(
    {"kilovolts", "kva", "lines", "nodes", "users", "voltage", "frequency", "power_factor"}
)
_LINE = frozenset({"from", "to", "r", "x", "kva"})
_NODE = frozenset({"type", "voltage", "kw", "kvar", "mp", "nq", "max_kw"})
_MOST_NODES = 200
_DEFAULT_NODES: Mapping[object, object] = {0: {"type": NodeKind.SLACK.value}}


def network_of(settings: Settings, users: Sequence[User], minutes: int) -> SessionGrid:
    """The network that the settings describe; ScenarioError names what cannot be meant."""
    settings.only(_ALLOWED)
    kva = settings.number("kva", 100.0, low=0.001, high=1e9)
    lines = _lines(settings, kva)
    count = 1 + max(end for line in lines for end in (line.start, line.end))
    nodes, own = _nodes(settings, count)
    low, high = _interval(settings, "voltage", [0.94, 1.06])
    slow, fast = _interval(settings, "frequency", [0.994, 1.006])
    factor = settings.number("power_factor", 1.0, low=0.1, high=1.0)
    terms = Terms(0, 0, MICRO, minutes, slow, fast, low, high)
    grid = SessionGrid(
        SESSION,
        Feeder(round(kva * 1000), nodes, lines, [], terms),
        own,
        _places(settings, users, nodes),
        minutes,
        round(math.tan(math.acos(factor)) * MICRO),
    )
    try:
        grid.check()
    except ChaincodeError as fault:
        settings.fail("lines", str(fault))
    return grid


def _lines(settings: Settings, kva: float) -> list[FeederLine]:
    ohms = settings.number("kilovolts", 0.4, low=0.01, high=1000) ** 2 * 1000 / kva
    lines = []
    listed = settings.items("lines", ())
    for name in listed.values:
        line = listed.section(name)
        line.only(_LINE)
        start, end = (line.whole(end, -1, low=0, high=_MOST_NODES - 1) for end in ("from", "to"))
        r, x = (line.number(part, 0.0, low=0, high=1e6) for part in ("r", "x"))
        limit = line.number("kva", kva, low=0, high=1e9)
        lines.append(
            FeederLine(
                start, end, round(r / ohms * MICRO), round(x / ohms * MICRO), round(limit * 1000)
            )
        )
    return lines


def _nodes(settings: Settings, count: int) -> tuple[list[FeederNode], list[NodePower]]:
    described = settings.values.get("nodes", _DEFAULT_NODES)
    if not isinstance(described, Mapping):
        settings.fail("nodes", f"{described!r} is no mapping of node numbers")
    nodes, own = [FeederNode(NodeKind.PQ)] * count, [NodePower()] * count
    for number, value in described.items():
        if not isinstance(number, int) or not 0 <= number < count:
            settings.fail(f"nodes.{number}", f"no line leads to a node {number!r}")
        named = Settings(settings.source, {str(number): value}, f"{settings.path}nodes.")
        nodes[number], own[number] = _node(named.section(str(number)))
    return nodes, own


def _node(settings: Settings) -> tuple[FeederNode, NodePower]:
    settings.only(_NODE)
    kind = NodeKind(settings.text("type", NodeKind.PQ.value, [each.value for each in NodeKind]))
    most = settings.number("max_kw", 0.0, low=0, high=1e9) if "max_kw" in settings.values else None
    node = FeederNode(
        kind,
        round(settings.number("voltage", 1.0, low=0.1, high=2) * MICRO),
        round(settings.number("mp", 0.0, low=0, high=1e3) * MICRO),
        round(settings.number("nq", 0.0, low=0, high=1e3) * MICRO),
        active_high=None if most is None else round(most * 1000),
    )
    active = round(settings.number("kw", 0.0, low=0, high=1e9) * 1000)
    reactive = round(settings.number("kvar", 0.0, low=-1e9, high=1e9) * 1000)
    return node, NodePower(active, reactive)


def _interval(settings: Settings, name: str, usual: Sequence[object]) -> tuple[int, int]:
    bounds = settings.items(name, usual)
    if len(bounds.values) != 2:
        settings.fail(name, f"has {len(bounds.values)} values, not a lowest and a highest")
    low, high = (bounds.number(each, 1.0, low=0, high=10) for each in bounds.values)
    if low >= high:
        settings.fail(name, f"{low:g} is not below {high:g}")
    return round(low * MICRO), round(high * MICRO)


def _places(
    settings: Settings, users: Sequence[User], nodes: Sequence[FeederNode]
) -> list[HouseholdPlace]:
    """Where users are; without a word, in turn at all nodes but the balance node."""
    if settings.values.get("users") == "bus":
        found = [user.bus for user in users]
        for user in users:
            if user.bus >= len(nodes):
                settings.fail("users", f"{user.name} is at bus {user.bus}, which no line reaches")
    elif "users" in settings.values:
        listed = settings.items("users", ())
        if len(listed.values) != len(users):
            settings.fail("users", f"has {len(listed.values)} nodes for {len(users)} users")
        found = [listed.whole(each, 0, low=0, high=len(nodes) - 1) for each in listed.values]
    else:
        free = [i for i, node in enumerate(nodes) if node.kind is not NodeKind.SLACK]
        found = [free[i % len(free)] for i in range(len(users))]
    return [HouseholdPlace(user.name, node) for user, node in zip(users, found, strict=True)]
