"""A community: users with devices, their energy interval by interval, tariff and feeder.

Energy is in whole Wh and money in micro-units of `currency`, as on the ledger, so that a
community can be traded there as it is.  Profiles are numpy arrays of int64 of shape
(intervals, users).  Where communities come from: households (generated) and csv_community
(the user's own files); paper 003's is microgrid.energy_day.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from gridloom.chaincode.energy.auction_grid import SessionGrid
from gridloom.chaincode.energy.rules.feeder import Section
from gridloom.chaincode.energy.rules.prices import GridPrices

from .errors import CommunityError

WattHours = npt.NDArray[np.int64]

MINUTES_PER_DAY = 24 * 60


class DeviceKind(StrEnum):
    """What a device is."""

    LOAD = "load"
    PV = "pv"
    WIND = "wind"
    STORAGE = "storage"
    HEAT_PUMP = "heat_pump"
    EV = "ev"
    PLANT = "plant"


@dataclass(frozen=True, slots=True)
class Device:
    """power: rated W, > 0; energy: capacity in Wh, of storage and EVs, else 0."""

    kind: DeviceKind
    power: int
    energy: int = 0

    def __post_init__(self) -> None:
        if self.power < 0 or self.energy < 0:
            capacity = min(self.power, self.energy)
            raise CommunityError(f"device {self.kind.value}", f"capacity {capacity} is negative")


@dataclass(frozen=True, slots=True)
class User:
    """A member under its name; bus: where on the feeder."""

    name: str
    devices: tuple[Device, ...] = ()
    bus: int = 0

    def has(self, kind: DeviceKind) -> bool:
        """Whether the user owns such a device."""
        return any(device.kind is kind for device in self.devices)


@dataclass(frozen=True, slots=True)
class EmissionFactors:
    """g CO2 per kWh; the defaults are the sources' round figures.

    grid: average mix (EEA, EU 2022: 251); local: PV over its life (IPCC AR5, Annex III,
    median rooftop: 41).
    """

    grid: float = 251.0
    local: float = 41.0


@dataclass(frozen=True, slots=True)
class Feeder:
    """Sections of a radial network, or a network whose power flow is solved; without any
    there are no limits."""

    sections: tuple[Section, ...] = ()
    network: SessionGrid | None = None


def prices_by_interval(
    hourly: Sequence[GridPrices], intervals: int, minutes: int
) -> tuple[GridPrices, ...]:
    """The grid's prices of intervals from midnight on; hourly: one of a day's hours each, or
    a single one for all of them."""
    return tuple(hourly[row * minutes // 60 % len(hourly)] for row in range(intervals))


@dataclass(frozen=True, eq=False, slots=True)
class Community:
    """load, generation: Wh by interval and user, >= 0, after the users' own storage;
    prices: the grid's, one for each interval; minutes: length of an interval.

    CommunityError if the shapes disagree, an energy is negative or a name is there twice.
    """

    users: tuple[User, ...]
    load: WattHours
    generation: WattHours
    prices: tuple[GridPrices, ...]
    minutes: int = 15
    currency: str = "EUR"
    emissions: EmissionFactors = field(default_factory=EmissionFactors)
    feeder: Feeder = field(default_factory=Feeder)

    def __post_init__(self) -> None:
        shape = (len(self.prices), len(self.users))
        for name, energy in (("load", self.load), ("generation", self.generation)):
            if energy.shape != shape:
                raise CommunityError(name, f"has shape {energy.shape}, not {shape}")
            if (energy < 0).any():
                row, column = np.argwhere(energy < 0)[0]
                place = f"{name} of {self.users[column].name}, interval {row}"
                raise CommunityError(place, f"{energy[row, column]} Wh is negative")
        seen: set[str] = set()
        for user in self.users:
            if user.name in seen:
                raise CommunityError("users", f"{user.name!r} is there twice")
            seen.add(user.name)

    @property
    def names(self) -> tuple[str, ...]:
        """The users' names in order."""
        return tuple(user.name for user in self.users)

    @property
    def intervals(self) -> int:
        """How many."""
        return len(self.prices)

    @property
    def net(self) -> WattHours:
        """Generation minus load, Wh: positive fed in, negative taken."""
        return self.generation - self.load
