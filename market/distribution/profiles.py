"""Six suppliers and five users over 24 hours.

Paper 004, section 4: the large grid with 250 MW, two photovoltaic and three wind power plants,
five users; prices fall as new energy rises.  Its series exist as figures only, so the weather,
loads and the price rule are generated [X]: a renewable supplier asks its base price times
1 + elasticity (demand / supply - 1), kept between 0.7 and 1.3.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridloom.chaincode.energy.distribution.purchases import SupplierOffer, UserDemand

HOURS = 24
Floats = npt.NDArray[np.float64]

GRID, PV, WIND = "grid", "pv", "wind"


@dataclass(frozen=True, slots=True)
class Supplier:
    """name begins with what it is; power in MW; price, transmission in yuan per kWh."""

    name: str
    power: float
    price: float
    transmission: float

    @property
    def is_renewable(self) -> bool:
        """Whether the weather decides what it can sell."""
        return not self.name.startswith(GRID)


SUPPLIERS = (
    Supplier("grid", 250.0, 0.42, 0.05),
    Supplier("pv1", 140.0, 0.36, 0.04),
    Supplier("pv2", 110.0, 0.37, 0.05),
    Supplier("wind1", 120.0, 0.33, 0.06),
    Supplier("wind2", 90.0, 0.34, 0.06),
    Supplier("wind3", 80.0, 0.35, 0.07),
)
USERS = (135.0, 115.0, 95.0, 75.0, 55.0)
"""Mean loads, MW."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the day is made of."""

    suppliers: tuple[Supplier, ...] = SUPPLIERS
    users: tuple[float, ...] = USERS
    elasticity: float = 0.5


@dataclass(frozen=True, slots=True)
class HourData:
    """An hour in the ledger's units, suppliers and users in order of their names."""

    hour: int
    offers: tuple[SupplierOffer, ...]
    demands: tuple[UserDemand, ...]

    @property
    def demand(self) -> int:
        """Wh."""
        return sum(demand.energy for demand in self.demands)


def synthetic_day(setting: Setting, rng: np.random.Generator) -> tuple[HourData, ...]:
    """The 24 hours; the same rng state, the same day."""
    hours: Floats = np.arange(HOURS, dtype=np.float64) + 0.5
    capacity = [_capacity(supplier, hours, rng) for supplier in setting.suppliers]
    users = [mean * _load_shape(hours, rng) for mean in setting.users]
    scarcity = np.sum(users, axis=0) / np.maximum(np.sum(capacity, axis=0), 1e-9)
    factor = np.clip(1 + setting.elasticity * (scarcity - 1), 0.7, 1.3)
    return tuple(
        HourData(
            hour,
            tuple(
                _offer(hour, supplier, float(own[hour]), float(factor[hour]))
                for supplier, own in sorted(
                    zip(setting.suppliers, capacity, strict=True), key=lambda pair: pair[0].name
                )
            ),
            tuple(
                UserDemand(hour, f"user{number}", round(float(own[hour]) * 1e6))
                for number, own in enumerate(users, start=1)
            ),
        )
        for hour in range(HOURS)
    )


def _offer(hour: int, supplier: Supplier, capacity: float, factor: float) -> SupplierOffer:
    price = supplier.price * (factor if supplier.is_renewable else 1.0)
    transmission = round(supplier.transmission * 1e6)
    return SupplierOffer(
        hour, supplier.name, round(price * 1e6), transmission, round(capacity * 1e6)
    )


def _capacity(supplier: Supplier, hours: Floats, rng: np.random.Generator) -> Floats:
    """MWh that the supplier can sell in each hour."""
    if supplier.name.startswith(PV):
        height = np.sin(np.pi * np.clip((hours - 6) / 12, 0, 1))
        return np.asarray(supplier.power * height**1.4 * rng.uniform(0.6, 1.0, hours.shape))
    if supplier.name.startswith(WIND):
        level, course = 0.45, []
        for shock in rng.standard_normal(HOURS):
            level = float(np.clip(level + 0.35 * (0.45 - level) + 0.12 * shock, 0.03, 1.0))
            course.append(level)
        return supplier.power * np.asarray(course)
    return np.full(HOURS, supplier.power)


def _load_shape(hours: Floats, rng: np.random.Generator) -> Floats:
    """Around 1: low at night, rising after seven, peaks before noon and in the evening."""
    morning = 0.35 * np.exp(-(((hours - 10.5) / 3) ** 2))
    evening = 0.4 * np.exp(-(((hours - 19) / 2.5) ** 2))
    return np.asarray((0.7 + morning + evening) * rng.uniform(0.96, 1.04, hours.shape))
