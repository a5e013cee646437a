"""Writes a traded day to a folder: report.html, summary.json and the tables as CSV.

(Fabric counterpart: none.)
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from pathlib import Path

from .comparison import Table, tables
from .day import DayResult
from .figures import FigureRow, figure_rows
from .ledger_map import Place, places
from .report import render
from .summary import DaySummary


def write_results(day: DayResult, summary: DaySummary, directory: Path) -> list[Path]:
    """Write every file of the day into directory, made if it is not there; their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    written = [directory / "report.html", directory / "summary.json"]
    written[0].write_text(render(day, summary), encoding="utf-8")
    document = json.dumps(summary.as_json(), indent=1, allow_nan=False)
    written[1].write_text(document + "\n", encoding="utf-8")
    for table in tables(day):
        path = directory / f"table{table.number}.csv"
        _write(path, *_table_rows(table))
        written.append(path)
    figures = directory / "figures4_5.csv"
    names = [field.name for field in fields(FigureRow)]
    _write(figures, names, map(astuple, figure_rows(day, summary)))
    ledger = directory / "ledger.csv"
    _write(ledger, [field.name for field in fields(Place)], map(astuple, places(day)))
    return [*written, figures, ledger]


def _table_rows(table: Table) -> tuple[list[str], list[list[object]]]:
    """Hour, our columns, then printed values and differences where there are any, remark."""
    header = ["hour", *table.columns]
    compared = table.compared > 0
    if compared:
        header += [f"{column}_printed" for column in table.columns]
        header += [f"{column}_difference" for column in table.columns]
        header += ["remark"]
    rows: list[list[object]] = []
    for hour, cells in table.rows.items():
        row: list[object] = [hour, *(_number(cell.ours) for cell in cells)]
        if compared:
            row += [_number(cell.printed) for cell in cells]
            row += [_number(cell.difference) for cell in cells]
            row += [table.remarks.get(hour, "")]
        rows.append(row)
    return header, rows


def _number(value: float | None) -> float | str:
    return "" if value is None else round(value, 6) + 0.0  # no minus zero


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
