"""chaincode/energy/dipi/trading: orders, matching, execution and settlement on JY1."""

import csv
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.dipi.matching import PlacedBid, Standing, match_orders
from gridloom.chaincode.energy.dipi.records import (
    Bid,
    CreditProof,
    GridTerms,
    Match,
    Offer,
    Reading,
    Schedule,
)
from gridloom.chaincode.energy.dipi.trade_settlement import settle_match
from gridloom.chaincode.energy.dipi.trading import KnownCredit
from gridloom.chaincode.energy.qualifications import UnitId
from gridloom.chaincode.energy.roles import Role
from gridloom.chaincode.testing import DeployedChaincode
from harness.dipi_market import TERMS, DipiMarket
from harness.shared import shared


def test_the_ledger_settles_table_2_but_for_its_last_row():
    with shared("papers", "tables", "p001_table2_settlement.csv").open() as file:
        rows = [{k: Fraction(v) for k, v in row.items()} for row in csv.DictReader(file)]
    residuals = []
    for row in rows:
        wh = {k: int(v * 1000) for k, v in row.items() if k.endswith("kWh")}
        micro = {k: int(v * 10**6) for k, v in row.items() if "yuan" in k}
        match = Match(0, 1, 3, wh["agreed_volume_kWh"], micro["agreed_price_yuan_per_kWh"], 0)
        reading = Reading(0, wh["actual_use_kWh"], wh["actual_output_kWh"])
        trade = settle_match(match, reading, TERMS)
        printed = (
            micro["buyer_spending_yuan"], micro["seller_income_yuan"], micro["grid_income_yuan"],
        )  # fmt: skip
        rule = (trade.buyer, trade.seller, trade.grid)
        residuals.append([p - r for p, r in zip(printed, rule, strict=True)])
    assert residuals == [[0, 0, 0]] * 6 + [[400_000, 0, 400_000]]


energies = st.integers(0, 10**6)
money = st.integers(0, 10**6)


@given(energies, energies, money, st.builds(GridTerms, money, money, money))
def test_a_bill_sums_to_zero_to_the_last_unit(used, generated, price, terms):
    trade = settle_match(Match(0, 1, 3, 1, price, 0), Reading(0, used, generated), terms)
    assert trade.buyer == trade.seller + trade.grid


orders = st.builds(
    Offer, st.integers(1, 5), st.just(1), st.integers(1, 99), st.integers(1, 9),
    st.integers(0, 9), st.integers(0, 1), st.integers(0, 9),
)  # fmt: skip
bids = st.builds(Bid, st.integers(1, 5), st.just(1), st.integers(1, 99), st.integers(1, 9), money)


@given(
    st.lists(orders, max_size=4, unique_by=lambda offer: offer.su_id),
    st.lists(bids, max_size=4, unique_by=lambda bid: bid.bu_id),
    st.integers(0, 300),
)
def test_nobody_trades_more_than_he_ordered_or_beyond_his_price(offers, bids_, volume):
    offers.sort(key=lambda offer: offer.su_id)
    standings = {offer.su_id: Standing(100, 100) for offer in offers}
    placed = [PlacedBid(bid, 0) for bid in bids_]
    matches = match_orders(offers, placed, standings, volume)
    assert sum(match.energy for match in matches) <= volume
    for offer in offers:
        own = [match for match in matches if match.su_id == offer.su_id]
        assert sum(match.energy for match in own) <= offer.energy
        assert all(match.price == offer.price for match in own)
    for bid in bids_:
        own = [match for match in matches if match.bu_id == bid.bu_id]
        assert sum(match.energy for match in own) <= bid.energy
        assert all(match.price <= bid.price for match in own)
    sold = {offer.su_id: 0 for offer in offers} | {}
    for match in matches:
        sold[match.su_id] += match.energy
    if sum(sold.values()) < volume:  # nobody is left who could still trade
        for offer in offers:
            for bid in bids_:
                bought = sum(m.energy for m in matches if m.bu_id == bid.bu_id)
                left = offer.energy > sold[offer.su_id] and bid.energy > bought
                assert not (left and offer.price <= bid.price)


def test_higher_bids_come_first_and_earlier_ones_among_equals():
    offer = Offer(1, 1, 100, 5, 9, 1, 0)
    late, early, high = (Bid(n, 1, 60, price, 0) for n, price in ((1, 6), (2, 6), (3, 7)))
    placed = [PlacedBid(late, 20), PlacedBid(early, 10), PlacedBid(high, 30)]
    matches = match_orders([offer], placed, {1: Standing(1, 1)}, 1000)
    assert [(match.bu_id, match.energy) for match in matches] == [(3, 60), (2, 40)]


def test_among_equal_offers_the_better_credit_is_taken(market):
    record = market.traded((200_000, 100_000))
    market.jy1.submit("inform", market.assess(record), by=market.operator)
    assert market.jy1.evaluate("known", "SU1").value(KnownCredit).credit == 50_000_000
    market.schedule(2)
    market.offer(1, period=2)
    market.offer(2, period=2)
    market.bid(3, period=2)
    assert [match.su_id for match in market.match(2).matches] == [2]


