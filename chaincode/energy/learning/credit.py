"""The credit report: which orders a party kept and which it violated (paper 002, II.A).

Once an hour's meters have spoken, a seller that fed in less than its orders say, and a buyer
that took more, have violated them.  Every violation stays on the ledger.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .matching import SmartOrder


class Breach(StrEnum):
    """How an order was violated."""

    UNDELIVERED = "undelivered"
    OVERDRAWN = "overdrawn"


@dataclass(frozen=True, slots=True)
class Reading:
    """A meter's word on a party for an hour: energy fed in and energy taken, Wh >= 0."""

    party: str
    delivered: int
    taken: int


@dataclass(frozen=True, slots=True)
class Violation:
    """A party's breach in an hour: what its orders say and what the meter says, Wh."""

    party: str
    hour: int
    breach: Breach
    ordered: int
    metered: int


@dataclass(frozen=True, slots=True)
class Execution:
    """An hour's orders judged; kept: parties without a violation, by name."""

    hour: int
    kept: list[str]
    violations: list[Violation]


@dataclass(frozen=True, slots=True)
class CreditReport:
    """A party's record: hours judged, hours without violation, and every violation.

    energy: Wh by which its orders were missed, over all hours.
    """

    party: str
    hours: int
    kept: int
    energy: int
    violations: list[Violation]


def judge(hour: int, orders: Iterable[SmartOrder], readings: Mapping[str, Reading]) -> Execution:
    """Compare an hour's orders with the readings of all parties to them."""
    sold: dict[str, int] = dict.fromkeys(readings, 0)
    bought = dict(sold)
    for order in orders:
        sold[order.seller] += order.energy
        bought[order.buyer] += order.energy
    violations: list[Violation] = []
    for name in sorted(readings):
        own = readings[name]
        if own.delivered < sold[name]:
            breach = Breach.UNDELIVERED
            violations.append(Violation(name, hour, breach, sold[name], own.delivered))
        if own.taken > bought[name]:
            breach = Breach.OVERDRAWN
            violations.append(Violation(name, hour, breach, bought[name], own.taken))
    guilty = {violation.party for violation in violations}
    return Execution(hour, [name for name in sorted(readings) if name not in guilty], violations)


def report(party: str, executions: Sequence[Execution]) -> CreditReport:
    """A party's credit report over judged hours."""
    own = [v for execution in executions for v in execution.violations if v.party == party]
    kept = sum(party in execution.kept for execution in executions)
    broken = len({violation.hour for violation in own})
    energy = sum(abs(violation.ordered - violation.metered) for violation in own)
    return CreditReport(party, kept + broken, kept, energy, own)
