"""Writes a result: report.html (self-contained), summary.json and each table as CSV.

What differs from run to run goes to measured.html and measured.json; every other file has
the same bytes whenever scenario, seed and versions are the same.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import csv
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from html import escape
from importlib import metadata, resources
from pathlib import Path
from string import Template

from . import plots
from .result import Cell, Metric, Plot, Result, Table
from .scenario import Scenario

_SHOWN_ROWS = 120  # of a table on the page; the CSV has all


def versions() -> dict[str, str]:
    """What computed and drew the result."""
    packages = ("gridloom", "numpy", "matplotlib")
    return {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in packages},
    }


def write(result: Result, scenario: Scenario, directory: Path) -> list[Path]:
    """Write every file into directory, made if it is not there; their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    origin = {
        "scenario": scenario.name,
        "study": scenario.study,
        "seed": scenario.seed,
        "versions": versions(),
        "parameters": dict(result.parameters or scenario.parameters),
    }
    summary = {
        "title": result.title,
        **origin,
        "metrics": [asdict(metric) for metric in result.metrics],
        "remarks": list(result.remarks),
        "tables": [f"{table.name}.csv" for table in result.tables],
    }
    written = [
        _text(directory / "report.html", render(result, origin)),
        _text(directory / "summary.json", _json(summary)),
        *(write_table(table, directory) for table in result.tables),
    ]
    if result.has_measurements:
        written += [
            _text(directory / "measured.html", render_measured(result)),
            _text(directory / "measured.json", _json(dict(result.measured))),
            *(write_table(table, directory) for table in result.measured_tables),
        ]
    return written


def write_table(table: Table, directory: Path) -> Path:
    """A table as CSV; units stand in the heading."""
    path = directory / f"{table.name}.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(
            f"{column.name} ({column.unit})" if column.unit else column.name
            for column in table.columns
        )
        writer.writerows([_plain(cell) for cell in row] for row in table.rows)
    return path


def render(result: Result, origin: Mapping[str, object]) -> str:
    """The page; needs no other file and no network.  origin: what reproduces it."""
    body = [
        f"<h1>{escape(result.title)}</h1>",
        _facts(result.metrics),
        *(f"<p>{escape(remark)}</p>" for remark in result.remarks),
        *map(_figure, result.plots),
        _metrics(result.metrics),
        *map(_table, result.tables),
    ]
    if result.has_measurements:
        body.append(
            '<h2>Measured</h2><p>What differs from run to run is in <a href="measured.html">'
            "measured.html</a> and measured.json.</p>"
        )
    body.append(f"<h2>To reproduce</h2><pre>{escape(_json(dict(origin)))}</pre>")
    return _page(result.title, body)


def render_measured(result: Result) -> str:
    """The page of what differs from run to run."""
    lines = "".join(
        f"<tr><td class=text>{escape(name)}</td><td>{escape(json.dumps(value))}</td></tr>"
        for name, value in result.measured.items()
    )
    title = f"{result.title}: measured"
    body = [
        f"<h1>{escape(title)}</h1><p class=note>On this machine, in this run.</p>",
        f"<table>{lines}</table>",
        *map(_figure, result.measured_plots),
        *map(_table, result.measured_tables),
    ]
    return _page(title, body)


def _page(title: str, body: Iterable[str]) -> str:
    page = (resources.files("gridloom.market") / "data" / "report.html").read_text()
    return Template(page).substitute(title=escape(title), body="\n".join(body))


def _facts(metrics: Sequence[Metric]) -> str:
    boxes = "".join(
        f"<div><b>{_shown(metric.value)} {escape(metric.unit)}</b>{_words(metric.name)}</div>"
        for metric in metrics[:8]
    )
    return f"<div class=facts>{boxes}</div>"


def _metrics(metrics: Sequence[Metric]) -> str:
    if not metrics:
        return ""
    lines = "".join(
        f"<tr><td class=text>{_words(metric.name)}</td><td>{_shown(metric.value)}</td>"
        f"<td class=text>{escape(metric.unit)}</td>"
        f"<td class=text>{escape(metric.meaning)}</td></tr>"
        for metric in metrics
    )
    return f"<h2>Metrics</h2><table>{lines}</table>"


def _figure(plot: Plot) -> str:
    return f"<figure>{plots.draw(plot)}<figcaption>{escape(plot.title)}</figcaption></figure>"


def _table(table: Table) -> str:
    heads = "".join(
        f"<th>{escape(column.name)}<small> {escape(column.unit)}</small></th>"
        for column in table.columns
    )
    lines = "".join(
        f"<tr>{''.join(map(_cell, row))}</tr>" for row in list(table.rows)[:_SHOWN_ROWS]
    )
    more = ""
    if len(table.rows) > _SHOWN_ROWS:
        more = f"<p class=note>{_SHOWN_ROWS} of {len(table.rows)} rows; all in {table.name}.csv</p>"
    return (
        f"<h2>{escape(table.title)}</h2><p>{escape(table.explanation)}</p>"
        f"<div class=wide><table><tr>{heads}</tr>{lines}</table></div>{more}"
    )


def _cell(value: Cell) -> str:
    kind = " class=text" if isinstance(value, str) else ""
    return f"<td{kind}>{_shown(value)}</td>"


def _shown(value: Cell) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    return escape(str(value))


def _plain(value: Cell) -> Cell:
    """A cell of a CSV: floats to nine digits, without a minus zero."""
    if isinstance(value, float):
        return float(f"{value:.9g}") + 0.0
    return "" if value is None else value


def _words(name: str) -> str:
    return escape(name.replace("_", " "))


def _json(document: object) -> str:
    return json.dumps(document, indent=1, allow_nan=False, default=str) + "\n"


def _text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
