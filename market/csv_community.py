"""A community from the user's own CSV files; every fault is named by file, row and column.

A folder with:

    load.csv        first column the time, then one column for each user
    generation.csv  the same, of the users who generate; may be missing
    users.csv       optional: name,bus,pv_kw,storage_kwh,storage_kw,heat_pump_kw,ev_kw
    prices.csv      optional: time,sell,buy in currency per kWh; else the scenario's

Times are ISO 8601 (2026-07-01T00:15) or running numbers; they must be equidistant, none
missing.  A heading may name its unit, `alice (kWh)`, of Wh, kWh, W and kW; without one
the scenario's unit counts.  Names in generation.csv and users.csv must occur in load.csv.
Energies become whole Wh, rounded half to even.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import numpy as np

from gridloom.chaincode.energy.rules.prices import GridPrices

from .community import (
    Community,
    Device,
    DeviceKind,
    EmissionFactors,
    User,
    WattHours,
    prices_by_interval,
)
from .csv_table import CsvTable, number, read_table
from .errors import ProfileError

UNITS: Mapping[str, tuple[int, bool]] = {
    "Wh": (1, False),
    "kWh": (1000, False),
    "W": (1, True),
    "kW": (1000, True),
}
"""Factor to Wh or W, and whether it is power."""

_LIMIT_W = 1_000_000  # of one user: beyond it a unit is wrong
_NAMED = re.compile(r"^(?P<name>.*?)\s*[(\[]\s*(?P<unit>[^)\]]*)\s*[)\]]$")
_DEVICES = {
    "pv_kw": DeviceKind.PV,
    "storage_kwh": DeviceKind.STORAGE,
    "heat_pump_kw": DeviceKind.HEAT_PUMP,
    "ev_kw": DeviceKind.EV,
}
_COLUMNS = frozenset({"name", "bus", "storage_kw", *_DEVICES})


@dataclass(frozen=True, slots=True)
class CsvSettings:
    """prices: the grid's of each hour of a day, or one for all, where there is no prices.csv
    (intervals count from midnight then); unit: of headings that name none; minutes: of an
    interval where times are numbers."""

    prices: tuple[GridPrices, ...]
    unit: str = "kWh"
    minutes: int = 60
    currency: str = "EUR"
    emissions: EmissionFactors = field(default_factory=EmissionFactors)


def read_community(folder: Path, settings: CsvSettings) -> Community:
    """The community of a folder; ProfileError names the first fault's place."""
    load_table = read_table(folder / "load.csv")
    times, minutes = load_table.times(settings.minutes)
    names, load = _energies(load_table, settings.unit, minutes)
    generation = np.zeros_like(load)
    if (folder / "generation.csv").exists():
        table = read_table(folder / "generation.csv")
        _same_times(table, table.times(settings.minutes)[0], load_table, times)
        own, energies = _energies(table, settings.unit, minutes)
        generation[:, _places(table, own, names)] = energies
    users = tuple(User(name, bus=place) for place, name in enumerate(names))
    if (folder / "users.csv").exists():
        users = _users(read_table(folder / "users.csv"), names)
    prices = prices_by_interval(settings.prices, len(times), minutes)
    if (folder / "prices.csv").exists():
        table = read_table(folder / "prices.csv")
        _same_times(table, table.times(settings.minutes)[0], load_table, times)
        prices = _prices(table)
    return Community(
        users, load, generation, prices, minutes, settings.currency, settings.emissions
    )


