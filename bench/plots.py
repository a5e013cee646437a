"""Plots of benchmarks, drawn by matplotlib as SVG text to stand inside a page or a file.

The only module of this folder that imports matplotlib; it takes the better part of a second to
load.  (Fabric: Caliper's report template, which draws none)
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from .result import RoundResult

_BLUE, _ORANGE, _GREY, _RED = "#1f6fb2", "#d9822b", "#8a94a0", "#c23b3b"

Points = Sequence[tuple[float, float]]


def throughput(rounds: Sequence[RoundResult]) -> str:
    """Planned and achieved throughput of each round."""

    def draw(axes: Axes) -> None:
        places = range(len(rounds))
        colors = [_RED if each.marked else _BLUE for each in rounds]
        axes.barh(list(places), [each.tps for each in rounds], color=colors, height=0.6)
        planned = [(each.planned_tps, place) for place, each in enumerate(rounds)]
        known = [(tps, place) for tps, place in planned if tps]
        if known:
            axes.plot(*zip(*known, strict=True), "|", color=_ORANGE, markersize=14, label="planned")
        axes.set_yticks(list(places), [each.name for each in rounds])
        axes.invert_yaxis()
        axes.set_xlabel("transactions a second")

    return svg("throughput", draw, height=1.2 + 0.32 * len(rounds))


def latencies(rounds: Sequence[RoundResult]) -> str:
    """p50, p95, p99 and p99.9 of each round on a logarithmic axis."""
    kinds = (("p50", "o", _BLUE), ("p95", "s", _GREY), ("p99", "D", _ORANGE), ("p999", "|", _RED))

    def draw(axes: Axes) -> None:
        for kind, marker, color in kinds:
            found = [(each.latency_ms[kind], place) for place, each in enumerate(rounds)]
            known = [(value, place) for value, place in found if value]
            if known:
                axes.plot(*zip(*known, strict=True), marker, color=color, label=kind, markersize=6)
        axes.set_yticks(range(len(rounds)), [each.name for each in rounds])
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlabel("ms")

    return svg("latencies", draw, height=1.2 + 0.32 * len(rounds))


def over_time(each: RoundResult) -> str:
    """One round's throughput and median latency over its time."""
    width = each.slices[0].end_s if each.slices else 1.0

    def draw(axes: Axes) -> None:
        times = [part.end_s for part in each.slices]
        rates = [part.succeeded / width for part in each.slices]
        axes.plot(times, rates, color=_BLUE, label="tps")
        axes.set_ylim(bottom=0)
        axes.set_ylabel("tps")
        axes.set_xlabel("seconds")
        beside = axes.twinx()
        medians = [
            (part.end_s, part.latency_ms[len(part.latency_ms) // 2])
            for part in each.slices
            if part.latency_ms
        ]
        if medians:
            beside.plot(*zip(*medians, strict=True), color=_ORANGE, label="p50 of the latency")
        beside.set_ylim(bottom=0)
        beside.set_ylabel("ms")
        beside.spines["top"].set_visible(False)

    return svg(f"over-time-{each.name}", draw)


def curves(
    name: str,
    series: Mapping[str, Points],
    x_label: str,
    y_label: str,
    *,
    logarithmic: bool = False,
) -> str:
    """Lines with points, one for each series."""

    def draw(axes: Axes) -> None:
        for (label, points), color in zip(
            series.items(), (_BLUE, _ORANGE, _GREY, _RED) * len(series), strict=False
        ):
            axes.plot(*zip(*points, strict=True), "o-", color=color, label=label, markersize=4)
        if logarithmic:
            axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)

    return svg(name, draw)


def svg(name: str, draw: Callable[[Axes], None], *, height: float = 2.9) -> str:
    """Draw on axes; the same data give the same text."""
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(7.2, height), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        draw(axes)
        axes.spines["top"].set_visible(False)
        handles = [handle for each in figure.axes for handle in each.get_legend_handles_labels()[0]]
        if handles:
            figure.legend(handles=handles, loc="outside upper right", ncols=4, frameon=False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    drawn = text.getvalue()
    return drawn[drawn.index("<svg") :]
