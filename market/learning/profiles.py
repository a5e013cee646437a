"""A synthetic day for the learning market: what is expected at each stage, and what comes.

The paper's series are in figures only; it names 800 kW of photovoltaics, 800 kW of wind, a
company with a load of its own and two users.  This day has the same plant under generated
weather [X]: a clear-sky bell, wind as a mean-reverting walk, loads with a morning and an evening
peak.  Forecasts err by a share that shrinks from stage to stage.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridloom.chaincode.energy.learning.stages import Forecast, Stage

from ..ants.colony import Floats

HOURS = 24
_DAYLIGHT = (6.0, 18.0)


@dataclass(frozen=True, slots=True)
class Plant:
    """Rated power and mean loads, kW; errors: relative standard deviation of the forecasts."""

    pv: float = 800.0
    wind: float = 800.0
    company_load: float = 250.0
    user_loads: tuple[float, ...] = (180.0, 220.0)
    day_ahead_error: float = 0.15
    intraday_error: float = 0.06


@dataclass(frozen=True, slots=True)
class HourData:
    """One hour: what each stage knows, Wh; users: every user's demand in each stage."""

    hour: int
    known: dict[Stage, Forecast]
    users: dict[Stage, tuple[int, ...]]

    @property
    def actual(self) -> Forecast:
        """What comes."""
        return self.known[Stage.REAL_TIME]


def synthetic_day(plant: Plant, rng: np.random.Generator) -> tuple[HourData, ...]:
    """The day's 24 hours; the same rng state, the same day."""
    hours: Floats = np.arange(HOURS, dtype=np.float64) + 0.5
    generation = plant.pv * _sunshine(hours, rng) + plant.wind * _wind(rng)
    load = plant.company_load * _load_shape(hours, rng)
    users = np.stack([own * _load_shape(hours, rng) for own in plant.user_loads], axis=1)
    errors = {
        Stage.DAY_AHEAD: plant.day_ahead_error,
        Stage.INTRADAY: plant.intraday_error,
        Stage.REAL_TIME: 0.0,
    }
    seen = {
        stage: tuple(_blurred(series, error, rng) for series in (generation, load, users))
        for stage, error in errors.items()
    }
    return tuple(_hour(hour, seen) for hour in range(HOURS))


def _hour(hour: int, seen: dict[Stage, tuple[Floats, ...]]) -> HourData:
    known, users = {}, {}
    for stage, (generation, load, demands) in seen.items():
        own = tuple(round(float(kwh) * 1_000) for kwh in demands[hour])
        made, used = (round(float(series[hour]) * 1_000) for series in (generation, load))
        known[stage] = Forecast(made, used, sum(own))
        users[stage] = own
    return HourData(hour, known, users)


def _blurred(series: Floats, error: float, rng: np.random.Generator) -> Floats:
    factors = 1 + error * rng.standard_normal(series.shape)
    return np.maximum(series * factors, 0.0)


def _sunshine(hours: Floats, rng: np.random.Generator) -> Floats:
    """Share of rated power: a bell over the day, dimmed by clouds."""
    start, end = _DAYLIGHT
    height = np.sin(np.pi * np.clip((hours - start) / (end - start), 0, 1))
    clouds = rng.uniform(0.75, 1.0, hours.shape)
    return np.asarray(0.85 * height**1.5 * clouds)


def _wind(rng: np.random.Generator) -> Floats:
    """Share of rated power: a walk that returns to its mean."""
    level, course = 0.3, []
    for shock in rng.standard_normal(HOURS):
        level = float(np.clip(level + 0.3 * (0.3 - level) + 0.08 * shock, 0.02, 0.95))
        course.append(level)
    return np.asarray(course)


def _load_shape(hours: Floats, rng: np.random.Generator) -> Floats:
    """Around 1: low at night, a peak at noon and a larger one in the evening."""
    noon = 0.45 * np.exp(-(((hours - 12) / 2.5) ** 2))
    evening = 0.6 * np.exp(-(((hours - 19) / 2.5) ** 2))
    return np.asarray((0.7 + noon + evening) * rng.uniform(0.95, 1.05, hours.shape))
