"""Orders and the book of a delivery hour (paper 003, Tables 3 and 4).

Field names are the tables' own; energy in Wh, prices in micro-yuan per kWh, delivery_time
is the number of the delivery hour.  revision counts the versions of a unit's order for an
hour from 0; a withdrawn order stays, so that its number is not used again.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass

from .roles import Role, unit_name
from .rules.prices import GridPrices, Regime, regime_of


@dataclass(frozen=True, slots=True)
class Demand:
    """Table 3, the order of a buying unit; price: the highest it trades at inside."""

    bu_address: str
    bu_id: int
    energy_demand_information: int
    signature: bytes
    delivery_time: int
    price: int
    revision: int
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Supply:
    """Table 4, the order of a selling unit; electricity_supply: the lowest price it
    trades at inside (the table calls the price so)."""

    su_address: str
    su_id: int
    energy_sale_information: int
    signature: bytes
    delivery_time: int
    electricity_supply: int
    revision: int
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class HourTerms:
    """How an hour is opened.

    gate_closes_at: Unix time in seconds, judged by the transactions' own timestamps;
    grid_sell_price, grid_buy_price: p_s and p_b, micro-yuan per kWh.
    """

    delivery_time: int
    gate_closes_at: int
    grid_sell_price: int
    grid_buy_price: int

    @property
    def grid(self) -> GridPrices:
        """p_s and p_b."""
        return GridPrices(self.grid_sell_price, self.grid_buy_price)


@dataclass(frozen=True, slots=True)
class Hour:
    """A delivery hour on the ledger; closed: the operator has shut the gate for good."""

    terms: HourTerms
    closed: bool


@dataclass(frozen=True, slots=True)
class Book:
    """All standing orders of an hour, each side by id."""

    hour: Hour
    demands: list[Demand]
    supplies: list[Supply]

    @property
    def total_demand(self) -> int:
        """Wh."""
        return sum(order.energy_demand_information for order in self.demands)

    @property
    def total_supply(self) -> int:
        """Wh."""
        return sum(order.energy_sale_information for order in self.supplies)

    @property
    def regime(self) -> Regime:
        """What the standing orders make of the hour."""
        return regime_of(
            self.total_supply,
            self.total_demand,
            sellers=len(self.supplies),
            buyers=len(self.demands),
        )


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What both kinds of order say, in common words."""

    role: Role
    unit_id: int
    address: str
    delivery_time: int
    energy: int
    price: int
    revision: int
    signature: bytes

    @property
    def unit(self) -> str:
        """BU3, SU1."""
        return unit_name(self.role, self.unit_id)


def facts_of(order: Demand | Supply) -> OrderFacts:
    """The common facts of an order."""
    if isinstance(order, Demand):
        return OrderFacts(
            Role.BU,
            order.bu_id,
            order.bu_address,
            order.delivery_time,
            order.energy_demand_information,
            order.price,
            order.revision,
            order.signature,
        )
    return OrderFacts(
        Role.SU,
        order.su_id,
        order.su_address,
        order.delivery_time,
        order.energy_sale_information,
        order.electricity_supply,
        order.revision,
        order.signature,
    )
