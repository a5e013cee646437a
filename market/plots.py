"""Draws a result's plots as SVG text to stand inside a page; the same data, the same text.

Imports matplotlib, which takes the better part of a second to load.
(Fabric counterpart: none.)
"""

from __future__ import annotations

import io
import math

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .result import Look, Plot, Series

_COLOURS = ("#1f6fb2", "#d9822b", "#3a9d5d", "#8a94a0", "#8e5bb5", "#b8433b", "#2aa5a0", "#6b5b3e")


def draw(plot: Plot) -> str:
    """The plot as an <svg> element."""
    with mpl.rc_context({"svg.hashsalt": plot.name, "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(7.2, 2.9), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        bars = [series for series in plot.series if series.look is Look.BAR]
        for place, series in enumerate(plot.series):
            colour = _COLOURS[place % len(_COLOURS)]
            if series.look is Look.BAR:
                _bar(axes, series, colour, bars.index(series), len(bars))
            else:
                _line(axes, series, colour)
        axes.set_xlabel(plot.x_axis)
        axes.set_ylabel(plot.y_axis)
        axes.spines[["top", "right"]].set_visible(False)
        if all(float(x).is_integer() for series in plot.series for x in series.x):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if len(plot.series) > 1 or plot.series[0].label:
            figure.legend(loc="outside upper right", ncols=4, frameon=False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def _bar(axes: Axes, series: Series, colour: str, place: int, count: int) -> None:
    step = min((b - a for a, b in zip(series.x, series.x[1:], strict=False)), default=1.0)
    width = 0.8 * step / count
    shifted = [x - 0.4 * step + width * (place + 0.5) for x in series.x]
    heights = [0.0 if y is None else y for y in series.y]
    axes.bar(shifted, heights, width, color=colour, label=series.label)


def _line(axes: Axes, series: Series, colour: str) -> None:
    values = [math.nan if y is None else y for y in series.y]
    if series.look is Look.POINTS:
        axes.plot(series.x, values, "o", color=colour, label=series.label, markersize=3)
    elif series.look is Look.STEP:
        axes.step(series.x, values, where="mid", color=colour, label=series.label, linewidth=1.3)
    else:
        axes.plot(series.x, values, color=colour, label=series.label, linewidth=1.3)
