"""Checks a claimed operating point exactly: paper 000, eq. (4) and the security limits.

Peers must agree, so the ledger does not solve the power flow in floats; it verifies a
solution that the operator brings.  The voltages come in rectangular coordinates, e + jf,
in which the equations are polynomials: no sine, no rounding that could differ.  Only
|V| needs a root, taken in whole numbers.  A solution satisfies every equation within
TOLERANCE; a droop unit gives what its droop asks for, clipped to its limits.  What then
exceeds a security limit is named.  (Fabric counterpart: none; docs/decisions/0011.)
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt
from typing import NamedTuple

from gridloom.chaincode import ChaincodeError

from .grid_records import (
    MICRO,
    Feeder,
    FeederLine,
    FeederNode,
    NodeKind,
    NodePower,
    OperatingPoint,
)

SCALE = 10**12
TOLERANCE = Fraction(1, 10**8)
"""Largest mismatch, per unit, and largest distance of a held voltage or frequency."""


class NotAnOperatingPoint(ChaincodeError):
    """The claimed voltages and frequency do not solve the power flow.

    place: the equation, such as P:3; mismatch: per unit.
    """

    def __init__(self, place: str, mismatch: Fraction) -> None:
        millionths = round(mismatch * MICRO)
        message = f"not an operating point: {place} is off by {millionths} millionths p.u."
        super().__init__(message, status=422)
        self.place = place
        self.mismatch = mismatch


class _Complex(NamedTuple):
    real: Fraction
    imaginary: Fraction

    @property
    def square(self) -> Fraction:
        return self.real * self.real + self.imaginary * self.imaginary


_ZERO = _Complex(Fraction(0), Fraction(0))


class Verdict(NamedTuple):
    """violations: frequency, voltage:<node>, line:<line>; flows: W into each line."""

    violations: list[str]
    flows: list[int]


def verify(feeder: Feeder, powers: Sequence[NodePower], point: OperatingPoint) -> Verdict:
    """Judge a claimed operating point; NotAnOperatingPoint if it is none."""
    count = len(feeder.nodes)
    if not len(point.real) == len(point.imaginary) == len(powers) == count:
        raise NotAnOperatingPoint("the number of nodes", Fraction(len(point.real) - count))
    if point.frequency <= 0:
        raise NotAnOperatingPoint("frequency", Fraction(point.frequency, SCALE))
    claim = _Claim(feeder, point)
    claim.check_references()
    for i, power in enumerate(powers):
        claim.check_node(i, power)
    base = feeder.base_power
    return Verdict(claim.violations(), [round(sent.real * base) for sent, _ in claim.flows])


class _Claim:
    """A claimed point on a feeder, in exact per-unit values.

    flows: complex power into each line at its start and at its end.
    """

    def __init__(self, feeder: Feeder, point: OperatingPoint) -> None:
        pairs = list(zip(point.real, point.imaginary, strict=True))
        self.feeder = feeder
        self.frequency = Fraction(point.frequency, SCALE)
        self.voltages = [_Complex(Fraction(e, SCALE), Fraction(f, SCALE)) for e, f in pairs]
        self.magnitudes = [Fraction(isqrt(e * e + f * f), SCALE) for e, f in pairs]
        self.flows = [self._flow(line) for line in feeder.lines]
        self.injected = [_ZERO] * len(feeder.nodes)
        for line, ends in zip(feeder.lines, self.flows, strict=True):
            for node, power in zip((line.start, line.end), ends, strict=True):
                p, q = self.injected[node]
                self.injected[node] = _Complex(p + power.real, q + power.imaginary)

    def _flow(self, line: FeederLine) -> tuple[_Complex, _Complex]:
        r, x = Fraction(line.resistance, MICRO), Fraction(line.reactance, MICRO)
        start, end = self.voltages[line.start], self.voltages[line.end]
        de, df = start.real - end.real, start.imaginary - end.imaginary
        square = r * r + x * x
        real, imaginary = (r * de + x * df) / square, (r * df - x * de) / square
        return (
            _power(start, _Complex(real, imaginary)),
            _power(end, _Complex(-real, -imaginary)),
        )

    def check_references(self) -> None:
        """A balance node holds its angle, and with it the frequency."""
        for i, node in enumerate(self.feeder.nodes):
            if node.kind is NodeKind.SLACK:
                _hold("frequency", self.frequency - 1)
                _hold(f"angle:{i}", self.voltages[i].imaginary)

    def check_node(self, i: int, power: NodePower) -> None:
        """The equations of a node."""
        node = self.feeder.nodes[i]
        needed = self._generation(i, power)
        if node.kind is not NodeKind.SLACK:
            _hold(f"P:{i}", needed.real - self._active(node, power))
        held = self.magnitudes[i] - Fraction(node.voltage, MICRO)
        if node.kind in (NodeKind.SLACK, NodeKind.PV):
            _hold(f"V:{i}", held)
        elif node.kind is NodeKind.PD and not node.reactive_droop:
            self._check_held_voltage(i, needed.imaginary, held)
        else:
            _hold(f"Q:{i}", needed.imaginary - self._reactive(node, power, held))

    def _generation(self, i: int, power: NodePower) -> _Complex:
        """The injection and the load at this voltage and frequency."""
        node, base = self.feeder.nodes[i], self.feeder.base_power
        magnitude, deviation = self.magnitudes[i], self.frequency - 1
        active = Fraction(power.load_active, base) * magnitude**node.active_exponent
        reactive = Fraction(power.load_reactive, base) * magnitude**node.reactive_exponent
        return _Complex(
            self.injected[i].real + active * (1 + Fraction(node.active_slope, MICRO) * deviation),
            self.injected[i].imaginary
            + reactive * (1 + Fraction(node.reactive_slope, MICRO) * deviation),
        )

    def _active(self, node: FeederNode, power: NodePower) -> Fraction:
        given = Fraction(power.active, self.feeder.base_power)
        if node.kind is not NodeKind.PD:
            return given
        wanted = given + (1 - self.frequency) * MICRO / node.active_droop
        return self._clip(wanted, node.active_low, node.active_high)

    def _reactive(self, node: FeederNode, power: NodePower, held: Fraction) -> Fraction:
        given = Fraction(power.reactive, self.feeder.base_power)
        if node.kind is not NodeKind.PD:
            return given
        wanted = given - held * MICRO / node.reactive_droop
        return self._clip(wanted, node.reactive_low, node.reactive_high)

    def _check_held_voltage(self, i: int, reactive: Fraction, held: Fraction) -> None:
        """n_q = 0: V0 is held, unless a limit of the reactive power lets it slip."""
        node = self.feeder.nodes[i]
        inside = self._clip(reactive, node.reactive_low, node.reactive_high)
        _hold(f"Q:{i}", reactive - inside)
        slips_down = held < 0 and self._reaches(reactive, node.reactive_high)
        slips_up = held > 0 and self._reaches(-reactive, _negated(node.reactive_low))
        if not slips_down and not slips_up:
            _hold(f"V:{i}", held)

    def _reaches(self, value: Fraction, high: int | None) -> bool:
        return high is not None and value >= Fraction(high, self.feeder.base_power) - TOLERANCE

    def _clip(self, value: Fraction, low: int | None, high: int | None) -> Fraction:
        base = self.feeder.base_power
        if high is not None:
            value = min(value, Fraction(high, base))
        return value if low is None else max(value, Fraction(low, base))

    def violations(self) -> list[str]:
        """What lies outside the closed intervals, by more than the check's own tolerance."""
        terms = self.feeder.terms
        low, high = _widened(terms.frequency_low, terms.frequency_high)
        found = [] if low <= self.frequency <= high else ["frequency"]
        low, high = _widened(terms.voltage_low, terms.voltage_high)
        for i, voltage in enumerate(self.voltages):
            if not low * low <= voltage.square <= high * high:
                found.append(f"voltage:{i}")
        for i, (line, ends) in enumerate(zip(self.feeder.lines, self.flows, strict=True)):
            limit = Fraction(line.limit, self.feeder.base_power) + TOLERANCE
            if max(end.square for end in ends) > limit * limit:
                found.append(f"line:{i}")
        return found


def _power(voltage: _Complex, current: _Complex) -> _Complex:
    """V times the conjugate of I."""
    return _Complex(
        voltage.real * current.real + voltage.imaginary * current.imaginary,
        voltage.imaginary * current.real - voltage.real * current.imaginary,
    )


def _hold(place: str, mismatch: Fraction) -> None:
    if abs(mismatch) > TOLERANCE:
        raise NotAnOperatingPoint(place, mismatch)


def _negated(value: int | None) -> int | None:
    return None if value is None else -value


def _widened(low: int, high: int) -> tuple[Fraction, Fraction]:
    return Fraction(low, MICRO) - TOLERANCE, Fraction(high, MICRO) + TOLERANCE
