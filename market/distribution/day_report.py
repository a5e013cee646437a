"""The distribution network's day as a result: the paper's figures 6 and 9, and the archive.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..result import Cell, Column, Look, Metric, Plot, Result, Series, Table
from .day import HourResult
from .profiles import GRID
from .purchase import delivered_cost, pro_rata

_MWH, _KYUAN = 1e6, 1e9


def report(hours: Sequence[HourResult]) -> Result:
    """Everything about the day that its seed determines."""
    return Result(
        title="The distribution network's day",
        metrics=_metrics(hours),
        tables=(_hours(hours), _suppliers(hours), _archive(hours)),
        plots=_plots(hours),
        remarks=(
            "Suppliers' kinds, the 250 MW and the price cap are the paper's; its series exist "
            "as figures only, so weather, loads and the price rule here are generated.",
            "Users' demand beyond what the cap admits is not bought; new energy that nobody "
            "buys is abandoned.",
        ),
    )


def _renewable(hour: HourResult) -> tuple[int, int]:
    """Wh of new energy bought, and offered."""
    pairs = zip(hour.data.offers, hour.bought.energies, strict=True)
    bought = sum(energy for offer, energy in pairs if not offer.supplier.startswith(GRID))
    offered = sum(o.capacity for o in hour.data.offers if not o.supplier.startswith(GRID))
    return bought, offered


def _metrics(hours: Sequence[HourResult]) -> tuple[Metric, ...]:
    costs = [hour.bought.purchase.cost / _KYUAN for hour in hours]
    quantity = sum(hour.bought.purchase.quantity for hour in hours)
    demand = sum(hour.data.demand for hour in hours)
    alike = [
        delivered_cost(h.data.offers, pro_rata(h.data.offers, h.bought.purchase.quantity)) / 1e3
        for h in hours
    ]
    bought, offered = (sum(own) for own in zip(*map(_renewable, hours), strict=True))
    facts = (
        ("turnover", sum(costs) / len(costs), "kyuan", "mean of an hour (paper: about 200)"),
        ("turnover_pro_rata", sum(alike) / len(alike), "kyuan",
         "the same energy from all suppliers alike"),
        ("price", sum(costs) * _KYUAN / quantity / 1e3 if quantity else None, "yuan/kWh",
         "average delivered price"),
        ("bought", quantity / _MWH, "MWh", "over the day"),
        ("unmet", (demand - quantity) / _MWH, "MWh", "demand that the cap does not admit"),
        ("new_energy_sold", bought / offered if offered else None, "",
         "share of wind and light that is not abandoned"),
        ("archive_covered", min(hour.bought.covered for hour in hours), "",
         "smallest share of an hour's hypervolume (accepted from 0.98)"),
        ("archive_gap", max(hour.bought.gap for hour in hours), "",
         "farthest archive member above the front, share of C(Q_max) (accepted to 0.001)"),
        ("smallest_archive", min(len(hour.bought.archive) for hour in hours), "", "members"),
    )  # fmt: skip
    return tuple(Metric(*fact) for fact in facts)


def _hours(hours: Sequence[HourResult]) -> Table:
    columns = (
        Column("hour"), Column("demand", "MWh"), Column("bought", "MWh"), Column("most", "MWh"),
        Column("turnover", "kyuan"), Column("merit_order", "kyuan"), Column("price", "yuan/kWh"),
        Column("new_energy", "MWh"), Column("abandoned", "MWh"),
    )  # fmt: skip
    rows: list[list[Cell]] = []
    for hour in hours:
        own = hour.bought.purchase
        new, offered = _renewable(hour)
        rows.append(
            [
                hour.data.hour, hour.data.demand / _MWH, own.quantity / _MWH, own.most / _MWH,
                own.cost / _KYUAN, own.cheapest / _KYUAN, _price(hour),
                new / _MWH, (offered - new) / _MWH,
            ]
        )  # fmt: skip
    return Table(
        "hours", "Hour by hour", columns, rows,
        "most: the largest quantity whose average delivered price keeps the cap.",
    )  # fmt: skip


def _suppliers(hours: Sequence[HourResult]) -> Table:
    columns = (
        Column("hour"), Column("supplier"), Column("price", "yuan/kWh"),
        Column("transmission", "yuan/kWh"), Column("offered", "MWh"), Column("bought", "MWh"),
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [h.data.hour, o.supplier, o.price / 1e6, o.transmission / 1e6, o.capacity / _MWH, e / _MWH]
        for h in hours
        for o, e in zip(h.data.offers, h.bought.energies, strict=True)
    ]
    return Table("suppliers", "What each supplier sold", columns, rows)


def _archive(hours: Sequence[HourResult]) -> Table:
    columns = (Column("hour"), Column("quantity", "MWh"), Column("cost", "kyuan"))
    rows: list[list[Cell]] = [
        [hour.data.hour, float(quantity), float(cost)]
        for hour in hours
        for cost, quantity in zip(*hour.bought.archive.values, strict=True)
    ]
    return Table("archive", "The swarm's archives", columns, rows)


def _price(hour: HourResult) -> float | None:
    own = hour.bought.purchase
    return own.cost / own.quantity / 1e3 if own.quantity else None


def _plots(hours: Sequence[HourResult]) -> tuple[Plot, ...]:
    x = [float(hour.data.hour) for hour in hours]
    names = [offer.supplier for offer in hours[0].data.offers]
    sold = tuple(
        Series(name, x, [hour.bought.energies[i] / _MWH for hour in hours], Look.STEP)
        for i, name in enumerate(names)
    )
    prices = (
        Series("delivered, average", x, [_price(hour) for hour in hours]),
        Series("cap", x, [0.5] * len(hours)),
    )
    costs = [hour.bought.purchase.cost / _KYUAN for hour in hours]
    alike = [
        delivered_cost(h.data.offers, pro_rata(h.data.offers, h.bought.purchase.quantity)) / 1e3
        for h in hours
    ]
    turnover = (Series("particle swarm", x, costs), Series("pro rata", x, alike, Look.POINTS))
    noon = hours[len(hours) // 2].bought
    values = noon.archive.values
    front = (
        Series("archive", values.quantity.tolist(), values.cost.tolist(), Look.POINTS),
        Series("exact", noon.front.quantity, noon.front.cost),
    )
    return (
        Plot("sold", "Figure 6: energy sold by each supplier", "hour", "MWh", sold),
        Plot("prices", "Figure 6: transaction price", "hour", "yuan/kWh", prices),
        Plot("turnover", "Figure 9: turnover", "hour", "kyuan", turnover),
        Plot("front", "Archive and exact front at noon", "MWh", "kyuan", front),
    )
