"""The operating point of a feeder, its units within their limits.

While a droop unit would leave its limits, the one furthest outside is fixed at its limit,
which makes it a PQ node in that power, and the flow is solved again; likewise a PV node's
reactive power.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .equations import Equations, State
from .feeder import Complexes, Feeder, Floats, InfeasibleFlow, NodeType
from .newton import solve

_OUTSIDE = 1e-9


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A solved power flow, per unit.

    generation: complex power generated at each node; sent, received: complex power that
    flows into each line at its start and its end; clamped: powers fixed at their limits,
    such as P0 for the active power of node 0, in the order in which they were fixed.
    """

    state: State
    generation: Complexes
    sent: Complexes
    received: Complexes
    clamped: tuple[str, ...]

    @property
    def line_loading(self) -> Floats:
        """The apparent power at the fuller end of each line."""
        loading: Floats = np.maximum(np.abs(self.sent), np.abs(self.received))
        return loading

    @property
    def loss(self) -> float:
        """Active power lost in the lines."""
        return float((self.sent + self.received).real.sum())


def operating_point(feeder: Feeder) -> OperatingPoint:
    """Solve a feeder; InfeasibleFlow."""
    with np.errstate(all="ignore"):  # a step that leads beyond all numbers is not taken
        return _solve(feeder)


def _solve(feeder: Feeder) -> OperatingPoint:
    feeder.check()
    fixed: dict[str, dict[int, float]] = {"P": {}, "Q": {}}
    clamped: list[str] = []
    state: State | None = None
    while True:
        _check_frequency_is_held(feeder, fixed["P"])
        equations = Equations(feeder, fixed["P"], fixed["Q"])
        state = solve(equations, state or equations.start())
        generation = equations.generation(state)
        worst = _furthest_outside(feeder, generation, fixed)
        if worst is None:
            return _point(feeder, state, generation, tuple(clamped))
        power, node, limit = worst
        fixed[power][node] = limit
        clamped.append(f"{power}{node}")


def _check_frequency_is_held(feeder: Feeder, fixed: dict[int, float]) -> None:
    if not feeder.islanded:
        return
    free = [i for i in feeder.of_type(NodeType.PD) if i not in fixed]
    if not free:
        raise InfeasibleFlow("every PD node is at its limit, nothing holds the frequency")
    holding = [i for i in free if feeder.nodes[i].active_droop == 0]
    if len(holding) > 1:
        names = ", ".join(map(str, holding))
        raise InfeasibleFlow(f"nodes {names} all hold the frequency itself (m_p = 0)")


def _furthest_outside(
    feeder: Feeder, generation: Complexes, fixed: dict[str, dict[int, float]]
) -> tuple[str, int, float] | None:
    worst, found = _OUTSIDE, None
    for i, node in enumerate(feeder.nodes):
        checks = []
        if node.type is NodeType.PD:
            checks.append(("P", generation[i].real, node.active_limits))
        if node.type in (NodeType.PD, NodeType.PV):
            checks.append(("Q", generation[i].imag, node.reactive_limits))
        for power, value, (low, high) in checks:
            outside = max(value - high, low - value)
            if i not in fixed[power] and outside > worst:
                worst, found = outside, (power, i, high if value > high else low)
    return found


def _point(
    feeder: Feeder, state: State, generation: Complexes, clamped: tuple[str, ...]
) -> OperatingPoint:
    phasors = state.phasors
    starts = phasors[[line.start for line in feeder.lines]]
    ends = phasors[[line.end for line in feeder.lines]]
    current = (starts - ends) * np.array([line.admittance for line in feeder.lines])
    sent: Complexes = starts * np.conj(current)
    received: Complexes = -ends * np.conj(current)
    return OperatingPoint(state, generation, sent, received, clamped)
