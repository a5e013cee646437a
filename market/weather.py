"""A synthetic day's sun and temperature, enough for households' generators; numpy only.

Declination after Cooper (Solar Energy 12, 1969), clear-sky irradiance after Haurwitz (J.
Meteorology 2, 1945); clouds are a first-order autoregressive transmission that all users
of a street share.  The temperature is a yearly and a daily cosine with noise from day to
day.  Times are solar.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Weather:
    """By interval: sun, the share of 1 kW/m2 that reaches a horizontal surface; celsius,
    the outside temperature."""

    sun: Floats
    celsius: Floats


def clear_sky(latitude: float, day_of_year: Floats, hour: Floats) -> Floats:
    """Clear-sky irradiance on a horizontal surface, kW/m2, at solar hours of days."""
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + day_of_year) / 365)
    phi, angle = np.radians(latitude), np.radians(15.0) * (hour - 12)
    height = np.sin(phi) * np.sin(declination)
    height = np.maximum(height + np.cos(phi) * np.cos(declination) * np.cos(angle), 0.0)
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(height > 0, 1.098 * height * np.exp(-0.057 / height), 0.0)


def draw(
    intervals: int, minutes: int, latitude: float, first_day: int, rng: np.random.Generator
) -> Weather:
    """The weather of consecutive intervals from midnight of first_day (1 to 365)."""
    hours = (np.arange(intervals) + 0.5) * minutes / 60
    day, hour = first_day + hours // 24, hours % 24
    keep = np.exp(-minutes / 90)  # clouds stay for about an hour and a half
    clouds = autoregressive(intervals, 1, keep, rng)[:, 0]
    mean = rng.normal(0.2, 0.5, intervals * minutes // (24 * 60) + 1)[(hours // 24).astype(int)]
    transmission = 1 / (1 + np.exp(-(1.2 + 1.5 * mean + 0.9 * clouds)))
    yearly = 10.0 - 9.5 * np.cos(2 * np.pi * (day - 20) / 365)
    celsius = yearly - 4.0 * np.cos(2 * np.pi * (hour - 3) / 24) + 3.0 * mean
    return Weather(clear_sky(latitude, day, hour) * transmission, celsius)


def autoregressive(intervals: int, columns: int, keep: float, rng: np.random.Generator) -> Floats:
    """Stationary first-order noise of unit variance, one series in each column."""
    noise = rng.standard_normal((intervals, columns))
    noise[1:] *= np.sqrt(1 - keep**2)
    for row in range(1, intervals):
        noise[row] += keep * noise[row - 1]
    return noise
