"""What the auction keeps on the ledger; energy in Wh, prices in micro-units per kWh.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .rules.orders import Order, Side, Trade
from .rules.prices import GridPrices


@dataclass(frozen=True, slots=True)
class Household:
    """A member of the market: the name it is enrolled with, and whose it is."""

    name: str
    owner_msp: str
    owner_id: str
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """A session of consecutive intervals that are ordered for together, such as a day.

    rule: a name of rules.auctions.RULES; commitment: to the lot that is revealed at the
    end (rules.lottery.commitment_of); gate_closes_at: Unix time in seconds;
    grid_sell, grid_buy: p_s and p_b of each interval, 0 < p_s < p_b.
    """

    session: str
    rule: str
    commitment: str
    gate_closes_at: int
    grid_sell: list[int]
    grid_buy: list[int]

    def grid(self, interval: int) -> GridPrices:
        """The grid's prices for an interval."""
        return GridPrices(self.grid_sell[interval], self.grid_buy[interval])

    @property
    def intervals(self) -> int:
        """How many."""
        return len(self.grid_sell)


@dataclass(frozen=True, slots=True)
class Session:
    """lot: what draws the orders' sequence; empty while the session is open."""

    terms: SessionTerms
    lot: str = ""


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What a household orders for an interval; price: its limit."""

    interval: int
    side: Side
    energy: int
    price: int


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order on the ledger."""

    party: str
    side: Side
    energy: int
    price: int

    def as_order(self) -> Order:
        """As the rules see it, its sequence not yet drawn."""
        return Order(self.party, self.side, self.energy, self.price, 0)


@dataclass(frozen=True, slots=True)
class TradeRecord:
    """rules.orders.Trade on the ledger."""

    seller: str
    buyer: str
    energy: int
    pays: int
    earns: int

    def as_trade(self) -> Trade:
        """As the rules see it."""
        return Trade(self.seller, self.buyer, self.energy, self.pays, self.earns)


@dataclass(frozen=True, slots=True)
class RefusedTrade:
    """A trade that the grid cannot carry; violations: such as voltage:3, line:0, frequency."""

    trade: TradeRecord
    violations: list[str]


@dataclass(frozen=True, slots=True)
class Clearing:
    """An interval cleared by the session's rule; price: the one of all trades, or None;
    refused: what the rule would have traded and the session's grid does not admit."""

    session: str
    interval: int
    price: int | None
    orders: int
    trades: list[TradeRecord]
    refused: list[RefusedTrade] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MeterReading:
    """Wh that a household fed in (+) or took (-) during an interval."""

    party: str
    energy: int


@dataclass(frozen=True, slots=True)
class Readings:
    """An interval's meters, one reading for each household that is a member."""

    session: str
    interval: int
    readings: list[MeterReading]


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """Wh fed in (+) or taken (-) and money earned (+) or paid (-), micro-units."""

    party: str
    energy: int
    money: int


@dataclass(frozen=True, slots=True)
class IntervalAccounts:
    """A settled interval; accounts of households, operator and grid sum to zero."""

    session: str
    interval: int
    accounts: list[AccountRecord]
