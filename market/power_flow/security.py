"""Security limits of an operating point: paper 000, end of section 2.2.4.

Steady frequency within [0.994, 1.006], voltages within [0.94, 1.06], apparent power at
neither end of a line above its limit; all intervals closed.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from .feeder import Feeder
from .solution import OperatingPoint

FREQUENCY = (0.994, 1.006)
VOLTAGE = (0.94, 1.06)

_ROUNDING = 1e-12


def violations(feeder: Feeder, point: OperatingPoint) -> list[str]:
    """What is violated: frequency, voltage:<node>, line:<line>, in this order."""
    found = [] if _within(point.state.frequency, FREQUENCY) else ["frequency"]
    found += [
        f"voltage:{node}"
        for node, voltage in enumerate(point.state.voltage)
        if not _within(float(voltage), VOLTAGE)
    ]
    found += [
        f"line:{i}"
        for i, (line, loading) in enumerate(zip(feeder.lines, point.line_loading, strict=True))
        if loading > line.limit + _ROUNDING
    ]
    return found


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] - _ROUNDING <= value <= limits[1] + _ROUNDING
