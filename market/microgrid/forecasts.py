"""What sellers expect of their panels an hour ahead, beside what these then deliver.

`persistence` is a real forecast, not noise: an hour's output is foretold as the last
hour's, scaled by how the clear sky changes between them ("smart persistence", the usual
baseline; Pedro and Coimbra, Solar Energy 86, 2012).  `noisy` errs by a normal factor of
a stated deviation.  Orders are made of the forecast, meters show the day itself.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..weather import clear_sky
from .energy_day import EnergyDay

TAIYUAN, FIRST_OF_JULY = 37.9, 182  # latitude and day of the paper's data
_LEAST_SUN = 0.05  # kW/m2: below, a ratio of clear skies means nothing


def persistence(
    day: EnergyDay, *, latitude: float = TAIYUAN, day_of_year: int = FIRST_OF_JULY
) -> EnergyDay:
    """The day as foretold from hour to hour; its first hour is foretold as it comes."""
    hours = np.asarray(day.hours, dtype=np.float64) + 0.5
    sky = np.maximum(clear_sky(latitude, np.full_like(hours, day_of_year), hours), _LEAST_SUN)
    foretold = [day.generation[0]]
    for row in range(1, len(day.hours)):
        ratio = float(sky[row] / sky[row - 1])
        foretold.append(tuple(round(energy * ratio) for energy in day.generation[row - 1]))
    return _expected(day, foretold)


def noisy(day: EnergyDay, deviation: float, rng: np.random.Generator) -> EnergyDay:
    """The day as foretold with a relative error of that standard deviation."""
    actual = np.asarray(day.generation, dtype=np.float64)
    factors = np.maximum(1 + deviation * rng.standard_normal(actual.shape), 0.0)
    return _expected(day, [tuple(row) for row in np.rint(actual * factors).astype(int).tolist()])


def _expected(day: EnergyDay, foretold: list[tuple[int, ...]]) -> EnergyDay:
    return replace(day, generation=tuple(foretold), delivered=day.generation, is_paper=False)
