"""chaincode/energy/dipi/scheduling: what DU1 plans, checks and records, and misuse."""

from dataclasses import replace

import pytest

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.dipi.records import (
    Expectation,
    GridTerms,
    LinePlan,
    Match,
    Schedule,
)
from harness.dipi_market import LINES, TERMS


def test_what_is_left_on_the_lines_may_be_traded(market):
    assert market.schedule().volume == 400_000
    full = LinePlan("full", 10, 20)
    assert market.schedule(2, [*LINES, full]).volume == 400_000
    stored = market.du1.evaluate("schedule", 2).value(Schedule)
    assert stored == Schedule(2, 400_000, TERMS)


@pytest.mark.parametrize(
    ("lines", "terms", "says"),
    [
        (LINES * 2, TERMS, "a line of the plan exists already"),
        ([LinePlan("x", -1, 0)], TERMS, "line x: energy must not be negative"),
        (LINES, GridTerms(20_000, 410_000, 410_000), "buyback < retail"),
        (LINES, GridTerms(-1, 615_000, 410_000), "wheeling >= 0"),
    ],
)
def test_a_schedule_that_cannot_be_meant_is_refused(market, lines, terms, says):
    with pytest.raises(ChaincodeError, match=says):
        market.du1.submit("plan", 1, lines, terms, by=market.operator)


def test_scheduling_is_the_dispatchers(market):
    calls = [
        ("plan", 1, LINES, TERMS),
        ("check", 1, []),
        ("expect", 1, []),
        ("record", 1, []),
    ]
    for call in calls:
        with pytest.raises(ChaincodeError, match="may not act as operator"):
            market.du1.submit(*call, by=market.grid)


def test_each_step_happens_once_and_in_its_turn(market):
    with pytest.raises(ChaincodeError, match="no schedule of period 1"):
        market.du1.submit("check", 1, [], by=market.operator)
    market.schedule()
    with pytest.raises(ChaincodeError, match="the schedule of period 1 exists already"):
        market.du1.submit("plan", 1, LINES, TERMS, by=market.operator)
    with pytest.raises(ChaincodeError, match="no check of period 1"):
        market.du1.submit("expect", 1, [], by=market.operator)
    with pytest.raises(ChaincodeError, match="no expectation of period 1"):
        market.du1.submit("record", 1, [], by=market.operator)
    market.offer(1)
    market.bid(3)
    matching = market.match()
    market.execute(matching)
    for again in ("check", "expect"):
        with pytest.raises(ChaincodeError, match=rf"the {again}\w* of period 1 exists already"):
            market.du1.submit(again, 1, matching.matches, by=market.operator)


@pytest.mark.parametrize(
    ("matches", "reason"),
    [
        ([Match(0, 1, 3, 400_001, 1, 0)], "400001 Wh are matched, 400000 Wh are scheduled"),
        ([Match(0, 1, 3, 0, 1, 0)], "a match carries no energy"),
    ],
)
def test_a_matching_that_cannot_be_executed_is_refused_on_record(market, matches, reason):
    market.schedule()
    answer = market.du1.submit("check", 1, matches, by=market.operator)
    assert reason in answer.text
    with pytest.raises(ChaincodeError, match="not the ones found executable"):
        market.du1.submit("expect", 1, matches, by=market.operator)


def test_only_the_contracts_that_were_checked_are_expected(market):
    market.schedule()
    market.offer(1)
    market.bid(3)
    matching = market.match()
    market.check(matching)
    forged = [replace(matching.matches[0], price=1)]
    with pytest.raises(ChaincodeError, match="not the ones found executable"):
        market.du1.submit("expect", 1, forged, by=market.operator)


@pytest.mark.parametrize(
    "change", [{"buyer": 1}, {"price": 1}, {"agreed": 1}, {"su_id": 2}, {"traded": 7}]
)
def test_a_record_that_the_rule_does_not_give_is_refused(market, change):
    record = market.traded((180_000, 200_000))
    forged = [replace(record.trades[0], **change)]
    with pytest.raises(ChaincodeError, match="trades: 0: is not what its contract"):
        market.du1.submit("record", 1, forged, by=market.operator)
    with pytest.raises(ChaincodeError, match="trades: are 0, the contracts 1"):
        market.du1.submit("record", 1, [], by=market.operator)


def test_the_deviation_from_what_was_expected_is_kept_for_the_next_period(market):
    record = market.traded((180_000, 210_000))
    market.assess(record)
    kept = market.du1.evaluate("expectation", 1).value(Expectation)
    assert kept == Expectation(1, 200_000, deviation=30_000)
    with pytest.raises(ChaincodeError, match="the record of period 1 exists already"):
        market.du1.submit("record", 1, record.trades, by=market.operator)
