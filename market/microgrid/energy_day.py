"""A market day before it is traded: hours, users, energy and the grid's prices.

Energy is in Wh and prices are in micro-yuan per kWh, as on the ledger; the pricing model
gets the same numbers in kWh and yuan.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from gridloom.chaincode.energy.roles import CAPACITY_ATTRIBUTE, ROLE_ATTRIBUTE
from gridloom.chaincode.energy.rules.prices import GridPrices

from ..tariff import Tariff
from .period import Period
from .profiles import FORECAST_FILE, read_profiles

PAPER_GRID = GridPrices(sell=770_000, buy=850_000)


@dataclass(frozen=True, slots=True)
class EnergyDay:
    """load, generation: Wh by hour and user, rows in order of hours; the users' numbers
    start at 1.  delivered: what is generated in the end where generation is a forecast.
    is_paper: whether the day is the paper's, so that its tables compare."""

    hours: tuple[int, ...]
    load: tuple[tuple[int, ...], ...]
    generation: tuple[tuple[int, ...], ...]
    grid: GridPrices = PAPER_GRID
    is_paper: bool = False
    delivered: tuple[tuple[int, ...], ...] | None = None

    @property
    def users(self) -> tuple[int, ...]:
        """The users' numbers."""
        return tuple(range(1, len(self.load[0]) + 1))

    @property
    def tariff(self) -> Tariff:
        """The grid's prices in yuan per kWh."""
        return Tariff(self.grid.sell / 1e6, self.grid.buy / 1e6)

    def net(self, hour: int) -> tuple[int, ...]:
        """Net output of every user in an hour, Wh (eq. 5)."""
        return self.nets[self.hours.index(hour)]

    @property
    def nets(self) -> tuple[tuple[int, ...], ...]:
        """Net output by hour and user, Wh."""
        return tuple(
            tuple(g - e for g, e in zip(generation, load, strict=True))
            for generation, load in zip(self.generation, self.load, strict=True)
        )

    def metered(self, hour: int, user: int, offered: int) -> int:
        """What a seller who offered that much (Wh) really feeds in: his forecast's error is
        in it, his load is what he planned."""
        if self.delivered is None:
            return offered
        row = self.hours.index(hour)
        error = self.delivered[row][user - 1] - self.generation[row][user - 1]
        return max(offered + error, 0)

    def sells(self, user: int) -> bool:
        """Whether the user is a seller in some hour."""
        return any(net[user - 1] >= 0 for net in self.nets)

    def buys(self, user: int) -> bool:
        """Whether the user is a buyer in some hour."""
        return any(net[user - 1] < 0 for net in self.nets)

    def role_attribute(self, user: int) -> str:
        """What the user's certificate must carry as gridloom.role: BU, SU or BU,SU."""
        roles = (("BU", self.buys(user)), ("SU", self.sells(user)))
        return ",".join(role for role, plays in roles if plays)

    def capacity(self, user: int) -> int:
        """The user's installed capacity, W: the most he generates within an hour."""
        return max(row[user - 1] for row in self.generation)

    def attributes(self, user: int) -> dict[str, str]:
        """What the CA must write into the user's certificate: his roles and his capacity."""
        return {
            ROLE_ATTRIBUTE: self.role_attribute(user),
            CAPACITY_ATTRIBUTE: str(self.capacity(user)),
        }

    def period(self, hour: int) -> Period:
        """The hour as the pricing model sees it."""
        row = self.hours.index(hour)
        return Period(
            tuple(energy / 1000 for energy in self.generation[row]),
            tuple(energy / 1000 for energy in self.load[row]),
            self.tariff,
        )


def paper_day() -> EnergyDay:
    """Tables 8 and 9 of paper 003: five users, hours 7 to 18."""
    with resources.as_file(resources.files("gridloom.market.microgrid") / "data") as directory:
        scenario = read_day(directory)
    return EnergyDay(scenario.hours, scenario.load, scenario.generation, is_paper=True)


def read_day(directory: Path, grid: GridPrices = PAPER_GRID) -> EnergyDay:
    """The day in a folder's load.csv and generation.csv; ProfileError.

    If there is a forecast.csv, orders are made of it and generation.csv is what came.
    """
    load, generation = read_profiles(directory)
    if not (directory / FORECAST_FILE).exists():
        return EnergyDay(load.hours, load.energy, generation.energy, grid)
    _, forecast = read_profiles(directory, FORECAST_FILE)
    return EnergyDay(load.hours, load.energy, forecast.energy, grid, delivered=generation.energy)
