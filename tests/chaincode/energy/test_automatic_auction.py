"""chaincode/energy/automatic_auction: what the learning market does, and what it refuses."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.automatic_auction import AutomaticAuction
from gridloom.chaincode.energy.learning.credit import CreditReport, Execution, Reading
from gridloom.chaincode.energy.learning.matching import SmartOrder
from gridloom.chaincode.energy.learning.parties import Bounds, Game, Kind, Party, Side, Society
from gridloom.chaincode.energy.learning.stages import Asked, Forecast, Stage, Targets
from harness.energy_market import GRID_MSP, OPERATOR_MSP, UNITS_MSP, person
from harness.learning_market import (
    FORECAST,
    GAME,
    HOUR,
    PRICES,
    TERMS,
    LearningMarket,
    new_ledger,
)

SELL, BUY = Side.SELL, Side.BUY


@pytest.fixture
def market() -> LearningMarket:
    return LearningMarket()


def quoted(market: LearningMarket) -> None:
    """A day-ahead stage with an offer in each flow to users, and the users' bids."""
    market.open()
    market.quote("G1", "gu", SELL, 200_000, 500_000)
    market.quote("C1", "cu", SELL, 400_000, 400_000)
    market.quote("U1", "gu", BUY, 150_000, 550_000)
    market.quote("U2", "gu", BUY, 190_000, 560_000)
    market.quote("U1", "cu", BUY, 60_000, 500_000)


def traded(market: LearningMarket) -> list[SmartOrder]:
    quoted(market)
    market.announce()
    orders: list[SmartOrder] = market.close().value(list[SmartOrder])
    return orders


def finish(market: LearningMarket) -> None:
    """Open, announce and close the later stages without quotes."""
    for stage in (Stage.INTRADAY, Stage.REAL_TIME):
        market.open(stage)
        market.announce(stage=stage)
        market.close(stage)


def test_the_quote_nearest_to_the_target_is_served_first(market):
    orders = traded(market)
    assert [(o.flow.value, o.seller, o.buyer, o.energy, o.price) for o in orders] == [
        ("gu", "G1", "U2", 190_000, 560_000),  # nearest to 550,000 at 200,000 Wh
        ("gu", "G1", "U1", 10_000, 550_000),
        ("cu", "C1", "U1", 60_000, 500_000),
    ]
    assert [o.amount for o in orders] == [106_400_000, 5_500_000, 29_250_000]
    assert market.auction.evaluate("orders", HOUR).value(list[SmartOrder]) == orders
    assert market.ledger.events == [("automatic_auction", "OrdersMade", b"12 day_ahead")]


def test_a_bid_below_the_sellers_lowest_price_is_no_choice(market):
    market.open()
    market.quote("G1", "gu", SELL, 200_000, 580_000)
    market.quote("U1", "gu", BUY, 200_000, 579_999)
    market.announce()
    assert market.close().value(list[SmartOrder]) == []


def test_the_ledger_values_the_targets_itself(market):
    market.open()
    targets = market.announce().value(Targets)
    assert (targets.company, targets.users) == (110_000_000, 207_500_000)
    assert targets.company + targets.bureau == targets.users
    assert targets.regret is None
    assert market.auction.evaluate("targets", HOUR, Stage.DAY_AHEAD).value(Targets) == targets


def test_with_a_game_only_an_equilibrium_may_be_announced():
    market = LearningMarket(replace(TERMS, game=GAME))
    market.open()
    forecast = Forecast(generation=890_000, load=390_000, demand=500_001)
    with pytest.raises(ChaincodeError, match="no equilibrium: answers would gain"):
        market.announce(Asked(600_000, None, 500_000, None), forecast=forecast)
    # c_C = 0.12, P_GC at its lowest, 0.4: the equilibrium is (0.61651, 0.52050)
    equilibrium = Asked(gu=616_507, gc=None, cu=520_514, cg=None)
    targets = market.announce(equilibrium, forecast=forecast).value(Targets)
    assert 0 <= targets.regret <= GAME.regret


def test_where_no_equilibrium_is_certain_the_game_does_not_judge():
    market = LearningMarket(replace(TERMS, game=GAME))
    market.open()
    assert market.announce().value(Targets).regret is None


def test_stages_follow_each_other_and_their_orders_add_up(market):
    first = traded(market)
    market.open(Stage.INTRADAY)
    market.quote("G1", "gu", SELL, 5_000, 500_000, stage=Stage.INTRADAY)
    market.quote("U1", "gu", BUY, 9_000, 500_000, stage=Stage.INTRADAY)
    market.announce(stage=Stage.INTRADAY)
    second = market.close(Stage.INTRADAY).value(list[SmartOrder])
    assert [order.energy for order in second] == [5_000]
    assert market.auction.evaluate("orders", HOUR).value(list[SmartOrder]) == first + second


