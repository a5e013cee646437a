"""chaincode/energy/dispatch: set points of a settled hour, and who may ask for them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.compensations import HourBalance, HourErrors, Reading
from gridloom.chaincode.energy.dispatch import plan
from gridloom.chaincode.energy.dispatch_records import DispatchPlan
from gridloom.chaincode.energy.hour_accounts import (
    grid_compensations,
    seller_error,
    settle_hour,
)
from gridloom.chaincode.energy.roles import Role
from gridloom.chaincode.energy.rules.allocation import allocate
from gridloom.chaincode.energy.trades import HourMatch, Share, TradePath
from harness.energy_market import P_B, P_S

PRICE = 800_000


@pytest.fixture
def units(market):
    """Hour 7 settled: SU1 offers 4 kWh and feeds in 3, BU3 orders 5."""
    market.open(7)
    seller, buyer = market.admit(Role.SU, 1), market.admit(Role.BU, 3)
    market.send(seller, Role.SU, 1, 4_000)
    market.send(buyer, Role.BU, 3, 5_000)
    market.matchmaking.submit("announce_price", 7, PRICE, by=market.operator)
    market.energy_units.submit("close_hour", 7, by=market.operator)
    market.matchmaking.submit("match", 7, by=market.operator)
    market.compensation.submit("balance", 7, by=market.operator)
    market.compensation.submit("meter", 7, [Reading(1, 3_000)], by=market.grid)
    return {"SU1": seller, "BU3": buyer}


def settle(market):
    market.compensation.submit("settle", 7, by=market.operator)


def test_set_points_sum_to_zero_and_say_what_goes_where(market, units):
    settle(market)
    made = market.dispatch.submit("call", 7, by=market.operator).value(DispatchPlan)
    points = {each.unit: (each.set_point, each.inside, each.grid) for each in made.instructions}
    assert points == {"SU1": (3_000, 3_000, 0), "BU3": (-5_000, -4_000, -1_000)}
    assert made.grid_set_point == 2_000
    assert market.ledger.events[-1] == ("dispatch", "HourDispatched", b"7")


def test_every_unit_acknowledges_its_own_instruction(market, units):
    settle(market)
    market.dispatch.submit("call", 7, by=market.operator)
    assert market.dispatch.evaluate("silent", 7).value(list[str]) == ["BU3", "SU1"]
    market.dispatch.submit("acknowledge", 7, Role.BU, 3, by=units["BU3"])
    assert market.dispatch.evaluate("silent", 7).value(list[str]) == ["SU1"]
    with pytest.raises(ChaincodeError, match="another identity"):
        market.dispatch.submit("acknowledge", 7, Role.SU, 1, by=units["BU3"])


def test_only_a_settled_hour_is_dispatched_once_and_by_the_operator(market, units):
    with pytest.raises(ChaincodeError, match="settlement of delivery hour 7"):
        market.dispatch.submit("call", 7, by=market.operator)
    with pytest.raises(ChaincodeError, match="dispatch of delivery hour 7 yet"):
        market.dispatch.evaluate("plan", 7)
    settle(market)
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        market.dispatch.submit("call", 7, by=units["SU1"])
    market.dispatch.submit("call", 7, by=market.operator)
    with pytest.raises(ChaincodeError, match="exists already"):
        market.dispatch.submit("call", 7, by=market.operator)


def test_a_unit_without_an_order_has_no_instruction(market, units):
    idle = market.admit(Role.SU, 2)
    settle(market)
    market.dispatch.submit("call", 7, by=market.operator)
    with pytest.raises(ChaincodeError, match="instruction of SU2"):
        market.dispatch.submit("acknowledge", 7, Role.SU, 2, by=idle)


energies = st.lists(st.integers(0, 5_000), min_size=1, max_size=4)


@settings(max_examples=60)
@given(energies, energies, st.lists(st.integers(0, 6_000), min_size=4, max_size=4))
def test_any_settled_hour_is_dispatched_in_balance(supplies, demands, meters):
    inside = allocate(supplies, demands)
    matched = HourMatch(
        7,
        PRICE,
        P_S,
        P_B,
        [Share(i, "s", e, t) for i, (e, t) in enumerate(zip(supplies, inside.sold, strict=True))],
        [Share(i, "b", e, t) for i, (e, t) in enumerate(zip(demands, inside.bought, strict=True))],
        [
            TradePath("s", p.seller, "b", p.buyer, p.energy, PRICE, p.energy * 800)
            for p in inside.paths
        ],
    )
    errors = [seller_error(matched, s, meters[s.unit_id]) for s in matched.sellers]
    settled = settle_hour(
        matched, HourBalance(7, grid_compensations(matched)), HourErrors(7, errors, [])
    )
    made = plan(matched, settled)
    assert sum(each.set_point for each in made.instructions) + made.grid_set_point == 0
    for each in made.instructions:
        assert each.inside + each.grid == each.set_point
        assert each.inside * each.set_point >= 0
        assert each.grid * each.set_point >= 0
