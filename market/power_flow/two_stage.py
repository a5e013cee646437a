"""Finds an operating point a second time, by another way, to check the first.

Nothing of equations and newton is used: voltages are rectangular (e + jf) instead of
polar, and the frequency is no unknown of Newton's method but found around it.  Inside,
the frequency is held, so that every droop unit feeds in a known power and one of them
balances; outside, a secant search moves the frequency until that one gives what its own
droop asks for.  With a balance node, or a unit that holds the frequency itself, the
frequency is known and the inner stage is all there is.  What the point says is fixed at a
limit stays fixed: which unit is to be fixed next is solution's rule and not checked here.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass

import numpy as np

from .feeder import Feeder, Floats, NodeType
from .solution import OperatingPoint

_ITERATIONS = 60
_CLOSE = 1e-12
"""Mismatch, per unit, at which a stage needs no further step."""
_STALLED = 1e-10
"""Mismatch, per unit, that may stay where floats allow no smaller one."""
_PROBE = 1e-4
"""First step of the frequency."""


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """residual: the largest mismatch, per unit, that the point leaves in the equations as
    they are written here; deviation: the largest difference of a voltage, an angle (rad)
    or the frequency from the point found here, infinite if none was."""

    residual: float
    deviation: float


def second_opinion(feeder: Feeder, point: OperatingPoint) -> SecondOpinion:
    """Solve the feeder anew, with the point's powers at their limits, and compare."""
    with np.errstate(all="ignore"):  # what leads beyond all numbers is no solution
        flow = _Rectangular(feeder, _at_limits(feeder, point))
        state = point.state
        claimed = np.concatenate((state.phasors.real, state.phasors.imag))
        left = flow.mismatch(claimed, state.frequency)
        gap = flow.droop_gap(claimed, state.frequency)
        found, frequency = _search(flow)
        phasors = found[: flow.size] + 1j * found[flow.size :]
        apart = (
            np.abs(np.abs(phasors) - state.voltage),
            np.abs(np.angle(phasors * np.exp(-1j * state.angle))),
            [abs(frequency - state.frequency)],
        )
        deviation = float(np.concatenate(apart).max())
    residual = max(float(np.abs(left).max()), abs(gap))
    return SecondOpinion(residual, deviation if np.isfinite(deviation) else np.inf)


def _at_limits(feeder: Feeder, point: OperatingPoint) -> dict[str, float]:
    """The limit at which each clamped power stands, by its name such as P0."""
    fixed = {}
    for name in point.clamped:
        node = int(name[1:])
        given, generated = feeder.nodes[node], complex(point.generation[node])
        if name.startswith("P"):
            (low, high), power = given.active_limits, generated.real
        else:
            (low, high), power = given.reactive_limits, generated.imag
        fixed[name] = low if abs(power - low) < abs(power - high) else high
    return fixed


def _search(flow: _Rectangular) -> tuple[Floats, float]:
    """The outer stage: voltages and frequency; NaN where there are none."""
    frequency = flow.known_frequency
    if frequency is not None:
        return flow.solve(flow.start(), frequency), frequency
    before, after = 1.0, 1.0 - _PROBE
    voltages = flow.solve(flow.start(), before)
    gap_before = flow.droop_gap(voltages, before)
    for _ in range(_ITERATIONS):
        voltages = flow.solve(voltages, after)
        gap = flow.droop_gap(voltages, after)
        if abs(gap) <= _CLOSE or gap == gap_before or not np.isfinite(gap):
            break
        step = gap * (after - before) / (gap - gap_before)
        before, gap_before, after = after, gap, after - step
        if after == before:
            break
    return voltages, after


