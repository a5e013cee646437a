"""An archive of purchases none of which beats another, spread along the front.

Less cost and more quantity are better.  (Paper 004, section 3.2: the non-inferior solution
set; Fabric counterpart: none.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .offers import Floats, Values


class Archive(NamedTuple):
    """Purchases of shape (members, suppliers), cheapest first, with their values."""

    purchases: Floats
    values: Values

    def __len__(self) -> int:
        return len(self.purchases)


def non_dominated(purchases: Floats, values: Values) -> Archive:
    """Those that no other one beats: cheapest first, so both cost and quantity rise."""
    order = np.lexsort((-values.quantity, values.cost))
    quantity = values.quantity[order]
    beaten = np.maximum.accumulate(quantity)
    keep = order[np.concatenate([[True], quantity[1:] > beaten[:-1]])]
    return Archive(purchases[keep], Values(values.cost[keep], values.quantity[keep]))


def thin(archive: Archive, size: int) -> Archive:
    """At most size members, spread evenly along the front; both ends stay."""
    if len(archive) <= size:
        return archive
    cost, quantity = archive.values
    spans = (max(float(np.ptp(own)), 1e-300) for own in archive.values)
    steps = [np.diff(own) / span for own, span in zip(archive.values, spans, strict=True)]
    along = np.concatenate([[0.0], np.cumsum(steps[0] + steps[1])])
    wanted = np.linspace(0.0, along[-1], size)
    keep = np.unique(_closest(along, wanted))
    return Archive(archive.purchases[keep], Values(cost[keep], quantity[keep]))


def _closest(rising: Floats, wanted: Floats) -> npt.NDArray[np.int64]:
    """For each wanted value the position of the closest one."""
    right = np.clip(np.searchsorted(rising, wanted), 1, len(rising) - 1)
    left_is_closer = wanted - rising[right - 1] <= rising[right] - wanted
    return np.where(left_is_closer, right - 1, right).astype(np.int64)