def test_the_scheduled_volume_is_not_exceeded(market):
    market.schedule()
    market.offer(1, 300_000)
    market.offer(2, 300_000)
    market.bid(3, 300_000)
    market.bid(4, 300_000)
    matching = market.match()
    assert sum(match.energy for match in matching.matches) == 400_000
    assert market.check(matching).executable


def test_a_rejected_matching_is_never_settled(market):
    market.schedule()
    market.offer(1)
    market.bid(3)
    verdict = replace(market.check(market.match()), executable=False, reason="line west is down")
    market.jy1.submit("execute", verdict, by=market.operator)
    with pytest.raises(ChaincodeError, match="it is rejected, not executed"):
        market.settle(1, (1, 1))


def test_a_check_of_another_matching_executes_nothing(market):
    market.schedule()
    market.offer(1)
    market.bid(3)
    check = market.check(market.match())
    with pytest.raises(ChaincodeError, match="the check is of another matching"):
        market.jy1.submit("execute", replace(check, digest="00"), by=market.operator)


def test_orders_come_from_their_owners_once_and_before_the_matching(market):
    with pytest.raises(ChaincodeError, match="the operator has not opened it"):
        market.offer(1)
    market.schedule()
    market.offer(1)
    with pytest.raises(ChaincodeError, match="the order of SU1 for period 1 exists already"):
        market.offer(1)
    order = Offer(2, 1, 1, 1, 1, 1, 1)
    with pytest.raises(ChaincodeError, match="SU2 and its orders belong to another"):
        market.jy1.submit("offer", order, by=market.units["SU1"])
    with pytest.raises(ChaincodeError, match="BU3 and its orders belong to another"):
        market.jy1.submit("bid", Bid(3, 1, 1, 1, 1), by=market.units["BU4"])
    market.match()
    with pytest.raises(ChaincodeError, match="it is matched, not open"):
        market.bid(3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"energy": 0}, "the order of SU1"),
        ({"price": -1}, "price: -1 is negative"),
        ({"renewable": 2}, "renewable is 0 or 1"),
        ({"capacity": -1}, "capacity not negative"),
        ({"period": -1}, "period: -1 is negative"),
    ],
)
def test_an_order_that_cannot_be_meant_is_refused(market, change, says):
    market.schedule()
    with pytest.raises(ChaincodeError, match=says):
        market.offer(1, **change)


def test_who_is_no_longer_approved_cannot_order(market):
    market.schedule()
    authentication = DeployedChaincode(market.jy1.ledger, "authentication")
    authentication.submit("revoke", [UnitId(Role.SU, 1)], by=market.operator)
    with pytest.raises(ChaincodeError, match="SU1 is not approved"):
        market.offer(1)


def test_the_operators_steps_and_the_meters_are_theirs(market):
    for call in (("open", Schedule(1, 1, TERMS)), ("inform", []), ("match", 1)):
        with pytest.raises(ChaincodeError, match="may not act as operator"):
            market.jy1.submit(*call, by=market.units["SU1"])
    with pytest.raises(ChaincodeError, match="may not act as grid"):
        market.jy1.submit("settle", 1, [], by=market.operator)
    with pytest.raises(ChaincodeError, match="volume of period 1"):
        market.jy1.submit("open", Schedule(1, -1, TERMS), by=market.operator)
    market.schedule()
    with pytest.raises(ChaincodeError, match="period 1 exists already"):
        market.jy1.submit("open", Schedule(1, 1, TERMS), by=market.operator)


@pytest.mark.parametrize(
    ("readings", "says"),
    [
        ([], "no reading of match 0"),
        ([Reading(1, 1, 1)], "no match 1"),
        ([Reading(0, 1, 1)] * 2, "the reading of match 0 exists already"),
        ([Reading(0, -1, 1)], "energy must not be negative"),
    ],
)
def test_readings_that_cannot_be_meant_are_refused(market, readings, says):
    market.schedule()
    market.offer(1)
    market.bid(3)
    market.execute(market.match())
    with pytest.raises(ChaincodeError, match=says):
        market.jy1.submit("settle", 1, readings, by=market.grid)


@pytest.mark.parametrize(
    ("proof", "says"),
    [
        (CreditProof("SU1", 0xFFFFFFFF, 5), "not of a coloured coin"),
        (CreditProof("SU1", 2**32 + 0x33, 5), "not of a coloured coin"),
        (CreditProof("SU1", 0x33, 100 * 10**6 + 1), r"not in \[0, 100\] points"),
        (CreditProof("SU1", 0x373, 8191), r"credit of -1 millionths"),
    ],
)
def test_a_credit_that_no_coin_carries_is_refused(market, proof, says):
    with pytest.raises(ChaincodeError, match=says):
        market.jy1.submit("inform", [proof], by=market.operator)


def test_without_orders_nothing_is_matched_and_settles(market):
    market.schedule()
    market.execute(market.match())
    assert market.settle(1).trades == []
    with pytest.raises(ChaincodeError, match="no settlement of period 2"):
        market.jy1.evaluate("settled", 2)


def test_a_sellers_stability_is_what_he_generated_of_what_was_agreed(market: DipiMarket):
    market.traded((200_000, 150_000))
    market.traded((200_000, 250_000), period=2)
    known = market.jy1.evaluate("known", "SU1").value(KnownCredit)
    assert (known.standing.stability, known.count) == (87_500_000, 2)
