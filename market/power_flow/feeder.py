"""What a power flow is computed for: nodes, lines, and who holds voltage and frequency.

All quantities per unit; frequency in units of the nominal one.  A node is slack (voltage
and angle given: the balance node), PV (power and voltage), PQ (powers) or PD (a unit under
droop control: P = P0 + (f0 - f)/m_p, Q = Q0 + (V0 - V)/n_q).  A load follows voltage and
frequency: P_L V^a (1 + k_pf (f - 1)).  (Fabric counterpart: none.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ..errors import MarketError

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

LINE_LIMIT = 0.53
"""The paper's upper limit of a line, per unit."""


class InfeasibleFlow(MarketError):
    """No operating point exists, or none was found; reason says what stands in the way."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"there is no power flow: {reason}")
        self.reason = reason


class NodeType(StrEnum):
    """What is given at a node."""

    SLACK = "slack"
    PV = "PV"
    PQ = "PQ"
    PD = "PD"


@dataclass(frozen=True, slots=True)
class Load:
    """active, reactive at nominal voltage and frequency; the exponents and slopes."""

    active: float = 0.0
    reactive: float = 0.0
    active_exponent: float = 0.0
    reactive_exponent: float = 0.0
    active_slope: float = 0.0
    reactive_slope: float = 0.0


@dataclass(frozen=True, slots=True)
class Node:
    """active, reactive: given generation (a PD node's P0, Q0); voltage: given (PD: V0).

    active_droop, reactive_droop: m_p, n_q of a PD node, 0 holds the frequency or voltage
    itself; the limits bind a PD node's powers and a PV node's reactive power.
    """

    type: NodeType
    load: Load = Load()
    active: float = 0.0
    reactive: float = 0.0
    voltage: float = 1.0
    active_droop: float = 0.0
    reactive_droop: float = 0.0
    frequency: float = 1.0
    active_limits: tuple[float, float] = (-math.inf, math.inf)
    reactive_limits: tuple[float, float] = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Line:
    """A series impedance r + jx between two nodes; limit: of its apparent power."""

    start: int
    end: int
    resistance: float
    reactance: float
    limit: float = LINE_LIMIT

    @property
    def admittance(self) -> complex:
        """1/(r + jx)."""
        return 1 / complex(self.resistance, self.reactance)


@dataclass(frozen=True, slots=True)
class Feeder:
    """Nodes by number, and the lines between them."""

    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]

    @property
    def islanded(self) -> bool:
        """Whether there is no balance node, so that the frequency is unknown."""
        return all(node.type is not NodeType.SLACK for node in self.nodes)

    @property
    def references(self) -> list[int]:
        """The nodes with angle 0: all slack nodes, else the first PD node."""
        slack = [i for i, node in enumerate(self.nodes) if node.type is NodeType.SLACK]
        return slack or self.of_type(NodeType.PD)[:1]

    def of_type(self, *types: NodeType) -> list[int]:
        """The nodes of these types, ascending."""
        return [i for i, node in enumerate(self.nodes) if node.type in types]

    def admittances(self) -> Complexes:
        """The node admittance matrix."""
        matrix = np.zeros((len(self.nodes), len(self.nodes)), dtype=np.complex128)
        for line in self.lines:
            y = line.admittance
            matrix[line.start, line.start] += y
            matrix[line.end, line.end] += y
            matrix[line.start, line.end] -= y
            matrix[line.end, line.start] -= y
        return matrix

    def check(self) -> None:
        """InfeasibleFlow unless something holds the balance of every node."""
        if not self.references:
            raise InfeasibleFlow("neither a slack nor a PD node holds the balance of power")
        apart = sorted(set(range(len(self.nodes))) - _reached(self.references, self.lines))
        if apart:
            names = ", ".join(map(str, apart))
            raise InfeasibleFlow(f"no line leads from nodes {names} to what holds the balance")


def _reached(start: Sequence[int], lines: Sequence[Line]) -> set[int]:
    neighbours: dict[int, list[int]] = {}
    for line in lines:
        neighbours.setdefault(line.start, []).append(line.end)
        neighbours.setdefault(line.end, []).append(line.start)
    reached, waiting = set(start), list(start)
    while waiting:
        for node in neighbours.get(waiting.pop(), ()):
            if node not in reached:
                reached.add(node)
                waiting.append(node)
    return reached
