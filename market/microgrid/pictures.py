"""The day's plots: price, Figures 4 and 5, and what is exchanged with the grid.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..result import Look, Plot, Series
from . import paper
from .day import DayResult
from .figures import FigureRow
from .summary import DaySummary

_MANY_HOURS = 48  # from here on bars become lines


def pictures(day: DayResult, summary: DaySummary, rows: Sequence[FigureRow]) -> tuple[Plot, ...]:
    """Of any day; the paper's own numbers only beside the paper's day."""
    hours = [float(hour.hour) for hour in summary.hours]
    return (
        _prices(day, summary, hours),
        Plot(
            "bills",
            "Figure 4: buyers' bill, with the market and from the grid alone",
            "hour",
            "yuan",
            (
                _amount("market", hours, [row.bill for row in rows]),
                _amount("grid only", hours, [row.bill_grid_only for row in rows]),
                *_printed(hours, [row.printed_bill for row in rows]),
            ),
        ),
        Plot(
            "revenues",
            "Figure 5: sellers' revenue, with the market and all sold at p_s",
            "hour",
            "yuan",
            (
                _amount("market", hours, [row.revenue for row in rows]),
                _amount("all to the grid", hours, [row.revenue_grid_only for row in rows]),
                *_printed(hours, [row.printed_revenue for row in rows]),
            ),
        ),
        Plot(
            "exchange",
            "Energy traded inside, taken from and given to the grid",
            "hour",
            "kWh",
            (
                _amount("inside", hours, [sum(hour.bought) for hour in summary.hours]),
                _amount("from the grid", hours, [h.grid_import_kwh for h in summary.hours]),
                _amount("to the grid", hours, [h.grid_export_kwh for h in summary.hours]),
            ),
        ),
    )


def _prices(day: DayResult, summary: DaySummary, hours: Sequence[float]) -> Plot:
    series = [Series("market", hours, [hour.price for hour in summary.hours])]
    if day.scenario.is_paper:
        printed = {hour: row[0] for hour, row in paper.table(12).rows.items()}
        ours = [printed.get(int(hour)) for hour in hours]
        series.append(Series("paper, Table 12", hours, ours, Look.POINTS))
    tariff = day.scenario.tariff
    for name, price in (("p_s", tariff.sell), ("p_b", tariff.buy)):
        series.append(Series(name, hours, [price] * len(hours)))
    return Plot("price", "Internal price", "hour", "yuan/kWh", tuple(series))


def _amount(label: str, hours: Sequence[float], values: Sequence[float]) -> Series:
    return Series(label, hours, values, Look.LINE if len(hours) > _MANY_HOURS else Look.BAR)


def _printed(hours: Sequence[float], values: Sequence[float | None]) -> tuple[Series, ...]:
    if not any(values):
        return ()
    return (Series("from the paper's Tables 12 and 13", hours, values, Look.POINTS),)
