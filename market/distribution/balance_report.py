"""The balance study as a result: the paper's figure 7.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridloom.chaincode.energy.distribution.requests import Scheme

from ..result import Cell, Column, Look, Metric, Plot, Result, Series, Table
from .balance import Course, Network

_WORDS = {Scheme.COST_AWARE: "cost-aware", Scheme.STORAGE_AWARE: "storage-aware"}


def report(network: Network, courses: Sequence[Course]) -> Result:
    """Both schemes side by side."""
    metrics = [metric for course in courses for metric in _metrics(network, course)]
    plots = [
        Plot(
            f"income_{course.scheme.value}",
            f"Figure 7: nodes' shares of the income, {_WORDS[course.scheme]} requests",
            "period",
            "%",
            _shares(network, course),
        )
        for course in courses
    ]
    return Result(
        title="Balance of cost-aware and storage-aware requests",
        metrics=tuple(metrics),
        tables=(_nodes(network, courses),),
        plots=tuple(plots),
        remarks=(
            "The paper's figure 7 gives no data; the nodes here are generated, and node 3 begins "
            "with a full store of twice the others' size, as its text says of node 3.",
        ),
    )


def _metrics(network: Network, course: Course) -> list[Metric]:
    word, name = _WORDS[course.scheme], course.scheme.value
    statements = course.statements(network.nodes)
    earned = np.asarray([own.earned for own in statements], dtype=np.float64)
    deliveries = [d for decision in course.decisions for d in decision.deliveries]
    energy = sum(delivery.energy for delivery in deliveries)
    paid = sum(delivery.basic + delivery.transmission for delivery in deliveries)
    way = sum(delivery.energy * delivery.distance for delivery in deliveries)
    spread = float(earned.std() / earned.mean()) if earned.any() else 0.0
    facts = (
        ("delivered", energy / 1e6, "MWh", "between nodes"),
        ("deliveries", len(deliveries), "", "single deliveries"),
        ("cost", paid / 1e6, "yuan", "basic and transmission fees (eq. 4)"),
        ("distance", way / energy / 1e3 if energy else None, "km", "mean way of a kWh"),
        ("income_spread", spread, "", "standard deviation of nodes' incomes over their mean"),
        ("waiting", sum(w.energy for w in course.decisions[-1].waiting) / 1e6, "MWh",
         "on the waiting list at the end"),
        ("storage_and_income", _correlation(network, earned), "",
         "correlation of initial storage and income"),
    )  # fmt: skip
    return [Metric(f"{fact}_{name}", value, unit, f"{word}: {meaning}")
            for fact, value, unit, meaning in facts]  # fmt: skip


def _correlation(
    network: Network, earned: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> float | None:
    stores = np.asarray(network.stores, dtype=np.float64)
    if stores.std() == 0 or earned.std() == 0:
        return None
    return float(np.corrcoef(stores, earned)[0, 1])


def _shares(network: Network, course: Course) -> tuple[Series, ...]:
    """Each node's share of all income up to each period, %."""
    earned = np.zeros((len(course.decisions), network.nodes))
    for row, decision in enumerate(course.decisions):
        for delivery in decision.deliveries:
            earned[row, delivery.supplier] += delivery.basic
    summed = np.cumsum(earned, axis=0)
    whole = summed.sum(axis=1)
    x = [float(decision.period) for decision in course.decisions]
    return tuple(
        Series(
            f"node {node}",
            x,
            [100 * float(own) / float(all_) if all_ else None
             for own, all_ in zip(summed[:, node], whole, strict=True)],
            Look.LINE,
        )
        for node in range(network.nodes)
    )  # fmt: skip


def _nodes(network: Network, courses: Sequence[Course]) -> Table:
    columns = [Column("node"), Column("initial_store", "kWh"), Column("limit", "kWh"),
               Column("rate", "kWh")]  # fmt: skip
    for course in courses:
        name = course.scheme.value
        columns += [Column(f"delivered_{name}", "kWh"), Column(f"received_{name}", "kWh"),
                    Column(f"earned_{name}", "yuan"), Column(f"paid_{name}", "yuan"),
                    Column(f"share_{name}", "%")]  # fmt: skip
    rows: list[list[Cell]] = []
    every = [course.statements(network.nodes) for course in courses]
    for node in range(network.nodes):
        row: list[Cell] = [node]
        row += [own[node] / 1e3 for own in (network.stores, network.limits, network.rates)]
        for statements in every:
            own, whole = statements[node], sum(each.earned for each in statements)
            row += [own.delivered / 1e3, own.received / 1e3, own.earned / 1e6, own.paid / 1e6,
                    100 * own.earned / whole if whole else None]  # fmt: skip
        rows.append(row)
    return Table("nodes", "Node by node", tuple(columns), rows)