def test_violations_go_into_the_credit_report(market):
    traded(market)
    finish(market)
    readings = [
        Reading("G1", 180_000, 0), Reading("C1", 60_000, 0),
        Reading("U1", 0, 75_000), Reading("U2", 0, 100_000),
    ]  # fmt: skip
    execution = market.auction.submit("meter", HOUR, readings, by=market.meter).value(Execution)
    assert execution.kept == ["C1", "U2"]
    breaches = [(v.party, v.breach, v.ordered, v.metered) for v in execution.violations]
    assert breaches == [
        ("G1", "undelivered", 200_000, 180_000),
        ("U1", "overdrawn", 70_000, 75_000),
    ]
    report = market.auction.evaluate("credit_report", "G1").value(CreditReport)
    assert (report.hours, report.kept, report.energy) == (1, 0, 20_000)
    report = market.auction.evaluate("credit_report", "U2").value(CreditReport)
    assert (report.hours, report.kept, report.violations) == (1, 1, [])


def test_parties_are_listed_by_name(market):
    found = market.auction.evaluate("parties").value(list[Party])
    assert [(p.name, p.kind, p.admitted) for p in found][:2] == [
        ("C1", Kind.BUREAU, True),
        ("G1", Kind.COMPANY, True),
    ]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"subsidy": -1}, "subsidy: -1 is negative"),
        ({"subsidy": 900_000}, "is so large that a higher price would cost less"),
        ({"price_scale": 0}, "price_scale, energy_scale: must be above zero"),
        ({"game": Game(-1, 0, 0)}, "game: elasticity, cost and regret must not be negative"),
        ({"user": Society(UNITS_MSP, Bounds(2, 1))}, r"bounds of user: \[2, 1\] is no interval"),
    ],
)
def test_terms_that_make_no_sense_found_no_market(changes, says):
    auction = new_ledger().deploy("automatic_auction", AutomaticAuction())
    founder = person(GRID_MSP, "desk", "operator")
    with pytest.raises(ChaincodeError, match=says):
        auction.submit("found", replace(TERMS, **changes), by=founder)


def test_the_market_is_founded_once_and_by_an_operator(market):
    with pytest.raises(ChaincodeError, match="the market exists already"):
        market.auction.submit("found", TERMS, by=market.operator)
    auction = new_ledger().deploy("automatic_auction", AutomaticAuction())
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        auction.submit("found", TERMS, by=market.meter)
    with pytest.raises(ChaincodeError, match="there is no market yet"):
        auction.submit("admit", ["U1"], by=market.operator)


def test_nobody_joins_as_what_he_is_not(market):
    join = market.auction.submit
    with pytest.raises(ChaincodeError, match="may not act as bureau: its certificate carries"):
        join("join", "X", Kind.BUREAU, by=market.people["U1"])
    stranger = person(UNITS_MSP, "C9", "bureau")
    with pytest.raises(ChaincodeError, match="ProsumersMSP is not its organisation"):
        join("join", "X", Kind.BUREAU, by=stranger)
    with pytest.raises(ChaincodeError, match="party U1 exists already"):
        join("join", "U1", Kind.USER, by=person(UNITS_MSP, "U9", "user"))
    with pytest.raises(ChaincodeError, match="name: is empty"):
        join("join", "", Kind.USER, by=market.people["U1"])


def test_only_admitted_parties_quote_and_only_for_themselves(market):
    market.open()
    newcomer = person(UNITS_MSP, "U3", "user")
    market.auction.submit("join", "U3", Kind.USER, by=newcomer)
    with pytest.raises(ChaincodeError, match="U3 is not approved"):
        market.quote("U3", "gu", BUY, 1, 500_000, by=newcomer)
    with pytest.raises(ChaincodeError, match="U1 and its orders belong to another identity"):
        market.quote("U1", "gu", BUY, 1, 500_000, by=market.people["U2"])
    with pytest.raises(ChaincodeError, match="there is no party U4"):
        market.quote("U4", "gu", BUY, 1, 500_000, by=newcomer)
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        market.auction.submit("admit", ["U3"], by=newcomer)
    rival = person(OPERATOR_MSP, "rival", "operator")
    with pytest.raises(ChaincodeError, match="OperatorMSP did not found the market"):
        market.auction.submit("admit", ["U3"], by=rival)


@pytest.mark.parametrize(
    ("quote", "says"),
    [
        (("U1", "gu", SELL, 1, 500_000), "flow: a user does not sell in gu"),
        (("U1", "gc", BUY, 1, 500_000), "flow: a user does not buy in gc"),
        (("C1", "gu", BUY, 1, 500_000), "flow: a bureau does not buy in gu"),
        (("U1", "gu", BUY, 0, 500_000), "energy must not be negative, got 0 Wh"),
        (("U1", "gu", BUY, 1, 600_001), r"600001 is outside \[400000, 600000\]"),
        (("G1", "gu", SELL, 1, 499_999), r"499999 is outside \[500000, 700000\]"),
    ],
)
def test_quotes_keep_to_their_flows_and_bounds(market, quote, says):
    market.open()
    with pytest.raises(ChaincodeError, match=says):
        market.quote(*quote)