def _energies(table: CsvTable, unit: str, minutes: int) -> tuple[tuple[str, ...], WattHours]:
    """Names of the columns, and their energies, Wh."""
    names: list[str] = []
    factors: list[Decimal] = []
    units: list[str] = []
    for place, heading in enumerate(table.heading[1:], start=1):
        named = _NAMED.match(heading)
        name, own = (named["name"], named["unit"]) if named else (heading, unit)
        if own not in UNITS:
            reason = f"unit {own!r} is none of {', '.join(UNITS)}"
            table.fail(reason, row=table.heading_row, place=place)
        if not name:
            table.fail("has no name", row=table.heading_row, place=place)
        if name in names:
            table.fail(f"{name!r} is there twice", row=table.heading_row, place=place)
        factor, power = UNITS[own]
        names.append(name)
        units.append(own)
        factors.append(Decimal(factor) * minutes / 60 if power else Decimal(factor))
    if not names:
        table.fail("has no column after the time", row=table.heading_row)
    most = Decimal(_LIMIT_W) * minutes / 60
    rows = []
    for row, cells in table.rows:
        energies = []
        for place, cell in enumerate(cells[1:], start=1):
            value = number(table, row, place, cell, low=0)
            energy = value * factors[place - 1]
            if energy > most:
                reason = (
                    f"{cell} {units[place - 1]} in {minutes} minutes is more than one user's "
                    f"{_LIMIT_W // 1000} kW: is the unit right?"
                )
                table.fail(reason, row=row, place=place)
            energies.append(int(energy.to_integral_value(ROUND_HALF_EVEN)))
        rows.append(energies)
    return tuple(names), np.asarray(rows, dtype=np.int64)


def _places(table: CsvTable, own: Sequence[str], names: Sequence[str]) -> list[int]:
    for place, name in enumerate(own, start=1):
        if name not in names:
            table.fail(f"{name!r} is not in load.csv", row=table.heading_row, place=place)
    return [names.index(name) for name in own]


def _same_times(
    table: CsvTable, times: Sequence[str], other: CsvTable, wanted: Sequence[str]
) -> None:
    if list(times) != list(wanted):
        for mine, theirs in zip(times, wanted, strict=False):
            if mine != theirs:
                reason = f"has {mine} where {other.file} has {theirs}"
                raise ProfileError(table.file, reason)
        reason = f"has {len(times)} intervals, {other.file} has {len(wanted)}"
        raise ProfileError(table.file, reason)


def _prices(table: CsvTable) -> tuple[GridPrices, ...]:
    columns = [table.column(name) for name in ("sell", "buy")]
    prices = []
    for row, cells in table.rows:
        sell, buy = (
            int((number(table, row, place, cells[place], low=0) * 1_000_000).to_integral_value())
            for place in columns
        )
        if not 0 < sell < buy:
            table.fail("0 < sell < buy does not hold", row=row, place=columns[0])
        prices.append(GridPrices(sell, buy))
    return tuple(prices)


def _users(table: CsvTable, names: Sequence[str]) -> tuple[User, ...]:
    for place, heading in enumerate(table.heading):
        if heading not in _COLUMNS:
            reason = f"{heading!r} is none of {', '.join(sorted(_COLUMNS))}"
            table.fail(reason, row=table.heading_row, place=place)
    name_place = table.column("name")
    described: dict[str, User] = {}
    for row, cells in table.rows:
        name = cells[name_place]
        if name not in names:
            table.fail(f"{name!r} is not in load.csv", row=row, place=name_place)
        if name in described:
            table.fail(f"{name!r} is there twice", row=row, place=name_place)
        described[name] = _user(table, row, cells, name, names.index(name))
    return tuple(described.get(name, User(name, bus=i)) for i, name in enumerate(names))


def _user(table: CsvTable, row: int, cells: Sequence[str], name: str, default_bus: int) -> User:
    values: dict[str, int] = {}
    for place, heading in enumerate(table.heading):
        if heading != "name" and cells[place]:
            scale = 1 if heading == "bus" else 1000
            values[heading] = round(number(table, row, place, cells[place], low=0) * scale)
    devices = []
    for heading, kind in _DEVICES.items():
        rated = values.get(heading, 0)
        if rated and kind is DeviceKind.STORAGE:
            devices.append(Device(kind, values.get("storage_kw", rated // 2), rated))
        elif rated:
            devices.append(Device(kind, rated))
    return User(name, tuple(devices), values.get("bus", default_bus))
