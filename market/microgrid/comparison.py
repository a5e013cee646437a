"""Our day's Tables 10 to 13, cell by cell beside the paper's.

Every table is computed for any day; printed values are there for the paper's day only.
What arithmetic can decide about the printed tables is recomputed here: the rebuilt
Table 13, and the buyers' excess that shows that Table 12 is no equilibrium.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from . import paper
from .day import DayResult
from .energy_day import EnergyDay

_PRINTED_DIGITS = 0.0051  # what the tables' two digits can hide


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of ours and the printed one, None where there is none."""

    ours: float | None
    printed: float | None

    @property
    def difference(self) -> float | None:
        """Ours minus printed."""
        if self.ours is None or self.printed is None:
            return None
        return self.ours - self.printed

    @property
    def agrees(self) -> bool | None:
        """Whether the difference is no more than printing hides; None without two numbers."""
        difference = self.difference
        return None if difference is None else abs(difference) <= _PRINTED_DIGITS


@dataclass(frozen=True, slots=True)
class Table:
    """rows: cells by hour, as many as columns; remarks: on single hours."""

    number: int
    title: str
    columns: tuple[str, ...]
    rows: Mapping[int, tuple[Cell, ...]]
    explanation: str = ""
    remarks: Mapping[int, str] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """How many cells have a printed value."""
        return sum(cell.agrees is not None for row in self.rows.values() for cell in row)

    @property
    def agreeing(self) -> int:
        """How many of those agree."""
        return sum(cell.agrees is True for row in self.rows.values() for cell in row)


def tables(day: DayResult) -> tuple[Table, ...]:
    """Tables 10 to 13 of the day."""
    scenario = day.scenario
    users = tuple(f"user{number}" for number in scenario.users)
    sellers = [number for number in scenario.users if scenario.sells(number)]
    nets = {
        hour: [energy / 1000 for energy in net]
        for hour, net in zip(scenario.hours, scenario.nets, strict=True)
    }
    totals = {hour: _totals(net) for hour, net in nets.items()}
    prices = ("price", *(f"user{number}" for number in sellers))
    return (
        _table(day, 10, users, nets),
        _table(day, 11, ("sold", "purchased", "net_output"), totals),
        _table(day, 12, prices, _priced(day, sellers)),
        _table(day, 13, users, _traded(day)),
    )


def _totals(net: Sequence[float]) -> list[float | None]:
    sold = sum(energy for energy in net if energy >= 0)
    purchased = sum(energy for energy in net if energy < 0)
    return [sold, purchased, sold + purchased]


def _priced(day: DayResult, sellers: Sequence[int]) -> dict[int, list[float | None]]:
    rows: dict[int, list[float | None]] = {}
    for result in day.hours:
        generation = day.scenario.generation[day.scenario.hours.index(result.hour)]
        loads = {
            share.unit_id: (generation[share.unit_id - 1] - share.ordered) / 1000
            for share in result.match.sellers
        }
        price = result.match.price
        rows[result.hour] = [None if price is None else price / 1e6]
        rows[result.hour] += [loads.get(number) for number in sellers]
    return rows


def _traded(day: DayResult) -> dict[int, list[float]]:
    rows: dict[int, list[float]] = {}
    for result in day.hours:
        sold = {share.unit_id: -share.traded / 1000 for share in result.match.sellers}
        bought = {share.unit_id: share.traded / 1000 for share in result.match.buyers}
        volumes = sold | bought
        rows[result.hour] = [volumes[number] for number in day.scenario.users]
    return rows


def _table(
    day: DayResult,
    number: int,
    columns: tuple[str, ...],
    ours: Mapping[int, Sequence[float | None]],
) -> Table:
    printed = paper.table(number).rows if day.scenario.is_paper else {}
    rows = {
        hour: tuple(
            Cell(value, printed[hour][place] if hour in printed else None)
            for place, value in enumerate(values)
        )
        for hour, values in ours.items()
    }
    if not day.scenario.is_paper:
        return Table(number, paper.TITLES[number], columns, rows)
    remarks = {hour: text for (table, hour), text in paper.REMARKS.items() if table == number}
    computed = {12: _excess_remarks, 13: _rebuilt_remarks}.get(number)
    if computed:
        remarks = {**computed(day.scenario), **remarks}
    explanation = paper.EXPLANATIONS[number]
    return Table(number, paper.TITLES[number], columns, rows, explanation, remarks)


@dataclass(frozen=True, slots=True)
class PrintedHour:
    """What the paper's own tables make of an hour, kWh and yuan.

    bought: per buyer by eq. (13) with its cap, from the printed loads; bill, revenue: of
    all buyers and sellers at the printed price; excess: what the printed price and loads
    cost the buyers more than p_s with the sellers' loads unmoved.
    """

    bought: dict[int, float]
    bill: float
    revenue: float
    excess: float


def printed_hours(scenario: EnergyDay) -> dict[int, PrintedHour]:
    """Recompute the paper's hours from its printed Table 12."""
    return {
        hour: _printed_hour(scenario, hour, price, loads)
        for hour, (price, *loads) in paper.table(12).rows.items()
    }


def _printed_hour(
    scenario: EnergyDay, hour: int, price: float, loads: Sequence[float]
) -> PrintedHour:
    tariff, nets = scenario.tariff, scenario.net(hour)
    generation = scenario.generation[scenario.hours.index(hour)]
    supply = sum(generation[i] / 1000 - load for i, load in enumerate(loads))
    initial = sum(net for net in nets if net >= 0) / 1000
    demands = {number: -net / 1000 for number, net in enumerate(nets, start=1) if net < 0}
    demand = sum(demands.values())

    def bill(at: float, offered: float) -> float:
        inside = min(offered, demand)
        return at * inside + tariff.buy * (demand - inside)

    inside = min(supply, demand)
    return PrintedHour(
        bought={number: inside * wanted / demand for number, wanted in demands.items()},
        bill=bill(price, supply),
        revenue=price * inside + tariff.sell * (supply - inside),
        excess=bill(price, supply) - bill(tariff.sell, initial),
    )


def _excess_remarks(scenario: EnergyDay) -> dict[int, str]:
    return {
        hour: f"no equilibrium: buyers pay {printed.excess:.3f} yuan more than at p_s"
        for hour, printed in printed_hours(scenario).items()
    }


def _rebuilt_remarks(scenario: EnergyDay) -> dict[int, str]:
    printed = paper.table(13).rows
    remarks: dict[int, str] = {}
    for hour, rebuilt in printed_hours(scenario).items():
        if hour in printed:
            off = max(abs(printed[hour][n - 1] - energy) for n, energy in rebuilt.bought.items())
            remarks[hour] = f"as Table 12; the printed purchases follow from it within {off:.3f}"
    return remarks
