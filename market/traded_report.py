"""A traded day as a result: metrics, price curve, energy, and every user's bill.

(Fabric counterpart: none.)
"""

from __future__ import annotations

import numpy as np

from .ledger_day import LedgerDay
from .mechanism import MechanismEntry
from .metrics import DayMetrics, as_metrics
from .result import Cell, Column, Look, Plot, Result, Series, Table
from .trading import TradedDay

_MICRO = 1e6


def report(day: TradedDay, metrics: DayMetrics, entry: MechanismEntry, strategy: str) -> Result:
    """Everything about the day that its seed determines."""
    community = day.community
    remarks = [
        f"{len(community.users)} users, {community.intervals} intervals of {community.minutes} "
        f"minutes; mechanism: {entry.title} ({entry.source}); orders: {strategy}.",
        "CO2 is that of the energy bought from the grid and of all local generation, by the "
        f"factors {community.emissions.grid:g} and {community.emissions.local:g} g/kWh. "
        "What storage gives back counts as generation.",
    ]
    if metrics.violations:
        first = next(i for i, each in enumerate(day.intervals) if each.violations)
        remarks.append(
            f"The feeder's limits are exceeded in {metrics.violations} cases, the first in "
            f"interval {first}: {day.intervals[first].violations[0]}."
        )
    if community.feeder.network is not None:
        remarks.append(_refusals(day))
    return Result(
        title=f"{entry.title[0].upper()}{entry.title[1:]}",
        metrics=as_metrics(metrics, community.currency),
        tables=(_intervals(day, metrics), _bills(day, metrics), *_refused(day)),
        plots=_plots(day, metrics),
        remarks=tuple(remarks),
    )


def measured(day: TradedDay, traded: LedgerDay, cpu_seconds: float) -> dict[str, object]:
    """What the day took on the ledger."""
    trades = sum(len(interval.cleared.trades) for interval in day.intervals)
    seconds = sum(traded.seconds.values())
    facts: dict[str, object] = {
        "transactions": len(traded.entries),
        "orders": sum(len(interval.orders) for interval in day.intervals),
        "trades": trades,
        "blocks": traded.chain.blocks,
        "bytes": traded.chain.size,
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu_seconds, 3),
        **{f"seconds_{phase}": round(taken, 3) for phase, taken in traded.seconds.items()},
        "transactions_per_second": round(len(traded.entries) / seconds, 1) if seconds else None,
    }
    if trades:
        facts["bytes_per_trade"] = round(traded.chain.size / trades, 1)
        facts["milliseconds_per_trade"] = round(1000 * seconds / trades, 3)
        facts["cpu_milliseconds_per_trade"] = round(1000 * cpu_seconds / trades, 3)
    return facts


def _hours(day: TradedDay) -> list[float]:
    minutes = day.community.minutes
    return [round((row + 0.5) * minutes / 60, 6) for row in range(day.community.intervals)]


def _intervals(day: TradedDay, metrics: DayMetrics) -> Table:
    net = day.community.net.sum(axis=1)
    rows: list[list[Cell]] = []
    for row, interval in enumerate(day.intervals):
        rows.append(
            [
                row,
                metrics.price[row],
                int(day.community.load[row].sum()) / 1000,
                int(day.community.generation[row].sum()) / 1000,
                int(metrics.traded[row]) / 1000,
                int(metrics.unmatched[row]) / 1000,
                int(net[row]) / 1000,
                len(interval.cleared.trades),
            ]
        )
    names = (
        ("interval", ""), ("price", f"{day.community.currency}/kWh"), ("load", "kWh"),
        ("generation", "kWh"), ("traded", "kWh"), ("unmatched", "kWh"),
        ("net", "kWh"), ("trades", ""),
    )  # fmt: skip
    columns = tuple(Column(*name) for name in names)
    return Table("intervals", "Interval by interval", columns, rows)


def _bills(day: TradedDay, metrics: DayMetrics) -> Table:
    currency = day.community.currency
    rows: list[list[Cell]] = [
        [
            user.name,
            ", ".join(device.kind.value for device in user.devices),
            int(day.community.load[:, place].sum()) / 1000,
            int(day.community.generation[:, place].sum()) / 1000,
            -int(metrics.with_market[place]) / _MICRO,
            -int(metrics.alone[place]) / _MICRO,
            int(metrics.gains[place]) / _MICRO,
        ]
        for place, user in enumerate(day.community.users)
    ]
    columns = (
        Column("user"), Column("devices"), Column("load", "kWh"), Column("generation", "kWh"),
        Column("bill", currency), Column("bill_alone", currency), Column("gain", currency),
    )  # fmt: skip
    return Table("bills", "Every user's bill, with the market and without", columns, rows)


def _refusals(day: TradedDay) -> str:
    """One sentence on what the power flow refused."""
    trades = [refused.trade for interval in day.intervals for refused in interval.refused]
    if not trades:
        return "The network's power flow admits every trade."
    first = next(i for i, each in enumerate(day.intervals) if each.refused)
    why = ", ".join(day.intervals[first].refused[0].violations)
    energy = sum(trade.energy for trade in trades) / 1000
    return (
        f"Refused because the network cannot carry them: {len(trades)} trades, {energy:g} kWh; "
        f"the first in interval {first}: {why}."
    )


def _refused(day: TradedDay) -> tuple[Table, ...]:
    """The refused trades with what they would violate, where there is a network."""
    if day.community.feeder.network is None:
        return ()
    rows: list[list[Cell]] = [
        [row, trade.seller, trade.buyer, trade.energy / 1000, ", ".join(violations)]
        for row, interval in enumerate(day.intervals)
        for trade, violations in interval.refused
    ]
    columns = (
        Column("interval"), Column("seller"), Column("buyer"), Column("energy", "kWh"),
        Column("violations"),
    )  # fmt: skip
    return (Table("refused", "Trades that the network cannot carry", columns, rows),)


def _plots(day: TradedDay, metrics: DayMetrics) -> tuple[Plot, ...]:
    hours, community = _hours(day), day.community
    per_hour = 60 / community.minutes / 1000

    def power(energy: np.ndarray) -> list[float]:
        return [float(value) * per_hour for value in energy]

    gains = sorted(float(gain) / _MICRO for gain in metrics.gains)
    return (
        Plot(
            "price",
            "Price inside, mean over the interval's trades",
            "hour",
            f"{community.currency}/kWh",
            (
                Series("inside", hours, metrics.price, Look.STEP),
                Series("grid sells", hours, [p.buy / _MICRO for p in community.prices]),
                Series("grid buys", hours, [p.sell / _MICRO for p in community.prices]),
            ),
        ),
        Plot(
            "energy",
            "Load, generation, and what is traded inside",
            "hour",
            "kW",
            (
                Series("load", hours, power(community.load.sum(axis=1))),
                Series("generation", hours, power(community.generation.sum(axis=1))),
                Series("traded", hours, power(metrics.traded), Look.STEP),
            ),
        ),
        Plot(
            "gains",
            "What the market brings each user, from the least to the most",
            "users",
            community.currency,
            (Series("", [float(i + 1) for i in range(len(gains))], gains, Look.POINTS),),
        ),
    )
