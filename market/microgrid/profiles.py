"""Reads load.csv and generation.csv: the hour, then one column for each user, in kWh.

A first line whose first cell is no number is a heading.  Users belong together by their
names when both headings hold the same ones, else by their place.  Numbers are read as decimals,
so 0.1 is a tenth; energy goes to the ledger in whole Wh, rounded half to even.  A cell
that cannot be meant is named by file, row and column.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path

from ..errors import ProfileError

LOAD_FILE = "load.csv"
GENERATION_FILE = "generation.csv"
FORECAST_FILE = "forecast.csv"

_LIMIT_KWH = 10**9


@dataclass(frozen=True, slots=True)
class Profile:
    """One file: energy in Wh by hour and user; hours ascending, rows of equal length.

    names: the users' in the heading; empty without one.
    """

    file: str
    names: tuple[str, ...]
    hours: tuple[int, ...]
    energy: tuple[tuple[int, ...], ...]

    @property
    def users(self) -> int:
        """Number of users."""
        return len(self.energy[0])

    def in_order_of(self, names: Sequence[str]) -> Profile:
        """Return the same with the users in another order of the same names."""
        places = [self.names.index(name) for name in names]
        energy = tuple(tuple(row[place] for place in places) for row in self.energy)
        return replace(self, names=tuple(names), energy=energy)


def read_profiles(directory: Path, generated: str = GENERATION_FILE) -> tuple[Profile, Profile]:
    """Load and generation of a folder; ProfileError if they do not belong together."""
    load = read_profile(directory / LOAD_FILE)
    generation = read_profile(directory / generated)
    if load.users != generation.users:
        reason = f"has {generation.users} users, {load.file} has {load.users}"
        raise ProfileError(generation.file, reason)
    for mine, other in ((generation, load), (load, generation)):
        missing = sorted(set(other.hours) - set(mine.hours))
        if missing:
            raise ProfileError(mine.file, f"has no row for hour {missing[0]} of {other.file}")
    if sorted(load.names) == sorted(generation.names):
        generation = generation.in_order_of(load.names)
    return load, generation


def read_profile(path: Path) -> Profile:
    """One file; ProfileError names the place of the first fault."""
    file = str(path)
    rows: dict[int, tuple[int, ...]] = {}
    width = 0
    heading: Sequence[str] = ()
    for number, cells in _rows(path):
        if not width:
            width = len(cells)
            if width < 2:
                raise ProfileError(file, "has no column after the hour", row=number)
            if _decimal(cells[0]) is None:
                heading = cells
                _no_name_twice(file, number, heading)
                continue
        if len(cells) != width:
            reason = f"has {len(cells)} columns, not {width}"
            raise ProfileError(file, reason, row=number)
        hour = _hour(file, number, cells[0], _column(heading, 0))
        if hour in rows:
            raise ProfileError(file, f"hour {hour} is there twice", row=number, column="1")
        rows[hour] = tuple(
            _energy(file, number, cell, _column(heading, place))
            for place, cell in enumerate(cells[1:], start=1)
        )
    if not rows:
        raise ProfileError(file, "has no row of numbers")
    hours = tuple(sorted(rows))
    return Profile(file, tuple(heading[1:]), hours, tuple(rows[hour] for hour in hours))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, stripped cells) of the lines that are not blank."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            for cells in reader:
                stripped = [cell.strip() for cell in cells]
                if any(stripped):
                    yield reader.line_num, stripped
    except FileNotFoundError:
        raise ProfileError(str(path), "does not exist") from None
    except OSError as error:
        raise ProfileError(str(path), f"cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ProfileError(str(path), f"is no CSV text: {error}") from error


def _no_name_twice(file: str, row: int, heading: Sequence[str]) -> None:
    for place, name in enumerate(heading):
        if name and name in heading[:place]:
            raise ProfileError(file, f"{name!r} is there twice", row=row, column=str(place + 1))


def _column(heading: Sequence[str], place: int) -> str:
    name = heading[place] if place < len(heading) else ""
    return f"{place + 1} ({name})" if name else str(place + 1)


def _decimal(cell: str) -> Decimal | None:
    try:
        return Decimal(cell)
    except InvalidOperation:
        return None


def _hour(file: str, row: int, cell: str, column: str) -> int:
    value = _decimal(cell)
    if value is None or not value.is_finite() or not 0 <= value <= _LIMIT_KWH:
        raise ProfileError(file, f"{cell!r} is not an hour", row=row, column=column)
    if value != value.to_integral_value():
        raise ProfileError(file, f"{cell!r} is not a whole hour", row=row, column=column)
    return int(value)


def _energy(file: str, row: int, cell: str, column: str) -> int:
    value = _decimal(cell)
    reason = ""
    if not cell:
        reason = "is empty"
    elif value is None or not value.is_finite():
        reason = f"{cell!r} is not a number"
    elif value < 0:
        reason = f"{cell} kWh is negative"
    elif value > _LIMIT_KWH:
        reason = f"{cell} kWh is more than {_LIMIT_KWH} kWh"
    if reason or value is None:
        raise ProfileError(file, reason, row=row, column=column)
    return int((value * 1000).to_integral_value(ROUND_HALF_EVEN))