class _Rectangular:
    """The inner stage: the power flow of a held frequency in e and f, shape (2 nodes)."""

    def __init__(self, feeder: Feeder, fixed: Mapping[str, float]) -> None:
        self.size = len(feeder.nodes)
        self._feeder = feeder
        self._fixed = fixed
        ends = np.zeros((len(feeder.lines), self.size))
        for row, line in enumerate(feeder.lines):
            ends[row, line.start], ends[row, line.end] = 1.0, -1.0
        impedance = np.array([[line.resistance, line.reactance] for line in feeder.lines])
        impedance = impedance.reshape(-1, 2)
        conductance, susceptance = (impedance * [1, -1] / (impedance**2).sum(1)[:, None]).T
        self._g: Floats = ends.T @ (conductance[:, None] * ends)
        self._b: Floats = ends.T @ (susceptance[:, None] * ends)
        self._nominal = np.array([astuple(node.load) for node in feeder.nodes]).T
        self._balancing = self._balancing_unit()

    def _balancing_unit(self) -> int | None:
        """The droop unit whose power follows from all others'; with a slack none does."""
        if not self._feeder.islanded:
            return None
        free = [i for i in self._feeder.of_type(NodeType.PD) if f"P{i}" not in self._fixed]
        return min(free, key=lambda i: (self._feeder.nodes[i].active_droop > 0, i))

    @property
    def known_frequency(self) -> float | None:
        """What needs no search: nominal with a balance node, or as a unit holds it."""
        if self._balancing is None:
            return 1.0
        unit = self._feeder.nodes[self._balancing]
        return None if unit.active_droop else unit.frequency

    def start(self) -> Floats:
        """All at their given voltages, PQ nodes at 1, no angles."""
        given = [n.voltage if n.type is not NodeType.PQ else 1.0 for n in self._feeder.nodes]
        return np.array([*given, *np.zeros(self.size)])

    def solve(self, voltages: Floats, frequency: float) -> Floats:
        """Newton's method with full steps; NaN where it leads nowhere."""
        best = np.inf
        for _ in range(_ITERATIONS):
            mismatch = self.mismatch(voltages, frequency)
            worst = float(np.abs(mismatch).max())
            if worst <= _CLOSE or best <= min(worst, _STALLED):
                return voltages
            best = worst
            try:
                step = np.linalg.solve(self._jacobian(voltages, frequency), mismatch)
            except np.linalg.LinAlgError:
                break
            voltages = voltages - step
        return np.full_like(voltages, np.nan)

    def droop_gap(self, voltages: Floats, frequency: float) -> float:
        """What the balancing unit gives beyond what its droop asks for."""
        unit = self._balancing
        if unit is None:
            return 0.0
        node = self._feeder.nodes[unit]
        if node.active_droop == 0:
            return frequency - node.frequency
        given = self._needed(voltages, frequency)[0][unit]
        return float(given - node.active - (node.frequency - frequency) / node.active_droop)

    def mismatch(self, voltages: Floats, frequency: float) -> Floats:
        """What each node's two equations leave, per unit: P (slack: e; the balancing unit:
        the reference's f, which is its angle), then Q or |V|^2 (slack: f)."""
        e, f = voltages[: self.size], voltages[self.size :]
        needed = self._needed(voltages, frequency)
        p, q = needed[0].copy(), needed[1].copy()
        for i, node in enumerate(self._feeder.nodes):
            if node.type is NodeType.SLACK:
                p[i], q[i] = e[i] - node.voltage, f[i]
                continue
            p[i] -= self._active(i, frequency)
            if self._holds_voltage(i):
                q[i] = e[i] ** 2 + f[i] ** 2 - node.voltage**2
            else:
                q[i] -= self._reactive(i, float(np.hypot(e[i], f[i])))
        if self._balancing is not None:
            p[self._balancing] = f[self._feeder.references[0]]
        return np.concatenate((p, q))

    def _active(self, i: int, frequency: float) -> float:
        node = self._feeder.nodes[i]
        free = node.type is NodeType.PD and f"P{i}" not in self._fixed and node.active_droop
        droop = (node.frequency - frequency) / node.active_droop if free else 0.0
        return self._fixed.get(f"P{i}", node.active) + droop

    def _reactive(self, i: int, voltage: float) -> float:
        node = self._feeder.nodes[i]
        free = node.type is NodeType.PD and f"Q{i}" not in self._fixed
        droop = (node.voltage - voltage) / node.reactive_droop if free else 0.0
        return self._fixed.get(f"Q{i}", node.reactive) + droop

    def _holds_voltage(self, i: int) -> bool:
        node = self._feeder.nodes[i]
        if f"Q{i}" in self._fixed or node.type is NodeType.PQ:
            return False
        return node.type is NodeType.PV or node.reactive_droop == 0

    def _needed(self, voltages: Floats, frequency: float) -> tuple[Floats, Floats]:
        """P and Q that each node must generate: its lines' and its load's."""
        e, f = voltages[: self.size], voltages[self.size :]
        real, imaginary = self._g @ e - self._b @ f, self._b @ e + self._g @ f
        active, reactive, *_ = self._loads(np.hypot(e, f), frequency)
        return e * real + f * imaginary + active, f * real - e * imaginary + reactive

    def _loads(self, voltage: Floats, frequency: float) -> tuple[Floats, ...]:
        """P, Q, dP/dV, dQ/dV of the loads."""
        p, q, a, b, kp, kq = self._nominal
        active = p * voltage**a * (1 + kp * (frequency - 1))
        reactive = q * voltage**b * (1 + kq * (frequency - 1))
        return active, reactive, a * active / voltage, b * reactive / voltage

    def _jacobian(self, voltages: Floats, frequency: float) -> Floats:
        """Of mismatch by e and f, shape (2 nodes, 2 nodes)."""
        n = self.size
        e, f = voltages[:n, None], voltages[n:, None]
        g, b = self._g, self._b
        real, imaginary = (g @ e - b @ f)[:, 0], (b @ e + g @ f)[:, 0]
        jacobian = np.block(
            [
                [e * g + f * b + np.diag(real), f * g - e * b + np.diag(imaginary)],
                [f * g - e * b - np.diag(imaginary), np.diag(real) - f * b - e * g],
            ]
        )
        voltage = np.hypot(e, f)[:, 0]
        *_, p_v, q_v = self._loads(voltage, frequency)
        nodes = self._feeder.nodes
        for i, node in enumerate(nodes):
            direction = np.array([e[i, 0], f[i, 0]]) / voltage[i]
            own = [i, n + i]
            droops = node.type is NodeType.PD and f"Q{i}" not in self._fixed
            slope = 1 / node.reactive_droop if droops and node.reactive_droop else 0.0
            jacobian[i, own] += p_v[i] * direction
            jacobian[n + i, own] += (q_v[i] + slope) * direction
            if node.type is NodeType.SLACK:
                jacobian[own] = 0.0
                jacobian[own, own] = 1.0
            elif self._holds_voltage(i):
                jacobian[n + i] = 0.0
                jacobian[n + i, own] = 2 * e[i, 0], 2 * f[i, 0]
        if self._balancing is not None:
            jacobian[self._balancing] = 0.0
            jacobian[self._balancing, n + self._feeder.references[0]] = 1.0
        return jacobian
