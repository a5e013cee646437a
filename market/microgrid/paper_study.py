"""The study `paper-003`: what of the paper's tables and figures can be had from its data.

No network: every pricing mode against the printed Table 12, and the arithmetic of the
printed tables themselves.  docs/papers.md gives the verdicts.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..result import Cell, Column, Look, Metric, Plot, Result, Series, Table
from ..settings import Settings
from ..study import Run
from . import paper
from .comparison import PrintedHour, printed_hours
from .energy_day import EnergyDay, paper_day
from .period import Outcome, Regime, solve_period
from .pricing import MECHANISMS


@dataclass(frozen=True, slots=True)
class Fit:
    """A mode against the printed tables: mean and largest error of the price over the
    hours with a shortage, root mean square errors of loads and purchases (kWh); then its
    day in yuan."""

    price_mean: float
    price_largest: float
    load: float
    bought: float
    bill: float
    revenue: float


def run(run: Run) -> Result:
    """Everything that is arithmetic about the paper."""
    Settings.of(run.fields).only(())
    day = paper_day()
    fits: dict[str, Fit] = {}
    for done, mode in enumerate(MECHANISMS, start=1):
        fits[mode] = fit(day, mode)
        run.progress("pricing modes", done, len(MECHANISMS))
    printed = printed_hours(day)
    return Result(
        title="Paper 003: printed and ours",
        metrics=claims(day, printed),
        tables=(_modes(day, fits), _printed(day, printed), _caliper()),
        plots=(_prices(day), _latency()),
        remarks=tuple(f"{claim}: {verdict}" for claim, verdict in paper.CLAIMS),
    )


def outcomes(day: EnergyDay, mode: str) -> dict[int, Outcome]:
    """The day under a mode, by hour."""
    return {hour: solve_period(day.period(hour), mode) for hour in day.hours}


def fit(day: EnergyDay, mode: str) -> Fit:
    """How far a mode is from the printed Tables 12 and 13."""
    twelve, thirteen = paper.table(12).rows, paper.table(13).rows
    solved = outcomes(day, mode)
    errors = [
        (one.price or 0.0) - twelve[hour][0]
        for hour, one in solved.items()
        if one.regime is Regime.DEFICIT
    ]
    loads = [
        ours - theirs
        for hour, one in solved.items()
        for ours, theirs in zip(one.seller_load, twelve[hour][1:], strict=True)
    ]
    bought = [
        ours - thirteen[hour][buyer]
        for hour, one in solved.items()
        if hour in thirteen
        for buyer, ours in zip(one.buyers, one.buyer_internal, strict=True)
    ]
    return Fit(
        price_mean=float(np.mean(np.abs(errors))),
        price_largest=float(np.max(np.abs(errors))),
        load=float(np.sqrt(np.mean(np.square(loads)))),
        bought=float(np.sqrt(np.mean(np.square(bought)))),
        bill=sum(sum(one.buyer_cost) for one in solved.values()),
        revenue=sum(sum(one.seller_revenue) for one in solved.values()),
    )


def alone(day: EnergyDay) -> tuple[float, float]:
    """What buyers pay and sellers earn with the grid alone, yuan."""
    nets = [net / 1000 for row in day.nets for net in row]
    lacking, spare = -sum(min(net, 0) for net in nets), sum(max(net, 0) for net in nets)
    return lacking * day.tariff.buy, spare * day.tariff.sell


def claims(day: EnergyDay, printed: Mapping[int, PrintedHour]) -> tuple[Metric, ...]:
    """The text's claims, from the printed tables alone."""
    bill_alone, revenue_alone = alone(day)
    bill = sum(hour.bill for hour in printed.values())
    revenue = sum(hour.revenue for hour in printed.values())
    supply = sum(
        generation
        for row, net in zip(day.generation, day.nets, strict=True)
        for generation, own in zip(row, net, strict=True)
        if own >= 0
    )
    facts = (
        ("saving_printed", 100 * (1 - bill / bill_alone), "%", "claimed: about 5"),
        ("revenue_ratio_printed", revenue / revenue_alone, "", "claimed: nearly 2"),
        (
            "revenue_ratio_bound",
            supply / 1000 * day.tariff.buy / revenue_alone,
            "",
            "no load at all, everything sold at p_b",
        ),
        (
            "impossible_caliper_rows",
            sum(not row.possible for row in paper.caliper()),
            "rows",
            "of Table 14: the longest latency exceeds the test's duration",
        ),
    )
    return tuple(Metric(name, round(float(v), 6), unit, text) for name, v, unit, text in facts)


