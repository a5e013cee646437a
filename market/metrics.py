"""What a traded day is judged by; every metric's definition stands with it.

All are sums of the ledger's integers; only the last step is a division.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridloom.chaincode.energy.rules.orders import Side

from .community import WattHours
from .result import Metric
from .trading import Interval, TradedDay

_MICRO = 1e6


@dataclass(frozen=True, eq=False, slots=True)
class DayMetrics:
    """Money in micro-units, energy in Wh.

    with_market, alone: what each user earned (+) or paid (-); operator, grid: the same of
    those two; traded: by interval; unmatched: ordered on both sides and yet not traded, by
    interval; price: mean the buyers paid, by interval, None without trade.
    """

    with_market: WattHours
    alone: WattHours
    operator: int
    grid: int
    load: int
    generation: int
    own_use: int
    traded: WattHours
    unmatched: WattHours
    price: tuple[float | None, ...]
    peak_import: float
    peak_export: float
    co2: float
    violations: int

    @property
    def gains(self) -> WattHours:
        """What the market brought each user."""
        return self.with_market - self.alone

    @property
    def welfare(self) -> int:
        """Gain of users and operator over the grid alone: what the utility's margin lost."""
        return int(self.gains.sum()) + self.operator

    @property
    def worse_off(self) -> int:
        """Users for whom the market was not individually rational."""
        return int((self.gains < 0).sum())

    @property
    def imbalance(self) -> int:
        """What is missing for everybody's money to sum to zero; 0 always."""
        return int(self.with_market.sum()) + self.operator + self.grid

    @property
    def self_sufficiency(self) -> float:
        """Share of the load that local energy served, behind the meter or by trades."""
        return (self.own_use + self.local) / self.load if self.load else 0.0

    @property
    def self_consumption(self) -> float:
        """Share of the generation used locally, behind the meter or by trades."""
        return (self.own_use + self.local) / self.generation if self.generation else 0.0

    @property
    def local(self) -> int:
        """Wh traded inside."""
        return int(self.traded.sum())


def measure(day: TradedDay) -> DayMetrics:
    """The day's metrics."""
    community, net = day.community, day.community.net
    total = net.sum(axis=1)
    hours = community.minutes / 60
    settled = [interval.settled for interval in day.intervals]
    delivered = [_delivered(day, row) for row in range(len(day.intervals))]
    own_use = int(np.minimum(community.load, community.generation).sum())
    bought = int(np.maximum(-net, 0).sum()) - sum(delivered)
    factors = community.emissions
    return DayMetrics(
        with_market=_sum([one.money for one in settled], len(community.users)),
        alone=_sum([one.alone.money for one in day.intervals], len(community.users)),
        operator=sum(one.operator for one in settled),
        grid=sum(one.grid for one in settled),
        load=int(community.load.sum()),
        generation=int(community.generation.sum()),
        own_use=own_use,
        traded=np.asarray(delivered, dtype=np.int64),
        unmatched=np.asarray([_unmatched(one) for one in day.intervals], dtype=np.int64),
        price=tuple(_price(one) for one in day.intervals),
        peak_import=float(max(-total.min(initial=0), 0)) / hours / 1000,
        peak_export=float(max(total.max(initial=0), 0)) / hours / 1000,
        co2=(bought * factors.grid + int(community.generation.sum()) * factors.local) / 1e6,
        violations=sum(len(one.violations) for one in day.intervals),
    )


def _sum(rows: list[tuple[int, ...]], users: int) -> WattHours:
    total: WattHours = np.asarray(rows, dtype=np.int64).reshape(-1, users).sum(axis=0)
    return total


def _delivered(day: TradedDay, row: int) -> int:
    """Wh of the interval's trades that the sellers really had and the buyers really used."""
    sold: dict[str, int] = {}
    bought: dict[str, int] = {}
    for trade in day.intervals[row].cleared.trades:
        sold[trade.seller] = sold.get(trade.seller, 0) + trade.energy
        bought[trade.buyer] = bought.get(trade.buyer, 0) + trade.energy
    net = dict(zip(day.community.names, day.community.net[row].tolist(), strict=True))
    given = sum(min(energy, max(net[name], 0)) for name, energy in sold.items())
    used = sum(min(energy, max(-net[name], 0)) for name, energy in bought.items())
    return int(min(given, used))


def _unmatched(interval: Interval) -> int:
    buying = sum(order.energy for order in interval.orders if order.side is Side.BUY)
    selling = sum(order.energy for order in interval.orders if order.side is Side.SELL)
    return min(buying, selling) - interval.cleared.energy


def _price(interval: Interval) -> float | None:
    energy = interval.cleared.energy
    if not energy:
        return None
    return sum(trade.energy * trade.pays for trade in interval.cleared.trades) / energy / _MICRO


def as_metrics(day: DayMetrics, currency: str) -> tuple[Metric, ...]:
    """The metrics with names, units and meanings, for a report."""
    priced = [price for price in day.price if price is not None]
    facts: tuple[tuple[str, float | int | None, str, str], ...] = (
        ("bills", -day.with_market.sum() / _MICRO, currency, "what all users pay, net of income"),
        ("bills_alone", -day.alone.sum() / _MICRO, currency, "the same with the grid alone"),
        ("welfare", day.welfare / _MICRO, currency, "gain of users and operator over the grid"),
        ("worse_off", day.worse_off, "users", "for whom taking part was not rational"),
        ("traded", day.local / 1000, "kWh", "traded inside and delivered"),
        (
            "mean_price",
            sum(priced) / len(priced) if priced else None,
            f"{currency}/kWh",
            "that buyers paid inside, over intervals with trade",
        ),
        ("co2", day.co2, "kg", "of the energy bought from the grid and of the generation"),
        ("unmatched", day.unmatched.sum() / 1000, "kWh", "ordered on both sides, not traded"),
        ("self_sufficiency", 100 * day.self_sufficiency, "%", "of the load served locally"),
        ("self_consumption", 100 * day.self_consumption, "%", "of the generation used locally"),
        ("operator", day.operator / _MICRO, currency, "spread that stays with the operator"),
        ("imbalance", day.imbalance / _MICRO, currency, "budget balance: must be zero"),
        ("least_gain", day.gains.min(initial=0) / _MICRO, currency, "of the user worst off"),
        ("peak_import", day.peak_import, "kW", "highest power from the grid"),
        ("peak_export", day.peak_export, "kW", "highest power to the grid"),
        ("violations", day.violations, "", "limits of the feeder exceeded, by interval"),
    )
    return tuple(
        Metric(name, None if value is None else round(float(value), 6) + 0.0, unit, meaning)
        for name, value, unit, meaning in facts
    )
