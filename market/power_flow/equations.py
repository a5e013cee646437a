"""The power flow equations F(x) = 0 and their Jacobian: paper 000, eqs. (4) and (5).

Unknown are the angles of all nodes but the references, the voltages of PQ and PD nodes
and, without a balance node, the frequency.  P is balanced at every node but the slack, Q
at PQ and PD nodes; that is square.  A PD node whose power has been fixed at a limit
balances like a PQ node.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .feeder import Complexes, Feeder, Floats, NodeType


@dataclass(frozen=True, slots=True)
class State:
    """Voltage and angle (rad) of every node, and the frequency."""

    voltage: Floats
    angle: Floats
    frequency: float

    @property
    def phasors(self) -> Complexes:
        """The complex voltages."""
        phasors: Complexes = self.voltage * np.exp(1j * self.angle)
        return phasors


@dataclass(frozen=True, slots=True)
class _Loads:
    active: Floats
    reactive: Floats
    active_by_voltage: Floats
    reactive_by_voltage: Floats
    active_by_frequency: Floats
    reactive_by_frequency: Floats


class Equations:
    """The equations of a feeder; fixed_active, fixed_reactive: power at a limit by node."""

    def __init__(
        self, feeder: Feeder, fixed_active: Mapping[int, float], fixed_reactive: Mapping[int, float]
    ) -> None:
        nodes = feeder.nodes
        self.feeder = feeder
        self.matrix = feeder.admittances()
        self._slack = feeder.of_type(NodeType.SLACK)
        self._angles = [i for i in range(len(nodes)) if i not in feeder.references]
        released = [i for i in feeder.of_type(NodeType.PV) if i in fixed_reactive]
        self._voltages = sorted(feeder.of_type(NodeType.PQ, NodeType.PD) + released)
        self._active = [i for i in range(len(nodes)) if nodes[i].type is not NodeType.SLACK]
        self._read_loads()
        self._read_generation(fixed_active, fixed_reactive)

    def _read_loads(self) -> None:
        loads = [node.load for node in self.feeder.nodes]
        self._nominal_p = np.array([load.active for load in loads])
        self._nominal_q = np.array([load.reactive for load in loads])
        self._a = np.array([load.active_exponent for load in loads])
        self._b = np.array([load.reactive_exponent for load in loads])
        self._kpf = np.array([load.active_slope for load in loads])
        self._kqf = np.array([load.reactive_slope for load in loads])

    def _read_generation(
        self, fixed_active: Mapping[int, float], fixed_reactive: Mapping[int, float]
    ) -> None:
        """Generation as p0 + pf (f0 - f) and q0 + qv (V0 - V); what holds f or V itself."""
        nodes = self.feeder.nodes
        self._p0 = np.array([fixed_active.get(i, node.active) for i, node in enumerate(nodes)])
        self._q0 = np.array([fixed_reactive.get(i, node.reactive) for i, node in enumerate(nodes)])
        self._f0 = np.array([node.frequency for node in nodes])
        self._v0 = np.array([node.voltage for node in nodes])
        self._pf, self._qv = np.zeros(len(nodes)), np.zeros(len(nodes))
        self._holds_f, self._holds_v = np.zeros(len(nodes), bool), np.zeros(len(nodes), bool)
        for i in self.feeder.of_type(NodeType.PD):
            node = nodes[i]
            if i not in fixed_active:
                self._holds_f[i] = node.active_droop == 0 and self.feeder.islanded
                self._pf[i] = 1 / node.active_droop if node.active_droop else 0.0
            if i not in fixed_reactive:
                self._holds_v[i] = node.reactive_droop == 0
                self._qv[i] = 1 / node.reactive_droop if node.reactive_droop else 0.0

    def start(self) -> State:
        """A flat start: every given voltage, 1 elsewhere, nominal frequency."""
        given = [n.voltage if n.type is not NodeType.PQ else 1.0 for n in self.feeder.nodes]
        return State(np.array(given), np.zeros(len(given)), 1.0)

    def moved(self, state: State, step: Floats) -> State:
        """The state after a step of the unknowns."""
        voltage, angle = state.voltage.copy(), state.angle.copy()
        angle[self._angles] += step[: len(self._angles)]
        voltage[self._voltages] += step[len(self._angles) : len(self._angles + self._voltages)]
        change = float(step[-1]) if self.feeder.islanded else 0.0
        return State(voltage, angle, state.frequency + change)

    def generation(self, state: State) -> Complexes:
        """What each node must generate for the flows and loads of a state."""
        phasors = state.phasors
        loads = self._loads(state)
        generated: Complexes = phasors * np.conj(self.matrix @ phasors)
        return generated + loads.active + 1j * loads.reactive

    def mismatch(self, state: State) -> Floats:
        """F(x): generation that is needed less generation that the units give."""
        needed = self.generation(state)
        p = needed.real - self._p0 - self._pf * (self._f0 - state.frequency)
        q = needed.imag - self._q0 - self._qv * (self._v0 - state.voltage)
        p = np.where(self._holds_f, state.frequency - self._f0, p)
        q = np.where(self._holds_v, state.voltage - self._v0, q)
        return np.concatenate((p[self._active], q[self._voltages]))

    def place(self, row: int) -> str:
        """Which equation a row of the mismatch is."""
        places = [f"P at node {i}" for i in self._active]
        places += [f"Q at node {i}" for i in self._voltages]
        return places[row]

    def jacobian(self, state: State) -> Floats:
        """dF/dx: the paper's blocks B, A', E and F over D, C' and G."""
        phasors = state.phasors
        unit = phasors / state.voltage
        current = self.matrix @ phasors
        by_angle = 1j * phasors[:, None] * np.conj(np.diag(current) - self.matrix * phasors)
        by_voltage = phasors[:, None] * np.conj(self.matrix * unit)
        by_voltage += np.diag(np.conj(current) * unit)
        loads = self._loads(state)
        p_v = by_voltage.real + np.diag(loads.active_by_voltage)
        q_v = by_voltage.imag + np.diag(loads.reactive_by_voltage + self._qv)
        rows_p = np.hstack(
            (
                by_angle.real[:, self._angles],
                p_v[:, self._voltages],
                (loads.active_by_frequency + self._pf)[:, None],
            )
        )
        rows_q = np.hstack(
            (
                by_angle.imag[:, self._angles],
                q_v[:, self._voltages],
                loads.reactive_by_frequency[:, None],
            )
        )
        self._hold(rows_p, rows_q)
        whole: Floats = np.vstack((rows_p[self._active], rows_q[self._voltages]))
        return whole if self.feeder.islanded else whole[:, :-1]

    def _hold(self, rows_p: Floats, rows_q: Floats) -> None:
        """Rows of nodes that hold frequency or voltage itself."""
        rows_p[self._holds_f] = 0.0
        rows_p[self._holds_f, -1] = 1.0
        rows_q[self._holds_v] = 0.0
        for position, node in enumerate(self._voltages):
            if self._holds_v[node]:
                rows_q[node, len(self._angles) + position] = 1.0

    def _loads(self, state: State) -> _Loads:
        deviation = state.frequency - 1.0
        by_v_p = self._nominal_p * state.voltage**self._a
        by_v_q = self._nominal_q * state.voltage**self._b
        by_f_p, by_f_q = 1 + self._kpf * deviation, 1 + self._kqf * deviation
        return _Loads(
            by_v_p * by_f_p,
            by_v_q * by_f_q,
            self._a * by_v_p / state.voltage * by_f_p,
            self._b * by_v_q / state.voltage * by_f_q,
            by_v_p * self._kpf,
            by_v_q * self._kqf,
        )
