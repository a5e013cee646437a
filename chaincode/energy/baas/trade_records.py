"""What deciding and trading leave on the ledger.

Energy in Wh, prices in micro-yuan per kWh, money in micro-yuan; masses in millionths,
rounded down, as a reader wants them: rule (9) was applied to the exact ones.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .decision import Failure


@dataclass(frozen=True, slots=True)
class Candidate:
    """A selling unit and what the feeder says of it: cost of (1) in millionths of a p.u.,
    None if the power does not fit; capacity: W; lines: which its energy would use."""

    unit: str
    node: int
    cost: int | None
    capacity: int | None
    lines: list[int]

    @property
    def potential(self) -> bool:
        """Whether a feasible path leads to the buyer."""
        return self.cost is not None


@dataclass(frozen=True, slots=True)
class Mass:
    """M of one hypothesis, millionths; Omega stands under its own name."""

    hypothesis: str
    mass: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Whom a buyer should trade with, and why; choice: a unit, "grid", or None."""

    decision_id: str
    period: int
    bu_id: int
    energy: int
    candidates: list[Candidate]
    masses: list[Mass]
    conflict: int
    choice: str | None
    failures: list[Failure]


class Stage(StrEnum):
    """How far a contract has come; refused: the grid cannot carry it."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    SECURED = "secured"
    REFUSED = "refused"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class TradeContract:
    """A contract between the buyer of a decision and the unit it chose.

    price: value_2; replacement_price: value_1, what the energy costs elsewhere;
    violations: why a refused contract was.
    """

    contract_id: str
    decision_id: str
    period: int
    bu_id: int
    su_id: int
    energy: int
    price: int
    replacement_price: int
    stage: Stage
    violations: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The settled contract: payment for what was delivered, penalty for what was not.

    Both in micro-yuan; what buyer and seller receive and pay sums to zero.
    """

    contract_id: str
    delivered: int
    payment: int
    penalty: int
