"""Paper 002's printed numbers beside what its equations give: the prices of 12:00, the search.

The paper prints one vector of prices and the bidding spaces; loads and generation are figures.
So what can be shown is that the vector is no optimum of any weighted sum and no equilibrium, for
any quantities, and that the colony finds the optima which there are.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gridloom.chaincode.energy.learning.flows import Flows, dispatch

from ..ants.colony import Colony, Floats, Search, maximise
from ..ants.evaporation import factors
from ..result import Cell, Column, Look, Metric, Plot, Result, Series, Table
from .elastic import ElasticGame
from .objectives import SUBSIDY, Prices, net, objectives
from .vertex import PAPER_BOX, Weights, asked_prices, coefficients, weighted_optimum

PRINTED_NOON = Prices(gu=0.687799, gc=0.595725, cu=0.555435, cg=0.420585)
"""Section II.D, "taking 12:00 as an example", yuan per kWh."""

_FLOWS = ("G->U", "G->C", "C->U", "C->G")
_SUBSIDIES = (0.0, 0.0, SUBSIDY, SUBSIDY)
_EVERYTHING = Flows(1.0, 1.0, 1.0, 1.0, 0.0)
_HOURS = ((900.0, 300.0, 400.0), (200.0, 300.0, 400.0), (500.0, 300.0, 400.0))
_WEIGHTS = (Weights(1, 0, 0), Weights(0, 1, 0), Weights(0, 0, 1), Weights(0.5, 0.3, 0.2))
_GAME = ElasticGame(1.6, 500.0, 500.0, 0.42, 0.12, SUBSIDY, (0.5, 0.7), (0.4, 0.6))


def report(rng: Callable[[int], np.random.Generator], colony: Colony) -> Result:
    """The comparison; rng: a generator of its own for each search."""
    game = maximise(
        lambda places: -_GAME.regret(places[:, 0], places[:, 1]),
        (_GAME.company_box, _GAME.bureau_box),
        rng(0),
        colony,
    )
    searches = _searches(rng, colony)
    exact = _GAME.equilibrium()
    elastic_error = max(abs(a - b) for a, b in zip(game.place, exact[:2], strict=True))
    return Result(
        title="Paper 002: printed and computed",
        metrics=(
            Metric("balance", _largest_balance(rng(1)), "yuan",
                   "largest |H_G + H_C - R_U| of 10,000 random hours and prices"),
            Metric("vertex_error", max(row[-1] for row in searches), "yuan/kWh",
                   "farthest the colony ends from an exact vertex (accepted to 1e-6)"),
            Metric("elastic_error", elastic_error, "yuan/kWh",
                   "how far the colony ends from the elastic game's equilibrium"),
            Metric("elastic_regret", -game.value, "yuan", "left to gain where it ends"),
        ),
        tables=(_noon(), _search_table(searches)),
        plots=(_course(game), _evaporation(colony)),
        remarks=(
            "Every term of the three objectives is paid by one party and earned by another, so "
            "with given quantities equal weights make all prices equally good and any others send "
            "each price to an end of its interval: no interior vector such as the printed one is "
            "an optimum.",
            "As an equilibrium the printed vector fails too: every seller would gain by asking "
            "more, by the amounts in the table for each kWh.",
        ),
    )  # fmt: skip


def _noon() -> Table:
    """The printed prices against their intervals, and what the seller would gain."""
    asked = asked_prices(_EVERYTHING, PAPER_BOX)
    rows: list[list[Cell]] = []
    terms = zip(_FLOWS, PRINTED_NOON, PAPER_BOX, asked, _SUBSIDIES, strict=True)
    for flow, printed, (low, high), best, subsidy in terms:
        assert best is not None
        gain = net(best, subsidy) - net(printed, subsidy)
        rows.append([flow, printed, low, high, best, printed - best, gain])
    columns = (
        Column("flow"), Column("printed", "yuan/kWh"), Column("lowest", "yuan/kWh"),
        Column("highest", "yuan/kWh"), Column("equilibrium", "yuan/kWh"),
        Column("residual", "yuan/kWh"), Column("gain", "yuan/kWh"),
    )  # fmt: skip
    return Table(
        "noon", "Prices of 12:00", columns, rows,
        "gain: what the seller earns more for each kWh by asking the equilibrium's price.",
    )  # fmt: skip


def _searches(
    rng: Callable[[int], np.random.Generator], colony: Colony
) -> list[tuple[str, str, float, float, float]]:
    """The colony on the weighted objectives of three hours: values and distance."""
    rows = []
    for hour, quantities in enumerate(_HOURS):
        flows = dispatch(*quantities)
        for place, weights in enumerate(_WEIGHTS):
            exact = weighted_optimum(flows, weights, PAPER_BOX)
            found = maximise(
                _weighted(flows, weights), PAPER_BOX, rng(10 + 4 * hour + place), colony
            )
            pairs = zip(found.place, exact.prices, strict=True)
            error = max((abs(a - b) for a, b in pairs if b is not None), default=0.0)
            words = "generation {:g}, load {:g}, demand {:g}".format(*quantities)
            named = ", ".join(f"{weight:g}" for weight in weights)
            rows.append((words, named, exact.value, found.value, error))
    return rows


def _weighted(flows: Flows[float], weights: Weights) -> Callable[[Floats], Floats]:
    factor = np.asarray(coefficients(weights)) * np.asarray(flows[:4])
    subsidies = np.asarray(_SUBSIDIES)

    def value(places: Floats) -> Floats:
        return np.asarray((places - subsidies * places**2) @ factor)

    return value


def _search_table(rows: Sequence[tuple[str, str, float, float, float]]) -> Table:
    columns = (
        Column("hour", "kWh"), Column("weights of G, C, U"), Column("vertex", "yuan"),
        Column("colony", "yuan"), Column("error", "yuan/kWh"),
    )  # fmt: skip
    return Table("searches", "The colony on the printed objectives", columns, rows)


def _course(game: Search) -> Plot:
    x = [float(i) for i in range(1, len(game.course) + 1)]
    y: list[float | None] = [float(np.log10(max(-value, 1e-12))) for value in game.course]
    series = (Series("regret of the best ant", x, y),)
    return Plot("course", "The colony on the elastic game", "iteration", "log10 yuan", series)


def _evaporation(colony: Colony) -> Plot:
    stalls = factors([False] * 15, colony.smallest_evaporation)
    x = [float(i) for i in range(1, len(stalls) + 1)]
    series = (Series("rho", x, stalls, Look.POINTS),)
    return Plot("rho", "Evaporation without improvement, eq. (14)", "stall", "", series)


def _largest_balance(rng: np.random.Generator) -> float:
    quantities, prices = rng.uniform(0, 1_000, (10_000, 3)), rng.uniform(0, 1, (10_000, 4))
    return max(
        abs(objectives(dispatch(*map(float, own)), Prices(*map(float, asked))).balance)
        for own, asked in zip(quantities, prices, strict=True)
    )