def test_a_quote_is_replaced_by_its_next_revision_only(market):
    market.open()
    market.quote("U1", "gu", BUY, 1, 500_000)
    with pytest.raises(ChaincodeError, match="revision: is 0, the next one is 1"):
        market.quote("U1", "gu", BUY, 2, 500_000)
    market.quote("U1", "gu", BUY, 2, 500_000, revision=1)


def test_quotes_come_while_the_stage_is_open(market):
    with pytest.raises(ChaincodeError, match="no day_ahead stage of hour 12 yet"):
        market.quote("U1", "gu", BUY, 1, 500_000)
    market.open(closes_in=timedelta(minutes=5))
    market.ledger.now += timedelta(minutes=5)
    with pytest.raises(ChaincodeError, match="the day_ahead stage of hour 12 is closed"):
        market.quote("U1", "gu", BUY, 1, 500_000)
    market.announce()
    market.close()
    with pytest.raises(ChaincodeError, match="the day_ahead stage of hour 12 is closed"):
        market.quote("U1", "gu", BUY, 1, 500_000)


def test_stages_are_opened_in_their_order_once_and_ahead_of_time(market):
    with pytest.raises(ChaincodeError, match="no day_ahead stage of hour 12 yet"):
        market.open(Stage.INTRADAY)
    market.open()
    with pytest.raises(ChaincodeError, match="the day_ahead stage of hour 12 exists already"):
        market.open()
    with pytest.raises(ChaincodeError, match="the day_ahead stage is still open"):
        market.open(Stage.INTRADAY)
    with pytest.raises(ChaincodeError, match="is already past"):
        market.open(hour=13, closes_in=timedelta(0))
    with pytest.raises(ChaincodeError, match="hour: -1 is negative"):
        market.open(hour=-1)
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        market.open(hour=13, by=market.meter)


@pytest.mark.parametrize(
    ("prices", "forecast", "says"),
    [
        (replace(PRICES, gu=499_999), FORECAST, "target of gu: 499999 is outside"),
        (replace(PRICES, gc=500_000), FORECAST, "prices: gc has a price, but 0 Wh flow"),
        (replace(PRICES, cu=None), FORECAST, "prices: cu needs a price, but 200000 Wh flow"),
        (PRICES, replace(FORECAST, load=-1), "forecast: energy must not be negative"),
    ],
)
def test_targets_fit_the_flows_and_the_bounds(market, prices, forecast, says):
    market.open()
    with pytest.raises(ChaincodeError, match=says):
        market.announce(prices, forecast=forecast)


def test_targets_are_announced_once_in_an_open_stage_by_the_operator(market):
    market.open()
    with pytest.raises(ChaincodeError, match="no target prices of the day_ahead stage yet"):
        market.close()
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        market.announce(by=market.meter)
    market.announce()
    with pytest.raises(ChaincodeError, match="target prices of hour 12, day_ahead exists already"):
        market.announce()
    with pytest.raises(ChaincodeError, match="may not act as operator"):
        market.close(by=market.people["G1"])
    market.close()
    with pytest.raises(ChaincodeError, match="stage of hour 12 is closed"):
        market.close()
    with pytest.raises(ChaincodeError, match="stage of hour 12 is closed"):
        market.announce()
    with pytest.raises(ChaincodeError, match="no target price of hour 13, day_ahead, yet"):
        market.auction.evaluate("targets", 13, Stage.DAY_AHEAD)


FULL = [Reading(name, 0, 0) for name in ("G1", "C1", "U1", "U2")]


@pytest.mark.parametrize(
    ("readings", "says"),
    [
        (FULL[:3], "readings: no reading of U2"),
        ([*FULL, Reading("U2", 0, 0)], "the reading of U2 exists already"),
        ([*FULL, Reading("U9", 0, 0)], "no order of U9 in that hour"),
        ([*FULL[:3], Reading("U2", 0, -1)], "reading of U2: energy must not be negative"),
    ],
)
def test_readings_are_those_of_the_hours_parties(market, readings, says):
    traded(market)
    finish(market)
    with pytest.raises(ChaincodeError, match=says):
        market.auction.submit("meter", HOUR, readings, by=market.meter)


def test_meters_speak_once_after_the_last_stage_and_are_the_bureaus(market):
    traded(market)
    with pytest.raises(ChaincodeError, match="no real_time stage of hour 12 yet"):
        market.auction.submit("meter", HOUR, FULL, by=market.meter)
    finish(market)
    with pytest.raises(ChaincodeError, match="may not act as grid"):
        market.auction.submit("meter", HOUR, FULL, by=market.operator)
    foreign = person(OPERATOR_MSP, "meter", "grid")
    with pytest.raises(ChaincodeError, match="the meters are the bureau's organisation's"):
        market.auction.submit("meter", HOUR, FULL, by=foreign)
    market.auction.submit("meter", HOUR, FULL, by=market.meter)
    with pytest.raises(ChaincodeError, match="the metering of hour 12 exists already"):
        market.auction.submit("meter", HOUR, FULL, by=market.meter)
    with pytest.raises(ChaincodeError, match="there is no party U9"):
        market.auction.evaluate("credit_report", "U9")
