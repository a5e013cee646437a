"""What a study found: metrics, tables and plots, before anybody has drawn or written them.

Everything in it is plain data that a seed determines: no clock, no path, no host.
report.render makes a page of it, report.write a folder.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Metric:
    """One number; meaning: what it is, in words for a reader."""

    name: str
    value: float | int | str | None
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Column:
    """unit is empty where there is none."""

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """name: a file name's stem; rows as long as columns; long tables are not printed on the
    page beyond their beginning, only written as CSV."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]
    explanation: str = ""


class Look(StrEnum):
    """How a series is drawn."""

    LINE = "line"
    STEP = "step"
    BAR = "bar"
    POINTS = "points"


@dataclass(frozen=True, slots=True)
class Series:
    """x and y of equal length; None in y is a gap."""

    label: str
    x: Sequence[float]
    y: Sequence[float | None]
    look: Look = Look.LINE


@dataclass(frozen=True, slots=True)
class Plot:
    """x_axis, y_axis: labels with units; name: unique in its result."""

    name: str
    title: str
    x_axis: str
    y_axis: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """title: the page's; parameters: all that reproduces it beside the seed; remarks: whole
    sentences (what was read how, what does not reproduce).

    measured and the two after it: what differs from run to run, such as times on this
    machine and block numbers (measured: plain JSON values by name).  They stand apart and
    go to measured.html and measured.json, so that everything else has the same bytes for
    the same seed.
    """

    title: str
    metrics: tuple[Metric, ...] = ()
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    remarks: tuple[str, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    measured: Mapping[str, object] = field(default_factory=dict)
    measured_tables: tuple[Table, ...] = ()
    measured_plots: tuple[Plot, ...] = ()

    @property
    def has_measurements(self) -> bool:
        """Whether anything differs from run to run."""
        return bool(self.measured or self.measured_tables or self.measured_plots)
