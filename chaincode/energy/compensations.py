"""What compensation and settlement leave on the ledger (paper 003, Tables 6 and 7).

Field names are the tables' own; energy in Wh, prices in micro-yuan per kWh, amounts in
micro-yuan.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass

from .roles import Role, unit_name


@dataclass(frozen=True, slots=True)
class GridCompensation:
    """Table 6: what one unit exchanges with the grid because supply and demand differ.

    One of the su_ and bu_ pairs names the unit, the other is empty and None.
    agreed_electricity_sales, agreed_electricity_purchases: totals of the hour's orders;
    difference: sales minus purchases; grid_price: p_b for a buyer, p_s for a seller;
    energy, amount: this unit's part of what the grid gives or takes, both >= 0.
    """

    su_address: str
    su_id: int | None
    bu_address: str
    bu_id: int | None
    agreed_electricity_sales: int
    agreed_electricity_purchases: int
    difference: int
    microgrid_compromise_price: int
    grid_price: int
    electricity_price_in_microgrid: int | None
    energy: int
    amount: int

    @property
    def party(self) -> str:
        """The unit's name: BU3, SU1."""
        if self.su_id is not None:
            return unit_name(Role.SU, self.su_id)
        assert self.bu_id is not None
        return unit_name(Role.BU, self.bu_id)


@dataclass(frozen=True, slots=True)
class Reading:
    """A meter's word on a seller: energy really fed in during the hour, Wh >= 0."""

    su_id: int
    actual: int


@dataclass(frozen=True, slots=True)
class PathError:
    """Table 7: a path whose seller's forecast and meter are compared.

    transaction_record: ledger key of the path in matchmaking's namespace, with commas
    between its parts; hash: SHA-256 of that record, hex; actual_transaction_volume: what
    the seller delivered of it himself, the grid having delivered the difference at
    grid_price = p_b to his cost.
    """

    su_address: str
    su_id: int
    bu_address: str
    bu_id: int
    transaction_record: str
    hash: str
    agreed_transaction_volume: int
    actual_transaction_volume: int
    difference: int
    grid_price: int
    electricity_price_in_microgrid: int


@dataclass(frozen=True, slots=True)
class SellerError:
    """A seller's whole deviation: shortfall bought at p_b, change of the sale at p_s."""

    su_id: int
    metered: int
    shortfall: int
    cost: int
    export_change: int
    income: int


@dataclass(frozen=True, slots=True)
class HourBalance:
    """The hour's supply-and-demand compensation, buyers' and sellers' part."""

    delivery_time: int
    compensations: list[GridCompensation]


@dataclass(frozen=True, slots=True)
class HourErrors:
    """The hour's error compensation."""

    delivery_time: int
    sellers: list[SellerError]
    paths: list[PathError]


@dataclass(frozen=True, slots=True)
class PartyAccount:
    """What the hour did to a party: Wh fed in (+) or taken (-), micro-yuan earned (+)."""

    party: str
    energy: int
    amount: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """The settled hour; accounts sum to zero in energy and in money."""

    delivery_time: int
    price: int | None
    accounts: list[PartyAccount]
