"""Reading the networks of paper 000's cases: feeders, and lines that transport.

(Fabric counterpart: none.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from gridloom.chaincode.energy.baas.potential_units import Line as TransportLine

from ..cases import Fields
from ..power_flow.feeder import LINE_LIMIT, Feeder, Line, Load, Node, NodeType

_LARGEST = 1000
"""Nodes of a feeder: its matrices are dense."""


@dataclass(frozen=True, slots=True)
class Transport:
    """nodes: how many; candidates: gamma by unit."""

    nodes: int
    lines: list[TransportLine]
    source: int
    candidates: dict[int, Fraction]


def read_feeder(fields: Fields) -> Feeder:
    """`nodes` and `lines` of a powerflow case."""
    listed = fields.as_list("nodes", fields.required("nodes"))
    if not listed or len(listed) > _LARGEST:
        fields.fail("nodes", f"has {len(listed)} entries, not 1 to {_LARGEST}")
    nodes = tuple(_node(fields, f"nodes[{i}]", value) for i, value in enumerate(listed))
    lines = []
    for i, value in enumerate(fields.as_list("lines", fields.required("lines"))):
        path = f"lines[{i}]"
        line = fields.as_object(path, value)
        start, end = _ends(fields, path, line, len(nodes))
        r = _number(fields, path, line, "r")
        x = _number(fields, path, line, "x")
        if r == x == 0:
            fields.fail(path, "has no impedance: r and x are both 0")
        limit = _number(fields, path, line, "smax", LINE_LIMIT, low=0.0)
        lines.append(Line(start, end, r, x, limit))
    return Feeder(nodes, tuple(lines))


def _node(fields: Fields, path: str, value: object) -> Node:
    given = fields.as_object(path, value)
    types = [each.value for each in NodeType]
    if given.get("type") not in types:
        fields.fail(f"{path}.type", f"{given.get('type')!r} is none of {', '.join(types)}")
    node_type = NodeType(str(given["type"]))

    def number(key: str, default: float | None = 0.0, low: float = -math.inf) -> float:
        return _number(fields, path, given, key, default, low=low)

    load = Load(
        number("PL"), number("QL"), number("a"), number("b"), number("kpf"), number("kqf")
    )  # fmt: skip
    common: dict[str, Any] = {
        "reactive_limits": _limits(fields, path, given, "Qmin", "Qmax"),
        "active_limits": _limits(fields, path, given, "Pmin", "Pmax"),
    }
    if node_type is NodeType.PD:
        return Node(
            node_type,
            load,
            active=number("P0"),
            reactive=number("Q0"),
            voltage=_voltage(fields, path, given, "V0"),
            active_droop=number("mp", None, low=0.0),
            reactive_droop=number("nq", low=0.0),
            frequency=number("f0", 1.0, low=0.0),
            **common,
        )
    given_voltage = node_type in (NodeType.SLACK, NodeType.PV)
    voltage = _voltage(fields, path, given, "V") if given_voltage else 1.0
    return Node(node_type, load, number("PG"), number("QG"), voltage, **common)


def _voltage(fields: Fields, path: str, given: Mapping[str, object], key: str) -> float:
    voltage = _number(fields, path, given, key, 1.0)
    if voltage <= 0:
        fields.fail(f"{path}.{key}", f"{voltage} is no voltage")
    return voltage


def _limits(
    fields: Fields, path: str, given: Mapping[str, object], low: str, high: str
) -> tuple[float, float]:
    least = _number(fields, path, given, low, -math.inf)
    most = _number(fields, path, given, high, math.inf)
    if least > most:
        fields.fail(f"{path}.{low}", f"{least} is above {high} = {most}")
    return least, most


def _number(
    fields: Fields,
    path: str,
    given: Mapping[str, object],
    key: str,
    default: float | None = None,
    *,
    low: float = -math.inf,
) -> float:
    value = given.get(key)
    if value is None:
        if default is None:
            fields.fail(f"{path}.{key}", "is missing")
        return default
    return fields.as_number(f"{path}.{key}", value, low=low)


def read_transport(fields: Fields) -> Transport:
    """A potential case without power and alpha."""
    nodes = _integer(fields, "n", fields.required("n"), 1, 100_000)
    lines = []
    for i, value in enumerate(fields.as_list("lines", fields.required("lines"))):
        path = f"lines[{i}]"
        line = fields.as_object(path, value)
        start, end = _ends(fields, path, line, nodes)
        limit = fields.as_exact(f"{path}.pmax", line.get("pmax"), low=0)
        flow = fields.as_exact(f"{path}.P0", line.get("P0", 0))
        risk = fields.as_exact(f"{path}.beta", line.get("beta", 0), low=0)
        lines.append(TransportLine(start, end, limit, flow, risk))
    source = _integer(fields, "source", fields.required("source"), 0, nodes - 1)
    gammas = fields.as_object("gamma", fields.required("gamma"))
    candidates: dict[int, Fraction] = {}
    for i, value in enumerate(fields.as_list("candidates", fields.required("candidates"))):
        unit = _integer(fields, f"candidates[{i}]", value, 0, nodes - 1)
        if unit in candidates:
            fields.fail(f"candidates[{i}]", f"{unit} is there twice")
        candidates[unit] = fields.as_exact(f"gamma.{unit}", gammas.get(str(unit)))
    return Transport(nodes, lines, source, candidates)


def _ends(fields: Fields, path: str, line: Mapping[str, object], nodes: int) -> tuple[int, int]:
    start = _integer(fields, f"{path}.from", line.get("from"), 0, nodes - 1)
    end = _integer(fields, f"{path}.to", line.get("to"), 0, nodes - 1)
    if start == end:
        fields.fail(path, f"leads from node {start} to itself")
    return start, end


def _integer(fields: Fields, path: str, value: object, low: int, high: int) -> int:
    number = fields.as_number(path, value, low=low, high=high)
    if not number.is_integer():
        fields.fail(path, f"{number} is not a whole number")
    return int(number)
