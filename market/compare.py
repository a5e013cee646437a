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
    found: dict[str, Plot] = {}
    for name, result in results.items():
        for plot in result.plots:
            series = tuple(
                replace(one, label=f"{name}: {one.label}" if one.label else name)
                for one in plot.series
            )
            known = found.get(plot.name)
            found[plot.name] = replace(
                plot, series=series if known is None else (*known.series, *series)
            )
    return tuple(found.values())
