"""What the three chains of paper 001 tell each other, and what they keep.

Energy in Wh, prices in micro-yuan per kWh, money in micro-yuan; periods by number, units
by name (SU1, BU3).  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinePlan:
    """What a line can carry in the period, and what it is planned to carry anyway."""

    line: str
    capacity: int
    planned: int


@dataclass(frozen=True, slots=True)
class GridTerms:
    """wheeling: on every traded kWh, paid by the buyer; retail: what the grid asks for a
    missing kWh; buyback: what it pays for a kWh left over."""

    wheeling: int
    retail: int
    buyback: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Step 1, DU1 to JY1: the volume that may be traded, and the grid's prices."""

    period: int
    volume: int
    terms: GridTerms


@dataclass(frozen=True, slots=True)
class Offer:
    """A seller's: capacity in W; renewable 0 or 1; position along the feeder in m."""

    su_id: int
    period: int
    energy: int
    price: int
    capacity: int
    renewable: int
    position: int


@dataclass(frozen=True, slots=True)
class Bid:
    """A buyer's: price is the most he pays for a kWh, without wheeling."""

    bu_id: int
    period: int
    energy: int
    price: int
    position: int


@dataclass(frozen=True, slots=True)
class Match:
    """Agreed: energy from seller to buyer at the seller's price; weight: its score by
    Table 1, millionths."""

    number: int
    su_id: int
    bu_id: int
    energy: int
    price: int
    weight: int


@dataclass(frozen=True, slots=True)
class Matching:
    """Step 3: the matches of a period, in the order in which they were made."""

    period: int
    matches: list[Match]
    digest: str


@dataclass(frozen=True, slots=True)
class Check:
    """Step 3, DU1 to JY1: whether the matching of this digest can be executed."""

    period: int
    digest: str
    executable: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A meter's word on a match: what its buyer used and its seller generated, Wh."""

    number: int
    used: int
    generated: int


@dataclass(frozen=True, slots=True)
class SettledTrade:
    """Step 4: a match as it was carried out and paid; buyer = seller + grid."""

    number: int
    su_id: int
    bu_id: int
    agreed: int
    price: int
    used: int
    generated: int
    traded: int
    buyer: int
    seller: int
    grid: int


@dataclass(frozen=True, slots=True)
class PeriodRecord:
    """Step 4, JY1 to DU1 to LH1: a period's trades and their digest."""

    period: int
    trades: list[SettledTrade]
    digest: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """Step 5: what the executed contracts let DU1 expect, and how it came out.

    deviation: Wh by which use and generation differed from it, None before the meters.
    """

    period: int
    energy: int
    deviation: int | None = None


@dataclass(frozen=True, slots=True)
class CreditProof:
    """A unit's credit as a coloured coin: value = padding + credit, in millionths of a
    point; the sequence number says genesis or transfer, the padding, and which assessment."""

    unit: str
    sequence: int
    value: int


@dataclass(frozen=True, slots=True)
class CreditRecord:
    """Credit of a unit after count transactions; points: sum of scores, in millionths;
    alpha: natural weighting factor, millionths; assessments: in how many periods."""

    unit: str
    alpha: int = 0
    count: int = 0
    points: int = 0
    assessments: int = 0

    @property
    def credit(self) -> int:
        """The mean score in millionths of a point; a newcomer is trusted."""
        return self.points // self.count if self.count else 100 * 10**6
