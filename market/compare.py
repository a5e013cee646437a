"""Several scenarios' results as one: metrics side by side, plots of one name overlaid.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .result import Cell, Column, Plot, Result, Table


def combine(results: Mapping[str, Result]) -> Result:
    """results: by scenario, at least one."""
    names = tuple(results)
    return Result(
        title="Compared: " + ", ".join(names),
        tables=(_metrics(results), *_tables(results)),
        plots=_plots(results),
        remarks=tuple(f"{name}: {remark}" for name in names for remark in results[name].remarks),
        parameters={name: dict(results[name].parameters) for name in names},
    )


def _metrics(results: Mapping[str, Result]) -> Table:
    """A row for each metric that any of them has."""
    values: dict[str, dict[str, Cell]] = {}
    facts: dict[str, tuple[str, str]] = {}
    for name, result in results.items():
        for metric in result.metrics:
            facts.setdefault(metric.name, (metric.unit, metric.meaning))
            values.setdefault(metric.name, {})[name] = metric.value
    rows: list[list[Cell]] = [
        [metric, unit, *(values[metric].get(name) for name in results), meaning]
        for metric, (unit, meaning) in facts.items()
    ]
    columns = (Column("metric"), Column("unit"), *map(Column, results), Column("meaning"))
    return Table("metrics", "Metrics side by side", columns, rows)


def _tables(results: Mapping[str, Result]) -> list[Table]:
    """Tables of one name and shape, one under the other with the scenario in front."""
    found: dict[str, Table] = {}
    for name, result in results.items():
        for table in result.tables:
            rows: list[list[Cell]] = [[name, *row] for row in table.rows]
            known = found.get(table.name)
            if known is None:
                columns = (Column("scenario"), *table.columns)
                found[table.name] = replace(table, columns=columns, rows=rows)
            elif known.columns[1:] == table.columns:
                found[table.name] = replace(known, rows=[*known.rows, *rows])
    return list(found.values())


def _plots(results: Mapping[str, Result]) -> tuple[Plot, ...]:
    """Plots of one name in one; a series that is the same in all of them is drawn once."""
    by_name: dict[str, dict[str, Plot]] = {}
    for scenario, result in results.items():
        for plot in result.plots:
            by_name.setdefault(plot.name, {})[scenario] = plot
    return tuple(_overlaid(plots) for plots in by_name.values())


def _overlaid(plots: Mapping[str, Plot]) -> Plot:
    first = next(iter(plots.values()))
    common = [
        series
        for series in first.series
        if len(plots) > 1 and all(series in plot.series for plot in plots.values())
    ]
    own = [
        replace(series, label=f"{scenario}: {series.label}" if series.label else scenario)
        for scenario, plot in plots.items()
        for series in plot.series
        if series not in common
    ]
    return replace(first, series=(*own, *common))
