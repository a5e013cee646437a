"""Paper 004's equations on an example: exact front, the swarm, and the literal reading.

The paper prints no data but its cap of 0.5 yuan per kWh, the 250 MW of the grid and the request's
range, so the example's six suppliers are generated [X].  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..pareto.archive import Archive
from ..pareto.front import Front, exact_front, hypervolume
from ..pareto.mopso import Flight, search
from ..pareto.offers import Offers
from ..pareto.selection import discrete_front
from ..result import Cell, Column, Look, Metric, Plot, Result, Series, Table

EXAMPLE = Offers(
    price=(0.35, 0.42, 0.4, 0.45, 0.5, 0.58),
    transmission=(0.05, 0.06, 0.05, 0.08, 0.04, 0.07),
    capacity=(250.0, 60.0, 40.0, 80.0, 70.0, 150.0),
)
"""The grid's 250 MW for an hour, and five plants."""


def report(rng: Callable[[int], np.random.Generator]) -> Result:
    """The swarm with and without settling beside the exact front; rng: one for each flight."""
    front = exact_front(EXAMPLE)
    flights = {
        "plain": search(EXAMPLE, rng(0), Flight(exchange=0.0, iterations=200, settle=False)),
        "with_exchange": search(EXAMPLE, rng(1), Flight(settle=False)),
        "settled": search(EXAMPLE, rng(2), Flight()),
    }
    metrics = [
        metric for name, archive in flights.items() for metric in _metrics(name, archive, front)
    ]
    return Result(
        title="Paper 004: fronts and archives",
        metrics=tuple(metrics),
        tables=(_corners(front), _choices()),
        plots=(_plot(front, flights["plain"], flights["settled"]),),
        remarks=(
            "Eq. (6) as printed minimises both sums, so buying nothing beats everything; abstract "
            "and text say that the sold volume is to be largest, which is what is solved.",
            "Accepted is an archive of at least 100 members that covers 0.98 of the hypervolume "
            "and lies within 0.001 C(Q_max) of the front.",
        ),
    )


def _metrics(name: str, archive: Archive, front: Front) -> list[Metric]:
    covered = hypervolume(archive.values, front.reference) / front.hypervolume
    above = float(np.max(archive.values.cost - front.cost_at(archive.values.quantity)))
    average = archive.values.cost[1:] / archive.values.quantity[1:]
    facts = (
        ("members", len(archive), "", "in the archive"),
        ("covered", covered, "", "share of the front's hypervolume"),
        ("gap", above / front.cost[-1], "", "highest member above the front, in C(Q_max)"),
        ("dearest", float(average.max()), "yuan/kWh", "largest average delivered price"),
    )
    word = name.replace("_", " ")
    return [Metric(f"{name}_{fact}", value, unit, f"{word}: {meaning}")
            for fact, value, unit, meaning in facts]  # fmt: skip


def _corners(front: Front) -> Table:
    rows: list[list[Cell]] = [
        [quantity, cost, cost / quantity if quantity else None]
        for quantity, cost in zip(front.quantity, front.cost, strict=True)
    ]
    columns = (Column("quantity", "MWh"), Column("cost", "kyuan"), Column("average", "yuan/kWh"))
    return Table("front", "Corners of the exact front", columns, rows)


def _choices() -> Table:
    rows: list[list[Cell]] = [
        [choice.price, choice.quantity, " ".join(map(str, choice.suppliers))]
        for choice in discrete_front(EXAMPLE)
    ]
    columns = (Column("sum of prices", "yuan/kWh"), Column("quantity", "MWh"), Column("suppliers"))
    return Table(
        "choices", "The literal reading: whole suppliers, sums of unit prices", columns, rows
    )


def _plot(front: Front, plain: Archive, settled: Archive) -> Plot:
    series = (
        Series("exact", front.quantity, front.cost),
        *(
            Series(name, own.values.quantity.tolist(), own.values.cost.tolist(), Look.POINTS)
            for name, own in (("swarm alone", plain), ("settled", settled))
        ),
    )
    return Plot("front", "Cost and quantity", "MWh", "kyuan", series)
