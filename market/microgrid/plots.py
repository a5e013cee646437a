"""The report's pictures, drawn by matplotlib as SVG text to stand inside the page.

The only module that imports matplotlib; it takes the better part of a second to load.
(Fabric counterpart: none.)
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .figures import FigureRow
from .summary import DaySummary

_BLUE, _ORANGE, _GREY, _GREEN = "#1f6fb2", "#d9822b", "#8a94a0", "#3a9d5d"
_MANY_HOURS = 48  # from here on bars become lines


def prices(summary: DaySummary, bounds: tuple[float, float], printed: dict[int, float]) -> str:
    """Internal price of each hour between the grid's two; printed: the paper's, by hour."""

    def draw(axes: Axes) -> None:
        traded = [hour for hour in summary.hours if hour.price is not None]
        hours = [hour.hour for hour in traded]
        axes.plot(hours, [hour.price or 0.0 for hour in traded], "o-", color=_BLUE, label="market")
        if printed:
            axes.plot(
                list(printed), list(printed.values()), "s--", color=_ORANGE, label="paper, Table 12"
            )
        for value, name in zip(bounds, ("p_s", "p_b"), strict=True):
            axes.axhline(value, color=_GREY, linewidth=1)
            axes.annotate(name, (1.005, value), xycoords=("axes fraction", "data"), va="center")
        axes.set_ylabel("yuan per kWh")

    return _svg("prices", draw)


def bills(rows: Sequence[FigureRow]) -> str:
    """Figure 4: what buyers pay."""
    series = [
        ("market", [row.bill for row in rows], _BLUE),
        ("grid only", [row.bill_grid_only for row in rows], _GREY),
    ]
    printed = [row.printed_bill for row in rows]
    return _compare("bills", [row.hour for row in rows], series, printed)


def revenues(rows: Sequence[FigureRow]) -> str:
    """Figure 5: what sellers earn."""
    series = [
        ("market", [row.revenue for row in rows], _GREEN),
        ("all to the grid at p_s", [row.revenue_grid_only for row in rows], _GREY),
    ]
    printed = [row.printed_revenue for row in rows]
    return _compare("revenues", [row.hour for row in rows], series, printed)


def exchange(summary: DaySummary) -> str:
    """Energy traded inside and exchanged with the grid."""

    def draw(axes: Axes) -> None:
        hours = [hour.hour for hour in summary.hours]
        inside = [sum(hour.bought) for hour in summary.hours]
        imported = [hour.grid_import_kwh for hour in summary.hours]
        axes.bar(hours, inside, color=_BLUE, label="inside")
        axes.bar(hours, imported, bottom=inside, color=_ORANGE, label="from the grid")
        exported = [-hour.grid_export_kwh for hour in summary.hours]
        axes.bar(hours, exported, color=_GREEN, label="to the grid")
        axes.axhline(0, color="black", linewidth=0.6)
        axes.set_ylabel("kWh")

    return _svg("exchange", draw)


def _compare(
    name: str,
    hours: Sequence[int],
    series: Sequence[tuple[str, list[float], str]],
    printed: Sequence[float | None],
) -> str:
    def draw(axes: Axes) -> None:
        width = 0.8 / len(series)
        for place, (label, values, color) in enumerate(series):
            if len(hours) > _MANY_HOURS:
                axes.plot(hours, values, color=color, label=label, linewidth=1)
            else:
                shifted = [hour - 0.4 + width * (place + 0.5) for hour in hours]
                axes.bar(shifted, values, width, color=color, label=label)
        known = [(hour, value) for hour, value in zip(hours, printed, strict=True) if value]
        if known:
            label = "from the paper's Tables 12 and 13"
            axes.plot(*zip(*known, strict=True), "D", color=_ORANGE, markersize=4, label=label)
        axes.set_ylabel("yuan")

    return _svg(name, draw)


def _svg(name: str, draw: Callable[[Axes], None]) -> str:
    """Draw on axes over the hours; the same data give the same text."""
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(7.2, 2.9), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        draw(axes)
        axes.set_xlabel("hour")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside upper right", ncols=4, frameon=False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
