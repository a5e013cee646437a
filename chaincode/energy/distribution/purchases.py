"""Buying for all users from all suppliers: what is offered, bought and billed (paper 004, 3.2).

The users' demand of an interval is bought together.  A purchase says how much of each offer is
taken; the price cap holds for its average delivered price, and it may not cost noticeably more
than the merit order does.  Each user bears the cost in proportion to what he gets; suppliers
earn their on-grid price, the operator the transmission.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..roles import Role
from ..rules.amounts import apportion, value_of
from .merit_order import Point, breakpoints, cheapest, keeps_cap

_WH_PER_KWH = 1_000


@dataclass(frozen=True, slots=True)
class PurchaseTerms:
    """How the purchase desk is founded.

    supplier_msps, user_msps: organisations that sell and buy; cap: highest average delivered
    price, micro-yuan per kWh; slack: how far a purchase may cost more than the cheapest one,
    in millionths of the cost of the largest purchase (the paper's acceptance is 1,000).
    """

    supplier_msps: list[str]
    user_msps: list[str]
    cap: int
    slack: int


@dataclass(frozen=True, slots=True)
class FoundedDesk:
    """The desk on the ledger; operator_msp: the founder's organisation."""

    operator_msp: str
    terms: PurchaseTerms


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval; closes_at: Unix time in seconds, by the transactions' own timestamps."""

    number: int
    closes_at: int
    closed: bool


@dataclass(frozen=True, slots=True)
class SupplierOffer:
    """What a supplier sells in an interval.

    price: psi, on-grid; transmission: psibar, both micro-yuan per kWh; capacity: Wh.
    """

    interval: int
    supplier: str
    price: int
    transmission: int
    capacity: int

    @property
    def delivered(self) -> int:
        """psi + psibar."""
        return self.price + self.transmission


@dataclass(frozen=True, slots=True)
class UserDemand:
    """What a user wants in an interval, Wh."""

    interval: int
    user: str
    energy: int


@dataclass(frozen=True, slots=True)
class Participant:
    """A supplier or a user under its name, and the identity that owns it."""

    name: str
    role: Role
    owner_msp: str
    owner_id: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What is bought of one offer, Wh; amount: the supplier's, micro-yuan."""

    supplier: str
    energy: int
    amount: int


@dataclass(frozen=True, slots=True)
class Bill:
    """What a user gets, Wh, and pays, micro-yuan."""

    user: str
    energy: int
    amount: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """An interval's purchase.

    quantity: Wh; cost: what users pay, micro-yuan; transmission: the operator's part of it;
    cheapest: what the merit order would cost; most: the largest quantity the cap admits, Wh.
    """

    interval: int
    quantity: int
    cost: int
    transmission: int
    cheapest: int
    most: int
    taken: list[Taken]
    bills: list[Bill]


@dataclass(frozen=True, slots=True)
class Standard:
    """What a purchase is held against: the corners of C(Q), in Wh and micro-yuan per kWh x Wh."""

    corners: list[Point]
    delivered: list[int]
    capacity: list[int]

    @property
    def most(self) -> int:
        """The largest whole quantity that the cap admits."""
        return int(self.corners[-1].quantity // 1)

    def cheapest(self, quantity: int) -> int:
        """C(Q) times 1000, in micro-yuan."""
        return cheapest(self.delivered, self.capacity, quantity)

    def allows(self, cost: int, quantity: int, slack: int) -> bool:
        """Whether a cost (times 1000) is near enough to the cheapest one."""
        room = Fraction(slack, 1_000_000) * self.corners[-1].cost
        return cost - self.cheapest(quantity) <= room


def standard(offers: Sequence[SupplierOffer], cap: int) -> Standard:
    """The exact trade-off of an interval's offers."""
    delivered = [offer.delivered for offer in offers]
    capacity = [offer.capacity for offer in offers]
    corners = breakpoints(
        [Fraction(price) for price in delivered],
        [Fraction(own) for own in capacity],
        Fraction(cap),
    )
    return Standard(corners, delivered, capacity)


def cost_of(offers: Sequence[SupplierOffer], energies: Sequence[int]) -> int:
    """Delivered cost times 1000, micro-yuan."""
    return sum(o.delivered * energy for o, energy in zip(offers, energies, strict=True))


def within_cap(offers: Sequence[SupplierOffer], energies: Sequence[int], cap: int) -> bool:
    """Eq. (7) for a purchase."""
    return keeps_cap(cost_of(offers, energies), sum(energies), cap)


def bill(
    interval: int,
    offers: Sequence[SupplierOffer],
    energies: Sequence[int],
    demands: Sequence[UserDemand],
    held_against: Standard,
) -> Purchase:
    """The purchase with everybody's money; users' payments are all that is earned."""
    quantity = sum(energies)
    amounts = [value_of(e, o.price) for o, e in zip(offers, energies, strict=True)]
    pairs = zip(offers, energies, strict=True)
    transmission = sum(value_of(energy, offer.transmission) for offer, energy in pairs)
    cost = sum(amounts) + transmission
    shares = apportion(quantity, [demand.energy for demand in demands])
    payments = apportion(cost, shares)
    bought = zip(offers, energies, amounts, strict=True)
    paid = zip(demands, shares, payments, strict=True)
    least = held_against.cheapest(quantity)
    return Purchase(
        interval,
        quantity,
        cost,
        transmission,
        (least + _WH_PER_KWH // 2) // _WH_PER_KWH,
        held_against.most,
        [Taken(offer.supplier, energy, amount) for offer, energy, amount in bought],
        [Bill(demand.user, energy, amount) for demand, energy, amount in paid],
    )
