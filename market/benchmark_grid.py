"""A low-voltage benchmark grid as a community, with its profiles and its lines' limits.

`read_simbench` takes one of SimBench's grids (Meinecke et al., Energies 13, 2020; data
under ODbL) from the package simbench, which the extra `market` brings; it is imported
here only, for it takes seconds and half a gigabyte.  Every load becomes a user; panels
and batteries belong to the first load of their bus, or to a user of their own.
(Fabric counterpart: none.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gridloom.chaincode.energy.rules.feeder import Section
from gridloom.chaincode.energy.rules.prices import GridPrices

from .community import (
    Community,
    Device,
    DeviceKind,
    EmissionFactors,
    Feeder,
    User,
    prices_by_interval,
)
from .errors import CommunityError

_MINUTES = 15
_PER_DAY = 96
_MW = 1e6


class Branch(NamedTuple):
    """A line or transformer between two buses; limit: W."""

    name: str
    ends: tuple[int, int]
    limit: int


class Plant(NamedTuple):
    """Something at a bus; power: MW by interval, taken (loads, charging) or, of panels, fed in."""

    name: str
    bus: int
    power: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class BenchmarkGrid:
    """root: the bus behind which the grid lies, on the upper side of the transformer."""

    root: int
    branches: tuple[Branch, ...]
    loads: tuple[Plant, ...]
    panels: tuple[Plant, ...]
    batteries: tuple[Plant, ...]


def read_simbench(code: str, first_day: int, days: int) -> BenchmarkGrid:
    """The grid of a SimBench code, such as 1-LV-rural1--2-sw, on days of its year.

    CommunityError if the package is not there, the code is unknown, or it has no one
    transformer to a low-voltage grid.
    """
    try:
        simbench: Any = import_module("simbench")
    except ImportError as error:
        reason = f"needs the package simbench: pip install 'gridloom[market]' ({error})"
        raise CommunityError("simbench", reason) from error
    if code not in simbench.collect_all_simbench_codes(all_data=False) or "-LV-" not in code:
        raise CommunityError("simbench", f"{code!r} is no code of a low-voltage grid")
    net = simbench.get_simbench_net(code)
    if len(net.trafo) != 1:
        raise CommunityError("simbench", f"{code} has {len(net.trafo)} transformers, not one")
    values = simbench.get_absolute_values(net, profiles_instead_of_study_cases=True)
    rows = slice((first_day - 1) * _PER_DAY, (first_day - 1 + days) * _PER_DAY)

    def plants(kind: str) -> tuple[Plant, ...]:
        table = getattr(net, kind)
        powers = values.get((kind, "p_mw"))
        return tuple(
            Plant(str(name), int(bus), np.asarray(powers[index].to_numpy()[rows], dtype=float))
            for index, name, bus in zip(table.index, table["name"], table["bus"], strict=True)
        )

    (trafo,) = net.trafo.itertuples()
    volts = net.bus.vn_kv * 1000
    lines = [
        Branch(
            str(line.name),
            (int(line.from_bus), int(line.to_bus)),
            round(math.sqrt(3) * volts[line.from_bus] * line.max_i_ka * 1000),
        )
        for line in net.line.itertuples()
    ]
    transformer = Branch(
        "transformer", (int(trafo.hv_bus), int(trafo.lv_bus)), round(trafo.sn_mva * _MW)
    )
    return BenchmarkGrid(
        int(trafo.hv_bus),
        (transformer, *lines),
        plants("load"),
        plants("sgen"),
        plants("storage"),
    )


def as_community(
    grid: BenchmarkGrid,
    prices: Sequence[GridPrices],
    currency: str,
    emissions: EmissionFactors,
) -> Community:
    """The grid's users, profiles and feeder; CommunityError if it is not radial.

    prices: the grid's of each hour of a day, or one for all.
    """
    owners = _owners(grid)
    names = list(dict.fromkeys(owners.values()))
    place = {name: i for i, name in enumerate(names)}
    intervals = len(grid.loads[0].power) if grid.loads else 0
    load = np.zeros((intervals, len(names)))
    generation = np.zeros_like(load)
    for plant in grid.loads:
        load[:, place[owners[plant.name]]] += plant.power
    for plant in grid.panels:
        generation[:, place[owners[plant.name]]] += plant.power
    for plant in grid.batteries:
        load[:, place[owners[plant.name]]] += np.maximum(plant.power, 0)
        generation[:, place[owners[plant.name]]] += np.maximum(-plant.power, 0)
    watt_hours = _MW * _MINUTES / 60
    return Community(
        users=_users(grid, owners, names),
        load=np.rint(load * watt_hours).astype(np.int64),
        generation=np.rint(generation * watt_hours).astype(np.int64),
        prices=prices_by_interval(prices, intervals, _MINUTES),
        minutes=_MINUTES,
        currency=currency,
        emissions=emissions,
        feeder=Feeder(sections(grid.root, grid.branches)),
    )


def sections(root: int, branches: Sequence[Branch]) -> tuple[Section, ...]:
    """The branches in order from the root, as a radial feeder; CommunityError for a mesh."""
    left, found = list(branches), []
    reached, before = {root}, {root: -1}
    while left:
        for branch in left:
            near = [end for end in branch.ends if end in reached]
            if near:
                break
        else:
            raise CommunityError(f"branch {left[0].name}", "is not connected to the root")
        left.remove(branch)
        if len(near) == 2:
            raise CommunityError(f"branch {branch.name}", "closes a loop: no radial feeder")
        (far,) = set(branch.ends) - reached
        reached.add(far)
        before[far] = near[0]
        # The root itself is the grid's: what hangs on it hangs on the grid.
        upper = -1 if near[0] == root else near[0]
        found.append(Section(branch.name, upper, far, branch.limit))
    return tuple(found)


def _owners(grid: BenchmarkGrid) -> Mapping[str, str]:
    """Whose each plant is, by name."""
    of_bus: dict[int, str] = {}
    for load in grid.loads:
        of_bus.setdefault(load.bus, load.name)
    owners = {load.name: load.name for load in grid.loads}
    for plant in (*grid.panels, *grid.batteries):
        owners[plant.name] = of_bus.setdefault(plant.bus, plant.name)
    return owners


def _users(
    grid: BenchmarkGrid, owners: Mapping[str, str], names: Sequence[str]
) -> tuple[User, ...]:
    devices: dict[str, list[Device]] = {name: [] for name in names}
    bus: dict[str, int] = {}
    kinds = ((DeviceKind.PV, grid.panels), (DeviceKind.STORAGE, grid.batteries))
    for plant in grid.loads:
        bus.setdefault(owners[plant.name], plant.bus)
    for kind, plants in kinds:
        for plant in plants:
            bus.setdefault(owners[plant.name], plant.bus)
            most = round(float(np.abs(plant.power).max(initial=0)) * _MW)
            devices[owners[plant.name]].append(Device(kind, most))
    return tuple(User(name, tuple(devices[name]), bus[name]) for name in names)
