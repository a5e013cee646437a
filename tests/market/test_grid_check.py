"""market/grid_check: the power flow of a community's network, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.chaincode.energy.auction_grid import UNSOLVED
from gridloom.chaincode.energy.rules.orders import Cleared, Order, Side, Trade
from gridloom.market.community import User
from gridloom.market.errors import ScenarioError
from gridloom.market.grid_check import FlowCheck
from gridloom.market.network_settings import network_of
from gridloom.market.power_flow.feeder import InfeasibleFlow
from gridloom.market.power_flow.ledger_point import per_unit
from gridloom.market.power_flow.security import violations
from gridloom.market.power_flow.solution import operating_point
from gridloom.market.settings import Settings
from gridloom.market.studies import SCENARIOS, STUDIES
from harness.market_runs import run_of

USERS = tuple(User(name) for name in "abcd")
LINES = [{"from": 0, "to": 1, "r": 0.08, "x": 0.03}, {"from": 1, "to": 2, "r": 0.3, "x": 0.1}]
NETWORK = {"kva": 100, "lines": LINES, "users": [1, 1, 2, 2]}
ISLAND = {**NETWORK, "nodes": {0: {"type": "PD", "kw": 20, "mp": 0.04}}}


def check(**changes):
    described = {**NETWORK, **changes}
    network = network_of(Settings("mine", described), USERS, 15)
    return FlowCheck(tuple("abcd"), network)


def orders(*energies):
    sides = [Side.SELL if energy > 0 else Side.BUY for energy in energies]
    return tuple(
        Order(name, side, abs(energy), 100, place)
        for place, (name, side, energy) in enumerate(zip("abcd", sides, energies, strict=True))
        if energy
    )


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([NETWORK, ISLAND, {**NETWORK, "lines": [LINES[0], {**LINES[1], "kva": 8}]}]),
    st.lists(st.integers(-9_000, 9_000), min_size=4, max_size=4),
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("cd"), st.integers(1, 9_000)), max_size=5
    ),
)
def test_the_grid_is_secure_with_admitted_trades_and_not_with_one_more(described, net, made):
    judge = check(**described)
    placed = orders(*net)
    trades = tuple(Trade(seller, buyer, energy, 1, 1) for seller, buyer, energy in made)
    screened = judge.screen(placed, Cleared(trades, 1))
    left = screened.cleared.trades

    def found(count):
        powers = judge.network.powers(placed, trades[:count])
        feeder = per_unit(judge.network.feeder, powers)
        try:
            return set(violations(feeder, operating_point(feeder)))
        except InfeasibleFlow:
            return {UNSOLVED}

    assert trades[: len(left)] == left
    assert [each.trade for each in reversed(screened.refused)] == list(trades[len(left) :])
    assert not left or not found(len(left))
    for count, each in zip(range(len(trades), len(left), -1), screened.refused, strict=True):
        assert set(each.violations) == found(count) != set()


def test_a_trade_that_would_overload_a_line_is_refused_by_name():
    judge = check(lines=[LINES[0], {**LINES[1], "kva": 10}])
    made = (Trade("c", "a", 2_000, 1, 1), Trade("d", "b", 2_000, 1, 1))
    screened = judge.screen(orders(-2_000, -2_000, 2_000, 2_000), Cleared(made, 7))
    assert screened.cleared == Cleared(made[:1], 7)
    assert [(each.trade, each.violations) for each in screened.refused] == [(made[1], ("line:1",))]
    assert [each.trades for each in screened.shown] == [2, 1]


def test_nothing_is_traded_on_a_line_that_is_overloaded_anyway():
    judge = check(lines=[LINES[0], {**LINES[1], "kva": 7}])
    made = (Trade("c", "d", 1_000, 1, 1),)
    screened = judge.screen(orders(0, 0, 1_000, -3_000), Cleared(made, 7))
    assert screened.cleared == Cleared((), None)
    assert screened.refused == ((made[0], ("line:1",)),)


def test_an_island_refuses_what_its_frequency_cannot_bear():
    judge = check(**ISLAND)
    made = (Trade("a", "b", 5_000, 1, 1),)
    (refused,) = judge.screen(orders(5_000, -5_000, 0, 0), Cleared(made, 7)).refused
    assert refused.violations == ("frequency",)


def test_metered_flows_are_judged_with_their_values():
    overloaded, *_ = check(lines=[{**LINES[0], "kva": 10}, LINES[1]]).violations(
        [4_000, 0, 0, 0], 15
    )
    assert (overloaded.element, overloaded.limit, overloaded.unit) == ("line:0", 10_000, "VA")
    assert overloaded.value > 15_000
    (high,) = check().violations([0, 0, 9_000, 9_000], 15)
    assert (high.element, high.limit) == ("voltage:2", 1.06)
    (slow,) = check(**ISLAND).violations([-9_000, 0, 0, 0], 15)
    assert (slow.element, slow.limit) == ("frequency", 0.994)
    assert slow.value == pytest.approx(0.99333, abs=1e-4)
    (none,) = check().violations([-9 * 10**6, 0, 0, 0], 15)
    assert none.element == "network"


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"lines": []}, "lines", "empty"),
        ({"lines": [*LINES, {"from": 0, "to": 0, "r": 1}]}, "lines", "from node 0 to node 0"),
        ({"lines": [*LINES, {"from": 0, "to": 1}]}, "lines", "no impedance"),
        ({"lines": [{"from": 0, "to": 1, "r": -1}]}, "lines[0].r", "not in"),
        ({"lines": [{"from": 0, "to": 1, "r": 1, "ampere": 3}]}, "lines[0].ampere", "not known"),
        ({"lines": [{"to": 1, "r": 1}]}, "lines[0].from", "not in"),
        ({"users": [1]}, "users", "1 nodes for 4 users"),
        ({"users": [1, 1, 1, 9]}, "users[3]", "not in"),
        ({"nodes": {7: {"type": "slack"}}}, "nodes.7", "no line leads"),
        ({"nodes": {0: {"type": "PX"}}}, "nodes.0.type", "none of"),
        ({"nodes": {0: {"type": "PQ"}}}, "lines", "neither a slack nor a PD node"),
        ({"nodes": {0: {"type": "PD"}}}, "lines", "needs a droop"),
        ({"voltage": [1.1, 0.9]}, "voltage", "not below"),
        ({"voltage": [1.1]}, "voltage", "1 values"),
        ({"power_factor": 0}, "power_factor", "not in"),
    ],
)
def test_a_network_that_cannot_be_meant_is_refused_by_its_place(changes, field, says):
    with pytest.raises(ScenarioError, match=says) as caught:
        check(**changes)
    assert caught.value.field == field


def test_users_stand_where_they_are_put():
    def nodes(described, users=USERS):
        places = network_of(Settings("mine", described), users, 15).places
        return [place.node for place in places]

    in_turn = {key: value for key, value in NETWORK.items() if key != "users"}
    assert nodes(in_turn) == [1, 2, 1, 2]
    assert nodes(NETWORK) == [1, 1, 2, 2]
    assert nodes({**NETWORK, "users": "bus"}, [replace(USERS[0], bus=2)]) == [2]
    with pytest.raises(ScenarioError, match="a is at bus 3, which no line reaches"):
        nodes({**NETWORK, "users": "bus"}, [replace(USERS[0], bus=3)])


def test_the_ledger_refuses_the_same_trades_of_a_weak_feeder():
    parameters = dict(SCENARIOS["street-feeder"].parameters)
    street = dict(parameters["community"])
    lines = [{**line, "kva": 1} for line in street["network"]["lines"]]
    street |= {"households": 8, "minutes": 60, "network": {**street["network"], "lines": lines}}
    parameters["community"] = street
    run = STUDIES["community"].run
    on_ledger = run(run_of(parameters, seed=1))
    refused = next(table for table in on_ledger.tables if table.name == "refused")
    assert refused.rows
    assert all(row[-1] for row in refused.rows)
    assert any(remark.startswith("Refused because") for remark in on_ledger.remarks)
    assert on_ledger.tables == run(run_of({**parameters, "ledger": False}, seed=1)).tables
    assert np.isfinite(on_ledger.measured["bytes"])
