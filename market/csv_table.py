"""A CSV file with a heading, read so that a bad cell can be named by row and column.

(Fabric counterpart: none.)
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NoReturn

from .errors import ProfileError

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class CsvTable:
    """heading: the first line's cells; rows: line number and cells, as many as headings."""

    file: str
    heading: tuple[str, ...]
    heading_row: int
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def fail(self, reason: str, *, row: int | None = None, place: int | None = None) -> NoReturn:
        """Raise the ProfileError of this place; place counts from 0."""
        column = None
        if place is not None:
            column = f"{place + 1} ({self.heading[place]})"
        raise ProfileError(self.file, reason, row=row, column=column)

    def column(self, name: str) -> int:
        """Where the column of a heading is."""
        if name not in self.heading:
            self.fail(f"has no column {name!r}", row=self.heading_row)
        return self.heading.index(name)

    def times(self, default_minutes: int) -> tuple[tuple[str, ...], int]:
        """The first column's times and the minutes between them; none may be missing.

        default_minutes: where the times are running numbers.
        """
        if not self.rows:
            self.fail("has no row of numbers")
        first = self.rows[0][1][0]
        minutes = self._numbered(default_minutes) if first.isdecimal() else self._dated()
        return tuple(cells[0] for _, cells in self.rows), minutes

    def _numbered(self, minutes: int) -> int:
        start = int(self.rows[0][1][0])
        for offset, (row, cells) in enumerate(self.rows):
            if not cells[0].isdecimal():
                self.fail(f"{cells[0]!r} is not a whole number", row=row, place=0)
            self._in_line(row, cells[0], start + offset, int(cells[0]))
        return minutes

    def _dated(self) -> int:
        times = [(row, self._time(row, cells[0])) for row, cells in self.rows]
        for row, time in times:
            if (time.tzinfo is None) != (times[0][1].tzinfo is None):
                self.fail("has a time zone, or none, unlike the first row", row=row, place=0)
        if len(times) == 1:
            self.fail("has one row only: how long its interval is, nobody can tell")
        step = times[1][1] - times[0][1]
        minutes, rest = divmod(step, _MINUTE)
        if minutes <= 0 or rest or (24 * 60) % minutes:
            reason = f"{step} after the row before: no whole minutes that divide a day"
            self.fail(reason, row=times[1][0], place=0)
        for offset, (row, time) in enumerate(times):
            wanted = times[0][1] + offset * step
            self._in_line(row, time.isoformat(), wanted.isoformat(), time.isoformat())
        return minutes

    def _in_line(self, row: int, cell: str, wanted: object, found: object) -> None:
        if found != wanted:
            self.fail(f"{cell} follows where {wanted} is due: missing or twice", row=row, place=0)

    def _time(self, row: int, cell: str) -> datetime:
        try:
            return datetime.fromisoformat(cell)
        except ValueError:
            self.fail(f"{cell!r} is neither a number nor an ISO 8601 time", row=row, place=0)


def read_table(path: Path) -> CsvTable:
    """The file; ProfileError if it is none, has no heading, or a line of another length."""
    lines: list[tuple[int, tuple[str, ...]]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            for cells in reader:
                stripped = tuple(cell.strip() for cell in cells)
                if any(stripped):
                    lines.append((reader.line_num, stripped))
    except FileNotFoundError:
        raise ProfileError(str(path), "does not exist") from None
    except OSError as error:
        raise ProfileError(str(path), f"cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ProfileError(str(path), f"is no CSV text: {error}") from error
    if not lines:
        raise ProfileError(str(path), "is empty")
    heading_row, heading = lines[0]
    for row, line in lines[1:]:
        if len(line) != len(heading):
            reason = f"has {len(line)} columns, not {len(heading)}"
            raise ProfileError(str(path), reason, row=row)
    return CsvTable(str(path), heading, heading_row, tuple(lines[1:]))


def number(table: CsvTable, row: int, place: int, cell: str, *, low: int) -> Decimal:
    """A cell as a finite number not below low; ProfileError."""
    try:
        value = Decimal(cell)
    except InvalidOperation:
        table.fail(f"{cell!r} is not a number" if cell else "is empty", row=row, place=place)
    if not value.is_finite():
        table.fail(f"{cell!r} is not a finite number", row=row, place=place)
    if value < low:
        table.fail(f"{cell} is below {low}", row=row, place=place)
    if value > 10**12:
        table.fail(f"{cell} is too large", row=row, place=place)
    return value
