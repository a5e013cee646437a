"""The feeder as the ledger knows it: nodes, lines, what is planned for a period.

Powers in W, var and VA; impedances, voltages and droops in millionths of the per-unit
value of base_power.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ..roles import Role, unit_name

MICRO = 10**6


class NodeKind(StrEnum):
    """What is given at a node: slack (balance node), PV, PQ, or PD (a unit under droop)."""

    SLACK = "slack"
    PV = "PV"
    PQ = "PQ"
    PD = "PD"


@dataclass(frozen=True, slots=True)
class FeederNode:
    """How a node behaves.

    voltage: of slack and PV nodes, V0 of PD nodes; active_droop, reactive_droop: m_p > 0,
    n_q >= 0 of PD nodes; the limits of a PD node's generation, None for none (W, var).
    active_exponent, reactive_exponent: 0, 1 or 2, a load of constant power, current or
    impedance; active_slope, reactive_slope: k_pf, k_qf.
    """

    kind: NodeKind
    voltage: int = MICRO
    active_droop: int = 0
    reactive_droop: int = 0
    active_low: int | None = None
    active_high: int | None = None
    reactive_low: int | None = None
    reactive_high: int | None = None
    active_exponent: int = 0
    reactive_exponent: int = 0
    active_slope: int = 0
    reactive_slope: int = 0


@dataclass(frozen=True, slots=True)
class FeederLine:
    """resistance, reactance: millionths; limit: VA; risk: beta of (1), millionths."""

    start: int
    end: int
    resistance: int
    reactance: int
    limit: int
    risk: int = MICRO


@dataclass(frozen=True, slots=True)
class UnitPlace:
    """At which node a unit stands; risk: its alpha or gamma of (1), millionths."""

    role: Role
    unit_id: int
    node: int
    risk: int = 0

    @property
    def unit(self) -> str:
        """BU3, SU1."""
        return unit_name(self.role, self.unit_id)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator founds the market on.

    eps1, eps2, highest_conflict: of rule (9) and its guard, millionths; period_minutes:
    length of a trading period; frequency_low to voltage_high: the security limits,
    millionths.
    """

    eps1: int
    eps2: int
    highest_conflict: int
    period_minutes: int = 60
    frequency_low: int = 994_000
    frequency_high: int = 1_006_000
    voltage_low: int = 940_000
    voltage_high: int = 1_060_000


@dataclass(frozen=True, slots=True)
class Feeder:
    """The published feeder; base_power: VA."""

    base_power: int
    nodes: list[FeederNode]
    lines: list[FeederLine]
    places: list[UnitPlace]
    terms: Terms

    def place(self, role: Role, unit_id: int) -> UnitPlace | None:
        """Where a unit stands, None if it is not on the feeder."""
        for place in self.places:
            if (place.role, place.unit_id) == (role, unit_id):
                return place
        return None


@dataclass(frozen=True, slots=True)
class NodePower:
    """What a node is planned to generate (P0, Q0 of a PD node) and to use: W, var."""

    active: int = 0
    reactive: int = 0
    load_active: int = 0
    load_reactive: int = 0


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A claimed solution of the power flow, in 10^-12 of the per-unit values.

    frequency; real, imaginary: parts of the complex voltage of each node.
    """

    frequency: int
    real: list[int]
    imaginary: list[int]


@dataclass(frozen=True, slots=True)
class Period:
    """A trading period: the plan, and the grid as the last secured trade leaves it.

    flows: active power into each line at its start, W; trades: W by secured contract.
    """

    period: int
    powers: list[NodePower]
    point: OperatingPoint
    flows: list[int]
    violations: list[str] = field(default_factory=list)
