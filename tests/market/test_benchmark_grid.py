"""market/benchmark_grid: a grid of loads, panels, batteries and lines as a community."""

import sys

import numpy as np
import pytest

from gridloom.chaincode.energy.rules.feeder import Section
from gridloom.chaincode.energy.rules.prices import GridPrices
from gridloom.market.benchmark_grid import (
    BenchmarkGrid,
    Branch,
    Plant,
    as_community,
    read_simbench,
    sections,
)
from gridloom.market.community import DeviceKind, EmissionFactors
from gridloom.market.errors import CommunityError
from gridloom.market.grid_check import FeederCheck
from gridloom.market.studies import STUDIES
from harness.market_runs import run_of

TRANSFORMER = Branch("transformer", (0, 1), 10_000)
GRID = BenchmarkGrid(
    root=0,
    branches=(Branch("far", (3, 2), 4_000), TRANSFORMER, Branch("near", (1, 2), 8_000)),
    loads=(
        Plant("flat", 2, np.array([0.001, 0.002])),
        Plant("shop", 3, np.array([0.004, 0.003])),
    ),
    panels=(Plant("roof", 3, np.array([0.0, 0.009])), Plant("field", 1, np.array([0.002, 0.002]))),
    batteries=(Plant("box", 2, np.array([0.001, -0.001])),),
)


def community():
    return as_community(GRID, (GridPrices(80_000, 300_000),), "EUR", EmissionFactors())


def test_panels_and_batteries_belong_to_the_load_of_their_bus_or_to_themselves():
    grid = community()
    assert grid.names == ("flat", "shop", "field")
    kinds = [[device.kind for device in user.devices] for user in grid.users]
    assert kinds == [[DeviceKind.STORAGE], [DeviceKind.PV], [DeviceKind.PV]]
    assert [user.bus for user in grid.users] == [2, 3, 1]


def test_megawatts_become_watt_hours_of_a_quarter():
    grid = community()
    assert grid.load.tolist() == [[500, 1000, 0], [500, 750, 0]]
    assert grid.generation.tolist() == [[0, 0, 500], [250, 2250, 500]]


def test_the_branches_become_a_feeder_from_the_transformer_on():
    assert community().feeder.sections == (
        Section("transformer", -1, 1, 10_000),
        Section("near", 1, 2, 8_000),
        Section("far", 2, 3, 4_000),
    )


def test_an_overloaded_line_is_named():
    grid = community()
    net = grid.net[1].tolist()
    (violation,) = FeederCheck(grid).violations(net, grid.minutes)
    assert str(violation) == "far: power 6000 W, limit 4000"


@pytest.mark.parametrize(
    ("branches", "says"),
    [
        ([TRANSFORMER, Branch("a", (1, 2), 1), Branch("b", (0, 2), 1)], "b: closes a loop"),
        ([TRANSFORMER, Branch("a", (5, 6), 1)], "a: is not connected"),
    ],
)
def test_only_radial_grids_are_feeders(branches, says):
    with pytest.raises(CommunityError, match=says):
        sections(0, branches)


def test_without_the_package_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "simbench", None)
    with pytest.raises(CommunityError, match=r"pip install 'gridloom\[market\]'"):
        read_simbench("1-LV-rural1--2-sw", 172, 1)
    with pytest.raises(CommunityError, match="simbench: needs the package"):
        STUDIES["community"].run(run_of({"community": {"simbench": "1-LV-rural1--2-sw"}}))
