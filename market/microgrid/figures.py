"""Figures 4 and 5: buyers' bill and sellers' revenue, with the market and without.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass

from .comparison import printed_hours
from .day import DayResult
from .summary import DaySummary, benchmark


@dataclass(frozen=True, slots=True)
class FigureRow:
    """An hour in yuan.  printed_*: what the paper's Tables 12 and 13 amount to, None for
    other days; its figures themselves can only be looked at."""

    hour: int
    bill: float
    bill_grid_only: float
    revenue: float
    revenue_grid_only: float
    printed_bill: float | None
    printed_revenue: float | None


def figure_rows(day: DayResult, summary: DaySummary) -> tuple[FigureRow, ...]:
    """Both figures' data, hour by hour."""
    printed = printed_hours(day.scenario) if day.scenario.is_paper else {}
    rows = []
    for result, hour in zip(day.hours, summary.hours, strict=True):
        alone, theirs = benchmark(day, result), printed.get(result.hour)
        rows.append(
            FigureRow(
                hour=result.hour,
                bill=hour.bill_buyers,
                bill_grid_only=alone.bill,
                revenue=hour.revenue_sellers,
                revenue_grid_only=alone.revenue,
                printed_bill=theirs.bill if theirs else None,
                printed_revenue=theirs.revenue if theirs else None,
            )
        )
    return tuple(rows)
