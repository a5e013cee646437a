"""Generates a street of households with PV, storage, heat pump and EV; numpy only.

Shares say how many households own what.  Loads follow a weekday's two peaks, scaled to a
yearly consumption and disturbed by switching noise; PV follows weather.py; a heat pump
covers the losses of its building at a temperature-dependent COP; an EV charges from when
it comes home until it has what it drove; storage serves self-consumption.  All of it is
drawn under a seed and rounded to whole Wh.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gridloom.chaincode.energy.rules.prices import GridPrices

from .community import (
    MINUTES_PER_DAY,
    Community,
    Device,
    DeviceKind,
    EmissionFactors,
    Feeder,
    User,
    WattHours,
    prices_by_interval,
)
from .storage import self_consume
from .weather import Floats, Weather, autoregressive, draw

DEFAULT_PRICES = GridPrices(sell=80_000, buy=300_000)

_PEAKS = ((7.5, 1.2, 0.9), (12.5, 1.5, 0.5), (19.0, 2.0, 1.5))  # hour, width, height


@dataclass(frozen=True, slots=True)
class Street:
    """What to generate; pv, storage, heat_pump, ev: shares of households in [0, 1];
    prices: the grid's of each hour of a day, or one for all; first_day: of the year; minutes
    divide a day."""

    households: int = 20
    days: int = 1
    minutes: int = 15
    pv: float = 0.5
    storage: float = 0.25
    heat_pump: float = 0.25
    ev: float = 0.25
    latitude: float = 50.0
    first_day: int = 172
    prices: tuple[GridPrices, ...] = (DEFAULT_PRICES,)
    currency: str = "EUR"
    emissions: EmissionFactors = field(default_factory=EmissionFactors)


def generate(street: Street, rng: np.random.Generator) -> Community:
    """The community, drawn from rng alone."""
    n, intervals = street.households, street.days * MINUTES_PER_DAY // street.minutes
    weather = draw(intervals, street.minutes, street.latitude, street.first_day, rng)
    hours = (np.arange(intervals) + 0.5) * street.minutes / 60
    owns = {name: _owners(n, getattr(street, name), rng) for name in _DEVICES}
    pv_kw = np.where(owns["pv"], np.round(rng.uniform(3, 10, n), 1), 0.0)
    battery_kwh = np.where(owns["storage"], np.round(rng.uniform(5, 12, n), 1), 0.0)
    heat_kw = np.where(owns["heat_pump"], np.round(rng.uniform(2, 5, n), 1), 0.0)
    ev_kw = np.where(owns["ev"], rng.choice([3.7, 11.0], n), 0.0)
    load_kw = base_load(hours % 24, n, street.minutes, rng)
    load_kw += heat_pumps(weather, heat_kw, rng) + evs(hours, street, ev_kw, rng)
    generation = _energy(photovoltaics(weather, pv_kw, street.minutes, rng), street.minutes)
    load = _energy(load_kw, street.minutes)
    capacity, power = _whole(battery_kwh * 1000), _whole(battery_kwh * 500)
    battery = self_consume(generation - load, capacity, power, street.minutes)
    return Community(
        users=tuple(
            User(
                f"household{i + 1}",
                _devices(pv_kw[i], battery_kwh[i], heat_kw[i], ev_kw[i]),
                bus=i,
            )
            for i in range(n)
        ),
        load=load + battery.charge,
        generation=generation + battery.discharge,
        prices=prices_by_interval(street.prices, intervals, street.minutes),
        minutes=street.minutes,
        currency=street.currency,
        emissions=street.emissions,
        feeder=Feeder(),
    )


def base_load(hour: Floats, households: int, minutes: int, rng: np.random.Generator) -> Floats:
    """Lights and appliances, kW by interval and household; 1,500 to 5,500 kWh a year."""
    yearly = np.clip(rng.lognormal(np.log(3000), 0.35, households), 1500, 5500)
    habits = rng.normal(0, 1.0, households)  # hours earlier or later than the neighbours
    shifted = _weekday((hour[:, None] - habits) % 24) / _weekday(np.arange(24.0)).mean()
    noise = autoregressive(len(hour), households, float(np.exp(-minutes / 30)), rng)
    return np.asarray(yearly / 8760 * shifted * np.exp(0.45 * noise - 0.1), dtype=np.float64)


def _weekday(hour: Floats) -> Floats:
    """Relative load at hours of the day: a base and bells around the peaks."""
    shape = np.full_like(hour, 0.35)
    for at, width, height in _PEAKS:
        shape += height * np.exp(-(((hour - at) / width) ** 2) / 2)
    return shape


def photovoltaics(
    weather: Weather, peak_kw: Floats, minutes: int, rng: np.random.Generator
) -> Floats:
    """PV output, kW by interval and household; 85 % of what the sun gives at the module."""
    passing = autoregressive(len(weather.sun), len(peak_kw), float(np.exp(-minutes / 20)), rng)
    local = np.clip(1 + 0.12 * passing, 0.4, 1.2)
    orientation = rng.uniform(0.85, 1.0, len(peak_kw))
    return np.asarray(0.85 * weather.sun[:, None] * local * orientation * peak_kw)


def heat_pumps(weather: Weather, rated_kw: Floats, rng: np.random.Generator) -> Floats:
    """Heat pumps' electricity, kW: losses to 16 degrees outside, COP falling with the cold."""
    loss = rng.uniform(0.12, 0.25, len(rated_kw))  # kW of heat for a kelvin
    need = np.maximum(16.0 - weather.celsius, 0.0)[:, None] * loss + 0.25  # hot water
    cop = np.clip(2.5 + 0.08 * weather.celsius, 1.8, 4.8)[:, None]
    return np.asarray(np.minimum(need / cop, rated_kw))


def evs(hours: Floats, street: Street, rated_kw: Floats, rng: np.random.Generator) -> Floats:
    """EVs' charging, kW: from coming home in the evening until the day's drive is made up."""
    charging = np.zeros((len(hours), street.households))
    step = street.minutes / 60
    for day in range(street.days):
        home = 24 * day + np.clip(rng.normal(18, 1.5, street.households), 14, 22)
        needed = np.clip(rng.lognormal(np.log(7), 0.5, street.households), 1, 30)
        for row in range(len(hours)):
            power = np.where(hours[row] >= home, np.minimum(rated_kw, needed / step), 0.0)
            charging[row] += power
            needed = needed - power * step
    return np.minimum(charging, rated_kw)


_DEVICES = ("pv", "storage", "heat_pump", "ev")


def _owners(households: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Which households own something: exactly the share, rounded, of them."""
    owners = np.zeros(households, dtype=bool)
    owners[rng.permutation(households)[: round(share * households)]] = True
    return owners


def _devices(pv: float, battery: float, heat_pump: float, ev: float) -> tuple[Device, ...]:
    rated = (
        Device(DeviceKind.PV, round(pv * 1000)),
        Device(DeviceKind.STORAGE, round(battery * 500), round(battery * 1000)),
        Device(DeviceKind.HEAT_PUMP, round(heat_pump * 1000)),
        Device(DeviceKind.EV, round(ev * 1000)),
    )
    return tuple(device for device in rated if device.power)


def _energy(kilowatts: Floats, minutes: int) -> WattHours:
    return _whole(kilowatts * 1000 * minutes / 60)


def _whole(values: Floats) -> WattHours:
    return np.rint(values).astype(np.int64)
