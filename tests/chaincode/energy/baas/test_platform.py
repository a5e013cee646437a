"""chaincode/energy/baas/platform: feeder, plans, observations, and their misuse."""

from dataclasses import replace

import pytest

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.baas.evidence_sources import Observation, Source
from gridloom.chaincode.energy.baas.grid_records import FeederLine, NodePower, Period
from gridloom.market.power_flow.ledger_point import solve_for_ledger
from harness.baas_market import PLAN, BaasMarket, islanded_feeder


def test_a_plan_comes_with_its_operating_point_and_leaves_its_flows(market):
    market.plan()
    planned = market.baas.evaluate("period", 1).value(Period)
    assert planned.violations == []
    assert planned.flows[0] > 0  # from the wind unit to node 1, W
    assert planned.powers == PLAN


def test_only_the_operator_publishes_and_plans_and_only_once(market):
    point = solve_for_ledger(market.feeder, PLAN)
    for caller in (market.bu3, market.grid):
        with pytest.raises(ChaincodeError, match="may not act as operator"):
            market.baas.submit("publish", market.feeder, by=caller)
        with pytest.raises(ChaincodeError, match="may not act as operator"):
            market.baas.submit("plan", 1, PLAN, point, by=caller)
    with pytest.raises(ChaincodeError, match="the feeder exists already"):
        market.baas.submit("publish", market.feeder, by=market.operator)
    market.plan()
    with pytest.raises(ChaincodeError, match="the plan of period 1 exists already"):
        market.plan()


def test_an_operating_point_of_another_plan_is_no_operating_point(market):
    point = solve_for_ledger(market.feeder, PLAN)
    other = [*PLAN[:4], NodePower(load_active=100_000)]
    with pytest.raises(ChaincodeError, match="not an operating point: P:4 is off by"):
        market.baas.submit("plan", 1, other, point, by=market.operator)
    with pytest.raises(ChaincodeError, match="4 entries for 5 nodes"):
        market.baas.submit("plan", 1, PLAN[:4], point, by=market.operator)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"base_power": 0}, "base_power: 0 is not above zero"),
        ({"nodes": []}, "nodes: there are 0"),
        ({"nodes": islanded_feeder().nodes[1:3]}, "neither a slack nor a PD node"),
        ({"lines": [FeederLine(0, 9, 1, 1, 1)]}, r"lines\[0\]: cannot lead from node 0 to node 9"),
        ({"lines": [FeederLine(0, 1, 0, 0, 1)]}, r"lines\[0\]: has no impedance"),
        ({"lines": [FeederLine(0, 1, 1, 1, -1)]}, r"lines\[0\]: limit and risk"),
        ({"places": islanded_feeder().places * 2}, "the place of SU1 exists already"),
        ({"places": [replace(islanded_feeder().places[0], node=7)]}, "there is no node 7"),
        ({"places": [replace(islanded_feeder().places[0], risk=-7)]}, "risk must not be"),
        ({"nodes": [replace(islanded_feeder().nodes[0], active_droop=0)]}, "needs a droop"),
        ({"nodes": [replace(islanded_feeder().nodes[0], voltage=0)]}, "0 is no voltage"),
        ({"nodes": [replace(islanded_feeder().nodes[0], active_exponent=3)]}, "0, 1 or 2"),
        (
            {"nodes": [replace(islanded_feeder().nodes[0], active_low=2, active_high=1)]},
            "limit 2 is above 1",
        ),
        (
            {"terms": replace(islanded_feeder().terms, period_minutes=0)},
            "period_minutes: 0 is not",
        ),
    ],
)
def test_a_feeder_that_cannot_be_meant_is_refused(change, says):
    feeder = replace(islanded_feeder(), **({"lines": [], "places": []} | change))
    with pytest.raises(ChaincodeError, match=says):
        BaasMarket(feeder)


def test_nobody_writes_his_own_record(market):
    report = [Observation(Source.GENERATION, "SU1", 1, 100, 100)]
    for caller in (market.su1, market.operator):
        with pytest.raises(ChaincodeError, match="may not act as grid"):
            market.baas.submit("report", report, by=caller)
    market.baas.submit("report", report, by=market.grid)
    assert market.baas.evaluate("observations").value(list[Observation]) == report


@pytest.mark.parametrize(
    ("reports", "says"),
    [
        ([Observation(Source.LINE, "line:0", 1, 0, 0)], "promised: 0 is not above zero"),
        ([Observation(Source.LINE, "line:0", 1, 60, -1)], "what line:0 kept"),
        ([Observation(Source.LINE, "line:0", 1, 60, 60)] * 2, "of line:0 in period 1 exists"),
    ],
)
def test_an_observation_that_cannot_be_meant_is_refused(market, reports, says):
    with pytest.raises(ChaincodeError, match=says):
        market.baas.submit("report", reports, by=market.grid)


def test_an_observation_is_reported_once(market):
    market.observe(Source.STORAGE, "SU1", 90, first=5)
    with pytest.raises(ChaincodeError, match="of SU1 in period 5 exists already"):
        market.observe(Source.STORAGE, "SU1", 100, first=5)


def test_what_has_not_been_planned_cannot_be_read(market):
    with pytest.raises(ChaincodeError, match="no plan of period 2"):
        market.baas.evaluate("period", 2)
    with pytest.raises(ChaincodeError, match="period: -1 is negative"):
        market.baas.evaluate("period", -1)