def _modes(day: EnergyDay, fits: Mapping[str, Fit]) -> Table:
    bill_alone, revenue_alone = alone(day)
    rows: list[list[Cell]] = [
        [
            mode,
            one.price_mean,
            one.price_largest,
            one.load,
            one.bought,
            one.bill,
            100 * (1 - one.bill / bill_alone),
            one.revenue,
            one.revenue / revenue_alone,
        ]
        for mode, one in fits.items()
    ]
    columns = (
        Column("mode"), Column("price_mean_error", "yuan/kWh"),
        Column("price_largest_error", "yuan/kWh"), Column("load_rms_error", "kWh"),
        Column("bought_rms_error", "kWh"), Column("bill", "yuan"), Column("saving", "%"),
        Column("revenue", "yuan"), Column("revenue_ratio"),
    )  # fmt: skip
    explanation = (
        "Price errors over the ten hours with a shortage. A constant price of 0.801 has a mean "
        "error of 0.0162, so no rule explains the printed prices better than a constant."
    )
    return Table("modes", "Every pricing mode against Tables 12 and 13", columns, rows, explanation)


def _printed(day: EnergyDay, printed: Mapping[int, PrintedHour]) -> Table:
    thirteen = paper.table(13).rows
    rows: list[list[Cell]] = []
    for hour, one in printed.items():
        off = None
        if hour in thirteen:
            off = max(abs(thirteen[hour][n - 1] - energy) for n, energy in one.bought.items())
        rows.append([hour, off, one.bill, one.revenue, one.excess])
    columns = (
        Column("hour"), Column("table13_off", "kWh"), Column("bill", "yuan"),
        Column("revenue", "yuan"), Column("excess", "yuan"),
    )  # fmt: skip
    explanation = (
        "table13_off: how far the printed purchases are from eq. (13) with its cap on the printed "
        "loads. excess: what the printed price costs the buyers more than p_s; where it is above "
        "zero the printed hour is no equilibrium of eqs. (14)-(15)."
    )
    return Table("printed", "The printed tables among themselves", columns, rows, explanation)


def _caliper() -> Table:
    rows: list[list[Cell]] = [
        [row.test, row.send_rate, row.throughput, row.max_latency, row.avg_latency,
         1000 * row.sent / row.throughput, "yes" if row.possible else "no"]
        for row in paper.caliper()
    ]  # fmt: skip
    columns = (
        Column("test"), Column("send_rate", "tps"), Column("throughput", "tps"),
        Column("max_latency", "ms"), Column("avg_latency", "ms"), Column("duration", "ms"),
        Column("possible"),
    )  # fmt: skip
    explanation = (
        "All 26 tests are queries, which are never ordered, so they say nothing about trading. "
        "duration: 1000 queries at the printed throughput; no latency can be longer."
    )
    return Table("table14", "Table 14: Caliper", columns, rows, explanation)


def _prices(day: EnergyDay) -> Plot:
    hours = [float(hour) for hour in day.hours]
    series = [
        Series(mode, hours, [one.price for one in outcomes(day, mode).values()])
        for mode in ("nash_bargain", "stackelberg_buyer", "sdr")
    ]
    printed = [paper.table(12).rows[hour][0] for hour in day.hours]
    series.append(Series("printed", hours, printed, Look.POINTS))
    return Plot(
        "price", "Prices of three modes and the printed ones", "hour", "yuan/kWh", tuple(series)
    )


def _latency() -> Plot:
    rows = paper.caliper()
    rates = [row.send_rate for row in rows]
    series = (
        Series("throughput, tps", rates, [row.throughput for row in rows]),
        Series("average latency, 10 ms", rates, [row.avg_latency / 10 for row in rows]),
    )
    return Plot("caliper", "Figure 6, from Table 14", "send rate, tps", "", series)
